"""Agreement of two answers: bounded, symmetric, 1 for equals, and by the definition in the docstring."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.agreement import MOST_PAIRS, agreement, normalised, token_f1

words = st.text(alphabet="abc .,A", max_size=12)
wild = st.text(max_size=40)
pairs = st.lists(st.tuples(words, words), max_size=6)


@given(pairs, pairs)
def test_it_lies_between_nothing_and_one_and_has_no_direction(first: list[tuple[str, str]],
                                                              second: list[tuple[str, str]]) -> None:  # fmt: skip
    found = agreement(first, second)
    assert (found is None) == (not first and not second)
    if found is None:
        return
    assert 0 <= found.score <= 1
    assert 0 <= found.equal_answers <= found.same_questions <= min(len(first), len(second))
    turned = agreement(second, first)
    assert turned is not None
    assert turned.score == pytest.approx(found.score)
    assert (turned.same_questions, turned.equal_answers) == (found.same_questions, found.equal_answers)


@given(st.lists(st.tuples(wild, wild), min_size=1, max_size=6), st.randoms())
def test_equals_agree_wholly_in_any_order(first: list[tuple[str, str]], random: Random) -> None:
    second = list(first)
    random.shuffle(second)
    found = agreement(first, second)
    assert found is not None and found.score == pytest.approx(1.0)
    assert found.equal_answers == found.same_questions == len(first)


@given(wild, wild)
def test_f1_is_symmetric_and_bounded(one: str, other: str) -> None:
    one, other = normalised(one), normalised(other)
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, other) == token_f1(other, one)
    assert token_f1(one, one) == 1
    assert normalised(one) == one or normalised(normalised(one)) == normalised(one)


def test_case_punctuation_articles_and_spaces_do_not_count() -> None:
    assert normalised("  The Red\tbag, a BIG one! ") == "red bag big one"
    found = agreement([("What is it?", "A bag.")], [("what is IT", "the bag")])
    assert found is not None and (found.score, found.same_questions, found.equal_answers) == (1.0, 1, 1)


def test_other_answers_to_the_same_question_count_by_their_tokens() -> None:
    found = agreement([("Q", "red bag")], [("Q", "blue bag")])
    assert found is not None and (found.score, found.same_questions, found.equal_answers) == (0.5, 1, 0)


def test_other_questions_are_matched_with_the_most_alike() -> None:
    first = [("where is knife", "left"), ("how many bags", "two")]
    second = [("how many bags there", "two"), ("where is knife now", "left")]
    found = agreement(first, second)
    assert found is not None and found.same_questions == 0
    # Each has 4 of 4 and 4 of 5 tokens in common: 2 · 4 ÷ 9.
    assert found.score == pytest.approx(8 / 9)


def test_a_pair_without_a_partner_counts_as_nothing() -> None:
    found = agreement([("Q", "x"), ("R", "y")], [("Q", "x")])
    assert found is not None and found.score == 0.5
    assert agreement([("Q", "x")], []) == agreement([], [("Q", "x")])
    none = agreement([("Q", "x")], [])
    assert none is not None and none.score == 0


def test_pairs_without_end_are_cut() -> None:
    many = [(f"q{number}", "a") for number in range(MOST_PAIRS * 20)]
    found = agreement(many, many)
    assert found is not None and found.same_questions == MOST_PAIRS
