"""What an error of the libraries means to a person."""

import pickle

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from vqa_tui.training.trouble import TrainingTrouble, in_words

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


def test_a_trouble_goes_whole_from_process_to_process() -> None:
    trouble = pickle.loads(pickle.dumps(TrainingTrouble("no colour", "Take one.")))
    assert (str(trouble), trouble.hint) == ("no colour", "Take one.")
