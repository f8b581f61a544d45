"""What is flagged, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.item import Box, GroundTruth
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.quality.pairs import judge

TRUTH = GroundTruth(categories=("Knife",), boxes=(Box(label="Power bank", x=0, y=0, width=1, height=1),))
GOOD = Pair("What is it?", "A knife near the top.", "general")


def _flags(pair: Pair, truth: GroundTruth = TRUTH) -> tuple[SampleFlag, ...]:
    (judged,) = judge(
        [pair],
        truth,
        cut=False,
        expected_pairs=1,
        min_answer_chars=15,
        risk_words=("risk level", "recommend", "c++"),
        known_question_types=("general", "structured_list"),
        structured_types=("structured_list",),
    )
    return judged.flags


def test_a_good_pair_has_no_flags() -> None:
    assert _flags(GOOD) == ()


@pytest.mark.parametrize(
    ("pair", "flag"),
    [
        (Pair("What is it?", "  A knife.      ", "general"), SampleFlag.SHORT_ANSWER),
        (Pair("What is it?", "The Risk\n Level is high here.", "general"), SampleFlag.RISK_WORDS),
        (Pair("What do you RECOMMEND?", "A knife near the top.", "general"), SampleFlag.RISK_WORDS),
        (Pair("What is it?", "It is written in C++, it seems.", "general"), SampleFlag.RISK_WORDS),
        (Pair("What is it?", "A knife near the top.", "colour"), SampleFlag.UNKNOWN_TYPE),
        (Pair("What is it?", "A knife near the top.", ""), SampleFlag.UNKNOWN_TYPE),
    ],
)
def test_flags(pair: Pair, flag: SampleFlag) -> None:
    assert _flags(pair) == (flag,)


@pytest.mark.parametrize("answer", ["An asterisk levels the list.", "He recommends nothing to anyone."])
def test_risk_words_are_whole_words(answer: str) -> None:
    assert _flags(Pair("What is it?", answer, "general")) == ()


@pytest.mark.parametrize(
    ("answer", "flags"),
    [
        ('{"items": [{"name": "Knife"}], "total_count": 1}', ()),
        ('{"items": [{"name": "a kitchen knife"}, {"name": "POWER-BANK"}]}', ()),
        ('[{"name": "Knife", "confidence": 0.9}]', ()),
        ('{"items": [], "total_count": 0}', ()),
        ('{"items": [{"name": "Gun"}], "total_count": 1}', (SampleFlag.NOT_IN_TRUTH,)),
        ('{"items": [{"name": "bank of the river"}]}', (SampleFlag.NOT_IN_TRUTH,)),
        ('{"items": [{"name": "Knife"}], "total_count": 2}', (SampleFlag.BAD_STRUCTURE,)),
        ('{"items": ["Knife", "and more"]}', (SampleFlag.BAD_STRUCTURE,)),
        ('{"items": [{"name": ""}], "n": 1}', (SampleFlag.BAD_STRUCTURE,)),
        ('{"items": [{"confidence": 0.9}]}', (SampleFlag.BAD_STRUCTURE,)),
        ('{"items": [{"name": "Knife", "confidence": NaN}]}', (SampleFlag.BAD_STRUCTURE,)),
        ('{"objects": ["Knife"]}', (SampleFlag.BAD_STRUCTURE,)),
        ("A knife, and that is all.", (SampleFlag.BAD_STRUCTURE,)),
        ("[" * 5000, (SampleFlag.BAD_STRUCTURE,)),
        ('"a text, not an object"', (SampleFlag.BAD_STRUCTURE,)),
    ],
)
def test_structured_answers(answer: str, flags: tuple[SampleFlag, ...]) -> None:
    assert _flags(Pair("List all items.", answer, "structured_list")) == flags


def test_a_clean_picture_accounts_for_no_item() -> None:
    named = Pair("List all items.", '{"items": [{"name": "Knife"}]}', "structured_list")
    assert _flags(named, GroundTruth(states_none=True)) == (SampleFlag.NOT_IN_TRUTH,)
    assert _flags(named, GroundTruth()) == (), "nothing is known of the picture"


def test_duplicates_are_found_without_case_and_punctuation() -> None:
    pairs = [
        Pair("What is it?", "a"),
        Pair("what  is it", "b"),
        Pair("What's it?", "c"),
        Pair("?", "d"),
        Pair("!", "e"),
    ]
    judged = judge(pairs, GroundTruth(), cut=False, expected_pairs=5)
    assert [pair.flags for pair in judged] == [(), (SampleFlag.DUPLICATE_QUESTION,), (), (), ()]


def test_what_is_true_of_the_reply_stands_on_each_pair() -> None:
    judged = judge([GOOD, Pair("Else?", "No.")], GroundTruth(), cut=True, expected_pairs=3)
    assert {pair.flags for pair in judged} == {(SampleFlag.CUT_REPLY, SampleFlag.FEWER_PAIRS)}
    assert judge([GOOD, GOOD], GroundTruth(), cut=False, expected_pairs=1)[0].flags == ()


@given(st.lists(st.builds(Pair, st.text(), st.text(), st.sampled_from(["", "structured_list"]))), st.booleans())
def test_nothing_is_dropped_or_changed(pairs: list[Pair], cut: bool) -> None:
    judged = judge(
        pairs, TRUTH, cut=cut, expected_pairs=2, risk_words=("a b", " "), structured_types=("structured_list",)
    )
    assert [(p.question, p.answer, p.question_type) for p in judged] == [
        (p.question, p.answer, p.question_type) for p in pairs
    ]
