"""The filter grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.tui.present.filters import chips, parse_filter

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
        chips(parse_filter(typed))
    except VqaError as error:
        assert error.message


def test_chips_tell_every_part_of_the_filter() -> None:
    shown = chips(TaskFilter((FAILED,), ("bad_reply",), "scan")).plain
    for word in ("status", "failed", "kind", "bad reply", "text", "scan"):
        assert word in shown
    inverted = chips(TaskFilter(not_kinds=("server",), not_search=("scan",))).plain
    assert "kind not server" in inverted and "text not scan" in inverted
    assert "taken" in chips(TaskFilter((TaskStatus.LEASED,))).plain
    assert chips(TaskFilter()).plain == "all items"
