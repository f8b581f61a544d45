"""What the failures screen says: rows, status, empty state, detail, and why a verb cannot help."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.tui.test_hostile_text import HOSTILE, RAW
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.failure_advice import Verb, meaning, no_use, what_helps
from vqa_tui.domain.failure_cluster import (
    OTHER_MESSAGES,
    ClusterDetail,
    Example,
    FailureCluster,
    FailureTable,
    KindCount,
    PictureSizes,
    Spread,
)
from vqa_tui.domain.run import CostView, Counts, RunView
from vqa_tui.tui.present import failure_rows, failure_verbs
from vqa_tui.tui.present.failure_detail import detail_facts, detail_head, example_caption
from vqa_tui.tui.present.failure_rows import failure_row, failures_header, failures_status
from vqa_tui.tui.present.failure_verbs import question, why_not
from vqa_tui.tui.present.failure_words import compared_words, counted_words, form_words, in_order

NOW = 1_790_000_000.0
MakeView = Callable[..., RunView]


def cluster(
    number: int = 1,
    form: str = "it broke",
    *,
    kind: str = "server",
    pictures: int = 2,
    tries: int = 5,
    last: float = 60,
) -> FailureCluster:
    return FailureCluster(
        (number,), form, (KindCount(kind, pictures, tries),), pictures, tries, NOW - 7_200, NOW - last,
        (0,) * 14 + (pictures,), (0,) * 14 + (tries,),
    )  # fmt: skip


def sizes(side: int, size_bytes: int = 50_000) -> PictureSizes:
    return PictureSizes(3, Spread(side // 2, side, side * 2), Spread(size_bytes, size_bytes, size_bytes))


def test_a_row() -> None:
    cells = [cell.plain for cell in failure_row(cluster(), 8, NOW, tries=False).cells]
    assert cells == ["2", "25.0 %", "server", "it broke", "2h 00m", "1m 00s", " " * 14 + "█"]
    assert failure_row(cluster(), 8, NOW, tries=True).cells[0].plain == "5"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("the endpoint had an internal error (HTTP 503): Overloaded", "HTTP 503: Overloaded"),
        ("the quota or the funds of the key are used up (PerDay) (HTTP 429): over", "HTTP 429: over"),
        ("a content filter stopped the reply (content_filter)", "a content filter stopped the reply (content_filter)"),
        ("", "the endpoint had an internal error (5xx)"),
        (OTHER_MESSAGES, "every other message: too many that differ to be told apart"),
    ],
)
def test_what_went_wrong_is_said_without_what_the_kind_says(form: str, words: str) -> None:
    assert form_words(cluster(form=form)) == words


def test_the_order() -> None:
    table = FailureTable((cluster(1, pictures=1, last=5), cluster(2, pictures=3), cluster(3, pictures=0, tries=9)))
    assert [each.id for each in in_order(table, tries=False, newest_first=False)] == [2, 1]
    assert [each.id for each in in_order(table, tries=False, newest_first=True)] == [1, 2]
    assert [each.id for each in in_order(table, tries=True, newest_first=False)] == [3, 1, 2]


def test_the_status_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_rows, "MOST_ROWS", 1)
    shown = [cluster(1), cluster(2)]
    table = FailureTable(tuple(shown), ungathered=1_200)
    words = failures_status(shown, table, tries=False, newest_first=False, marked=1, may_write=True).plain
    assert "failed for good" in words and "4 failed pictures in 2 clusters, largest first" in words
    assert "1 small ones are not listed" in words and "✓ 1 marked" in words
    assert "1 200 older failures being gathered …" in words
    words = failures_status(shown, table, tries=True, newest_first=True, marked=0, may_write=False).plain
    assert "10 failed tries in 2 clusters, newest first" in words and "not gathered: opened with --readonly" in words


@pytest.mark.parametrize("width", [30, 60, 90, 160])
def test_the_header_fits_and_keeps_the_count(make_view: MakeView, width: int) -> None:
    line = failures_header(make_view(), width)
    assert line.cell_length <= width
    assert "13" in line.plain


def test_the_header_counts_pictures_and_tries_apart(make_view: MakeView) -> None:
    view = make_view(counts=Counts(done=10, failed=3), attempt_failures={"server": 38})
    assert failures_header(view, 160).plain.endswith("✖ 3 pictures failed · 38 tries failed")


def test_the_empty_state_tells_what_was_made_up_for(make_view: MakeView) -> None:
    view = make_view(counts=Counts(done=10), failures={}, attempt_failures={"server": 3, "rate_limited": 41})
    words = failure_rows.nothing_failed(view, tries=False).plain
    assert words.startswith("Nothing has failed for good.")
    assert "44 tries failed on the way" in words and "rate limited 41, server 3" in words
    assert (
        failure_rows.nothing_failed(make_view(attempt_failures={}), tries=False).plain == "Nothing has failed for good."
    )
    assert failure_rows.nothing_failed(None, tries=True).plain == "No try has failed."


def test_the_detail_says_what_the_failures_share() -> None:
    detail = ClusterDetail(
        1, "it broke\nbadly", 5, (("a", 3), ("b", 2)), ((503, 4), (None, 1)), (("m-1", 5),), sizes(4_032), sizes(1_024)
    )
    head = detail_head(cluster(), detail, NOW).plain
    assert "2 pictures failed for good · 5 tries in all" in head and "it broke\nbadly" in head
    assert "first seen 2h 00m ago, last seen 1m 00s ago" in head
    facts = detail_facts(cluster(), detail, tries=True).plain
    assert "503 4 · no answer 1" in facts and "a 3 · b 2" in facts and "m-1 5" in facts
    assert "2 016 px – 8 064 px, median 4 032 px" in facts
    assert "failed ones are larger: median 4 032 px against 1 024 px" in facts
    assert "newest" not in facts
    many = cluster(pictures=9_000)
    assert "(of the newest 5)" in detail_facts(many, detail, tries=False).plain
    unasked = ClusterDetail(1, "", 2)
    assert "no request was made" in detail_facts(cluster(kind="bad_image"), unasked, tries=False).plain
    assert "The failure says nothing." in detail_head(cluster(), unasked, NOW).plain


@pytest.mark.parametrize(
    ("failed", "answered", "words"),
    [
        (sizes(500), sizes(1_024), "failed ones are smaller"),
        (sizes(1_000), sizes(1_024), "as large as"),
        (sizes(1_000, 90_000), sizes(1_000, 10_000), "failed files are larger: median 90 kB against 10 kB"),
    ],
)
def test_sizes_are_set_against_those_that_were_answered(
    failed: PictureSizes, answered: PictureSizes, words: str
) -> None:
    compared = compared_words(failed, answered)
    assert compared is not None and words in ": ".join(compared)
    assert compared_words(failed, None) is None


def test_many_names_are_shortened() -> None:
    assert counted_words([(f"k{n}", 1) for n in range(8)]) == "k0 1 · k1 1 · k2 1 · k3 1 · k4 1 · k5 1 · 2 more"


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_has_words(kind: FailureKind) -> None:
    assert meaning(kind) and what_helps(kind)


def test_a_kind_of_a_newer_version_is_named() -> None:
    assert meaning("strange") == "a failure of kind strange"
    assert what_helps("strange") == no_use(Verb.SMALLER, "strange") == ""


def test_why_a_verb_cannot_help() -> None:
    assert why_not(Verb.RETRY, []) == "There is no cluster."
    assert why_not(Verb.RETRY, [cluster()]) is None
    assert "has failed for good" in str(why_not(Verb.RETRY, [cluster(pictures=0)]))
    smaller = why_not(Verb.SMALLER, [cluster(), cluster(2, kind="auth")])
    assert smaller == "A smaller picture is no help where the kind is auth: the key was refused, whatever the picture."
    assert "bad image" in str(why_not(Verb.ELSEWHERE, [cluster(kind="bad_image")]))
    assert why_not(Verb.ELSEWHERE, [cluster(kind="auth")]) is None
    assert why_not(Verb.SKIP, [cluster(kind="bad_image")]) is None


def test_the_question_says_how_many_and_what_it_costs(make_view: MakeView) -> None:
    view = make_view(counts=Counts(done=100, failed=40), cost=CostView(spent=Decimal("0.1")))
    asked = question(Verb.RETRY, 40, 1, view)
    assert "40 failed pictures will be put back" in asked.body and "about $0.04 in all" in asked.body
    assert asked.yes == "Retry 40"
    asked = question(Verb.SKIP, 40, 2, view)
    assert "40 failed pictures of 2 clusters will be taken out" in asked.body and asked.yes == "Skip 40"
    free = make_view(cost=CostView(price_known=False))
    assert "about" not in question(Verb.RETRY, 1, 1, free).body


def test_nothing_hostile_comes_through(make_view: MakeView) -> None:
    spoiled = cluster(form=HOSTILE, kind=HOSTILE)
    example = Example(1, HOSTILE, HOSTILE, 3, 4, 5)
    detail = ClusterDetail(1, HOSTILE, 1, ((HOSTILE, 1),), ((None, 1),), ((HOSTILE, 1),), None, None, (example,))
    texts = [
        *failure_row(spoiled, 8, NOW, tries=False).cells,
        failures_header(make_view(name=HOSTILE), 500),
        failure_rows.nothing_failed(make_view(attempt_failures={HOSTILE: 3}), tries=False),
        detail_head(spoiled, detail, NOW),
        detail_facts(spoiled, detail, tries=False),
        example_caption(example),
    ]
    for content in texts:
        assert RAW.search(content.plain.replace("\n", "")) is None
    for words in (failure_verbs.look_words([spoiled], HOSTILE), why_not(Verb.SMALLER, [spoiled]) or ""):
        assert RAW.search(words) is None
