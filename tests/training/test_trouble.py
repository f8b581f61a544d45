"""Errors of the libraries in words."""

import pytest

from vqa_tui.training.trouble import PeerLost, in_words, is_lack_of_memory


@pytest.mark.parametrize(
    "words",
    [
        "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1234",
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Read error [127.0.0.1]:1234: Connection reset by peer",
    ],
)
def test_what_a_lost_neighbour_leaves_is_known(words: str) -> None:
    assert isinstance(in_words(RuntimeError(words)), PeerLost)
    assert not isinstance(in_words(RuntimeError("size mismatch")), PeerLost)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), OSError(12, "Cannot allocate memory")]
)
def test_a_lack_of_memory_is_known(error: BaseException) -> None:
    assert is_lack_of_memory(error) and "out of memory" in in_words(error).sentence
    assert not is_lack_of_memory(ValueError("x"))
