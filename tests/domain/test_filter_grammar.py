"""The filter grammar: what is typed, what is meant, chips and completion."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.filter_completion import completions, settled
from vqa_tui.domain.filter_grammar import chips, parse_filter, without
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import Compared, FilterValues, OneOf, TaskField, TaskFilter

DONE, FAILED, PENDING = TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.PENDING


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", TaskFilter()),
        ("   ", TaskFilter()),
        ("battery", TaskFilter(search="battery")),
        ("two words", TaskFilter(search="two words")),
        ('"two  spaces"', TaskFilter(search="two  spaces")),
        ("status:failed", TaskFilter((FAILED,))),
        ("STATUS:Failed", TaskFilter((FAILED,))),
        ("status:pending,done", TaskFilter((PENDING, DONE))),
        ("status:in_flight", TaskFilter((TaskStatus.LEASED,))),
        ("status:in-flight", TaskFilter((TaskStatus.LEASED,))),
        ("!status:done", TaskFilter((PENDING, TaskStatus.LEASED, FAILED, TaskStatus.SKIPPED))),
        ("status:failed,done !status:done", TaskFilter((FAILED,))),
        ("kind:bad_reply", TaskFilter(kinds=("bad_reply",))),
        ("kind:bad-reply", TaskFilter(kinds=("bad_reply",))),
        ("status:failed kind:bad_reply scan_4", TaskFilter((FAILED,), ("bad_reply",), "scan_4")),
        ("C:/pictures", TaskFilter(search="C:/pictures")),
        ("it's", TaskFilter(search="it's")),
        ("status:taken", TaskFilter((TaskStatus.LEASED,))),
        ("https://host/scan", TaskFilter(search="https://host/scan")),
        (r"scans\new\1.jpg", TaskFilter(search=r"scans\new\1.jpg")),
        ('"foo:bar"', TaskFilter(search="foo:bar")),
        ("!battery", TaskFilter(not_search=("battery",))),
        ('!"two words" !three x', TaskFilter(search="x", not_search=("two words", "three"))),
        ("!kind:server", TaskFilter(not_kinds=("server",))),
        ("!kind:server,timeout !kind:refused", TaskFilter(not_kinds=("server", "timeout", "refused"))),
        ("kind:server,refused !kind:server", TaskFilter(kinds=("refused",), not_kinds=("server",))),
        ("!kind:server kind:server,refused", TaskFilter(kinds=("refused",), not_kinds=("server",))),
    ],
)
def test_what_is_typed_is_what_is_meant(typed: str, meant: TaskFilter) -> None:
    assert parse_filter(typed) == meant


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("status:faild", "Did you mean failed?"),
        ("statsu:failed", "Did you mean status:failed?"),
        ("kind:xyzzy", "Known are"),
        ("status:", "needs a value"),
        ("foo:bar", "there is no field `foo`"),
        ("foo:bar", 'In quotes it is text: "foo:bar"'),
        ("kind:server !kind:server", "no kind is left"),
        ("status:failed status:done", "no status is left"),
        ("!status:pending,leased,done,failed,skipped", "no status is left"),
    ],
)
def test_mistakes_are_named_with_the_nearest_known_word(typed: str, words: str) -> None:
    with pytest.raises(VqaError) as caught:
        parse_filter(typed)
    assert words in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error_in_words(typed: str) -> None:
    try:
        parse_filter(typed)
    except VqaError as error:
        assert error.message
        return
    for chip in chips(typed):
        left = without(typed, chip)
        assert len(chips(left)) == len(chips(typed)) - 1
    completions(typed, FilterValues(("a b",), ("train",), ('with "quotes"',)))


ATTEMPTS, COST, LATENCY = TaskField.ATTEMPTS, TaskField.COST, TaskField.LATENCY


@pytest.mark.parametrize(
    ("typed", "condition"),
    [
        ("attempts:>2", Compared(ATTEMPTS, ">", (Decimal(2),))),
        ("attempts>2", Compared(ATTEMPTS, ">", (Decimal(2),))),
        ("tries:<=2", Compared(ATTEMPTS, "<=", (Decimal(2),))),
        ("attempts:1,3", Compared(ATTEMPTS, "=", (Decimal(1), Decimal(3)))),
        ("!attempts:=1", Compared(ATTEMPTS, "=", (Decimal(1),), inverted=True)),
        ("cost:>$0.001", Compared(COST, ">", (Decimal("0.001"),))),
        ("ms:>=5000", Compared(LATENCY, ">=", (Decimal(5000),))),
        ("latency:<2.5s", Compared(LATENCY, "<", (Decimal(2500),))),
        ("id:7", Compared(TaskField.ID, "=", (Decimal(7),))),
        ("flag:short-answer,any", OneOf(TaskField.FLAG, ("short_answer", "any"))),
        ("!verdict:accepted", OneOf(TaskField.VERDICT, ("accepted",), inverted=True)),
        ("key:main", OneOf(TaskField.KEY, ("main",))),
        ('category:"Hair Dryer",Knife', OneOf(TaskField.CATEGORY, ("Hair Dryer", "Knife"))),
        ('category:"Hair, wet"', OneOf(TaskField.CATEGORY, ("Hair, wet",))),
        ('category:"Hair Dr', OneOf(TaskField.CATEGORY, ("Hair Dr",))),
        ("split:train", OneOf(TaskField.SPLIT, ("train",))),
        ("pilot:true", OneOf(TaskField.PILOT, ("yes",))),
    ],
)
def test_conditions(typed: str, condition: OneOf | Compared) -> None:
    assert parse_filter(typed) == TaskFilter(conditions=(condition,))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("atempts:>2", "Did you mean attempts:>2?"),
        ("attempts:many", "`many` is not a number for attempts"),
        ("attempts:>", "needs a number"),
        ("attempts:>1,2", "needs one number behind a comparison"),
        ("cost:1e9", "is not a number for cost"),
        ("attempts:$3", "is not a number for attempts"),
        ("cost:5s", "is not a number for cost"),
        ("cost:" + "9" * 40, "is not a number for cost"),
        ("flag:shrt_answer", "Did you mean short_answer?"),
        ("verdict:acepted", "Did you mean accepted?"),
        ("pilot:maybe", "`maybe` is not a pilot"),
        ("key:", "`key:` needs a value"),
        ("text:", "`text:` needs a value"),
    ],
)
def test_mistakes_in_conditions(typed: str, words: str) -> None:
    with pytest.raises(VqaError) as caught:
        parse_filter(typed)
    assert words in str(caught.value)


def test_chips_are_the_conditions_as_typed_and_words_of_text_are_one() -> None:
    typed = 'two cost>0.001 status:failed !kind:server words !"not this"'
    found = chips(typed)
    assert [chip.label for chip in found] == [
        "cost>0.001", "status:failed", "!kind:server", '!text:"not this"', "text:two words",
    ]  # fmt: skip
    assert without(typed, found[-1]) == 'cost>0.001 status:failed !kind:server !"not this"'
    assert without(typed, found[0]) == 'two status:failed !kind:server words !"not this"'
    assert chips("") == ()


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("st", ["status:", "cost:"]),
        ("!ver", ["!verdict:"]),
        ("status:fa", ["status:failed "]),
        ("status:failed,sk", ["status:failed,skipped "]),
        ("x key:", ["x key:main ", 'x key:"second key" ']),
        ("category:dry", ['category:"Hair Dryer" ']),
        ('category:"hair d', ['category:"Hair Dryer" ']),
        ("cost:", ["cost:>", "cost:>=", "cost:<", "cost:<=", "cost:="]),
        ("cost:>0", []),
        ("status:failed", []),
    ],
)
def test_completion(typed: str, lines: list[str]) -> None:
    values = FilterValues(("main", "second key"), ("train",), ("Hair Dryer", "Knife"))
    assert [each.line for each in completions(typed, values)] == lines


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stat", ""),
        ("knife !ki", "knife "),
        ("status:failed STAT", "status:failed "),
        ("status:fa", "status:fa"),
        ("status:", "status:"),
        ("gun", "gun"),
        ("stat ", "stat "),
        ('"stat', '"stat'),
        ("", ""),
    ],
)
def test_a_word_that_may_become_a_field_waits(typed: str, meant: str) -> None:
    assert settled(typed) == meant


@given(st.sampled_from(["key", "split", "category"]), st.text(min_size=1, max_size=20))
@example("key", "/")
@example("split", "\\x")
def test_what_is_completed_can_be_read(field: str, value: str) -> None:
    values = FilterValues((value,), (value,), (value,))
    for offered in completions(f"{field}:", values):
        if not value.replace('"', "").strip():
            continue
        (condition,) = parse_filter(offered.line).conditions
        assert isinstance(condition, OneOf)
        assert condition.values == (value.replace('"', "").strip(),)
