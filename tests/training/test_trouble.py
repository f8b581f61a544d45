"""What an error of the libraries means to a person."""

import pickle

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from vqa_tui.training.trouble import PeerLost, TrainingTrouble, in_words, is_lack_of_memory

pytestmark = pytest.mark.training
_HANDED_ON = """Caught ValueError in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "worker.py", line 1, in work
    raise ValueError("no such colour")
ValueError: no such colour
"""


def test_what_a_process_that_makes_batches_raised_is_told_by_its_last_line() -> None:
    assert str(in_words(ValueError(_HANDED_ON))) == "ValueError: no such colour"
    assert str(in_words(MemoryError(_HANDED_ON))) == "out of memory"


@pytest.mark.parametrize(
    "words",
    [
        "DataLoader worker (pid 7) is killed by signal: Killed. ",
        "DataLoader worker (pid(s) 7, 8) exited unexpectedly",
    ],
)
def test_its_death_is_told_as_what_it_is(words: str) -> None:
    assert "was ended from outside" in str(in_words(RuntimeError(words)))


def test_the_package_that_is_missing_is_named_also_where_a_library_hides_it() -> None:
    lazy = ModuleNotFoundError("Could not import module 'Trainer'. Are this object's requirements defined correctly?")
    lazy.__cause__ = ModuleNotFoundError("No module named 'peft'", name="peft")
    assert in_words(lazy).sentence == (
        "the package peft is not installed. `pip install 'vqa-tui[train]'` brings what training needs."
    )
    lazy.__cause__ = None
    assert "None" not in in_words(lazy).sentence and "Could not import module 'Trainer'" in in_words(lazy).sentence


def test_two_sentences_have_one_full_stop_between_them() -> None:
    assert TrainingTrouble("it is gone.", "Get it.").sentence == "it is gone. Get it."


def test_a_trouble_goes_whole_from_process_to_process() -> None:
    trouble = pickle.loads(pickle.dumps(TrainingTrouble("no colour", "Take one.")))
    assert (str(trouble), trouble.hint) == ("no colour", "Take one.")


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
