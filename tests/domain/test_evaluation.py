"""What counts as the same answer, and the document of an evaluation."""

import pytest

from vqa_tui.domain.evaluation import (
    BeforeAndAfter,
    Evaluation,
    Figures,
    JudgedAnswer,
    JudgedRow,
    is_short,
    vqa_accuracy,
)

NONE = Figures(0, 0, None, None, None, None, None, None)
SAID = JudgedAnswer("Two.", 0.25, True, 1.0, 1.0)


def made() -> Evaluation:
    both = BeforeAndAfter("", NONE, Figures(1, 1, 0.25, 1.0, 1.0, 1.0, 1.0, 100.0))
    row = JudgedRow(3, "3.png", "/3.png", "How many?", "two", "count", ("Knife",), (7, 8), SAID, SAID)
    return Evaluation(1.5, "tiny", "adapter", "CPU", "fp32", 9, 1, 64, "nrefs:1", both, (both,), (), (row,))


def test_the_document_comes_back_as_it_went() -> None:
    assert Evaluation.of_json(made().as_json()) == made()


@pytest.mark.parametrize("text", ["", "[]", '{"at": 1}', made().as_json().replace('"worst"', '"wurst"')])
def test_what_is_no_document_says_what_is_missing(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]+: "):
        Evaluation.of_json(text)


@pytest.mark.parametrize(
    ("answer", "reference", "accuracy"),
    [("The knife.", "knife", 1), ("two", "2", 1), ("None", "0", 1), ("dont", "don't", 1), ("a knife", "a gun", 0)],
)
def test_equal_answers_are_those_of_the_vqa_evaluation(answer: str, reference: str, accuracy: float) -> None:
    assert vqa_accuracy(answer, (reference,)) == accuracy


def test_of_many_references_three_equal_ones_are_enough() -> None:
    references = ("red", "red", "blue", "green", "red", "pink")
    assert [vqa_accuracy(word, references) for word in ("red", "pink", "grey")] == [1.0, pytest.approx(1 / 3), 0.0]
    assert vqa_accuracy("red", ()) == 0.0


def test_short_references_have_at_most_three_words() -> None:
    assert is_short("A red suitcase, open.") and not is_short("It lies in the upper left.") and not is_short(" . ")
