"""The list of runs without an app: rows, columns at a width, what is in sight, and what is said about them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.tui.made_views import make_view
from tests.tui.test_hostile_text import HOSTILE, RAW
from tests.tui.test_rows import NOW, summary, texts
from vqa_tui.domain.run import EngineState, Phase, RunSummary
from vqa_tui.domain.run_contents import DeletedRuns, RunContents
from vqa_tui.tui import verbs
from vqa_tui.tui.present.columns import place
from vqa_tui.tui.present.consequences import contents_words, delete_consequence
from vqa_tui.tui.present.lists import runs_totals
from vqa_tui.tui.present.rows import Row, widest
from vqa_tui.tui.present.run_rows import (
    COURSE_CELLS,
    RUN_COLUMNS,
    RunRows,
    age,
    in_sight,
    matches,
    nothing_in_sight,
    run_row,
)
from vqa_tui.tui.present.seen import RunLine, SeenRuns

AT_REST = EngineState.NONE


def columns_at(width: int, *rows: Row) -> list[str]:
    """The titles of the columns that fit into a terminal of `width` columns: its border and margin take four."""
    return [RUN_COLUMNS[p.index].title for p in place(RUN_COLUMNS, widest(RUN_COLUMNS, rows), width - 4)]


@pytest.mark.parametrize(
    "seconds, words", [(-3, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (7_200, "2h"), (90_000, "1d"), (4e7, "1y")]
)
def test_ages(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_a_course_is_drawn_and_nothing_where_nothing_was_done() -> None:
    drawn = texts(run_row(RunLine(summary(), course=(1.0, 2.0, 4.0)), NOW).cells)
    assert "▂▄█" in drawn
    flat = run_row(RunLine(summary(), course=(0.0, 0.0)), NOW)
    assert all("▁" not in str(cell) for cell in flat.cells)
    (cell,) = [c for c, column in zip(flat.cells, RUN_COLUMNS, strict=True) if column.title == "Course"]
    assert cell.plain == "" and COURSE_CELLS > 3


def test_columns_go_in_order_of_what_they_are_worth() -> None:
    line = RunLine(summary(cap=Decimal(10)), make_view(), (1.0, 2.0))
    row = run_row(line, NOW + 60)
    assert columns_at(200, row) == [column.title for column in RUN_COLUMNS]
    assert columns_at(80, row) == ["Run", "State", "Done", "Rate", "Course", "ETA", "Cost", "Fail"]
    long_name = run_row(replace(line, summary=summary(name="a-very-long-name-of-a-run-1")), NOW)
    assert columns_at(80, long_name) == ["Run", "State", "Done", "Rate", "ETA", "Cost", "Fail"]
    assert columns_at(40, row) == ["Run", "State", "Done", "Cost", "Fail"]
    at_rest = run_row(RunLine(summary(engine=AT_REST, phase=Phase.DONE), course=(1.0,)), NOW)
    assert not {"Rate", "ETA"} & set(columns_at(200, at_rest))


def test_an_archived_run_says_so_unless_an_engine_works_on_it() -> None:
    archived = RunLine(summary(archived_at=NOW, engine=AT_REST, phase=Phase.STOPPED))
    assert archived.archived and "▫ stopped · archived" in texts(run_row(archived, NOW).cells)
    works = RunLine(summary(archived_at=NOW))
    assert not works.archived and "archived" not in texts(run_row(works, NOW).cells)


def test_a_row_is_made_anew_only_when_it_reads_otherwise() -> None:
    rows = RunRows()
    lines = [RunLine(summary(id=1)), RunLine(summary(id=2))]
    first = rows.rows(lines, NOW)
    again = rows.rows([RunLine(summary(id=1)), RunLine(summary(id=2, name="other"))], NOW + 0.5)
    assert again[0] is first[0] and again[1] is not first[1]
    assert "other" in texts(again[1].cells)
    assert rows.rows(lines, NOW + 61)[0] is not first[0]


def test_which_runs_are_in_sight() -> None:
    lines = [
        RunLine(summary(id=1, name="First")),
        RunLine(summary(id=2, dataset="luggage", engine=AT_REST, phase=Phase.DONE)),
        RunLine(summary(id=3, archived_at=NOW, engine=AT_REST)),
    ]

    def shown(typed: str, *, archived: bool = False) -> list[int]:
        return [line.summary.id for line in in_sight(lines, typed, archived=archived)]

    assert shown("") == [1, 2]
    assert shown("", archived=True) == [1, 2, 3]
    assert shown("first") == [1]
    assert shown("LUGG caption") == [2]
    assert shown("!luggage") == [1]
    assert shown("done") == [2]
    assert shown("! ") == [1, 2]
    assert shown("gemini !first !lugg") == []
    assert matches(lines[0], "gem stc")


def test_what_an_empty_list_says() -> None:
    assert "no run matches xyz" in nothing_in_sight("xyz", 3).plain
    assert "H shows them" in nothing_in_sight("", 3).plain
    assert RAW.search(nothing_in_sight(HOSTILE, 0).plain) is None


def test_totals_tell_what_is_hidden_and_what_deleted_runs_had_cost() -> None:
    seen = SeenRuns((RunLine(summary(engine=AT_REST)),), NOW)
    words = runs_totals(seen, hidden=3, deleted=DeletedRuns(2, Decimal("4.20"))).plain
    assert words == "1 run · 3 archived: H shows them · $1.84 spent · $4.20 by 2 deleted runs"
    assert runs_totals(SeenRuns((), NOW), deleted=DeletedRuns(2, Decimal("4.20"))).plain.endswith("by 2 deleted runs")
    assert runs_totals(SeenRuns((), NOW), deleted=DeletedRuns()).plain == ""
    perhaps = runs_totals(SeenRuns((), NOW), deleted=DeletedRuns(1, Decimal(0), Decimal("0.02"))).plain
    assert perhaps.endswith("$0.00, and $0.02 uncertain, by 1 deleted run")


def test_the_question_before_a_deletion_says_what_goes() -> None:
    contents = RunContents("first", 40, 44, 120, 7, Decimal("1.84"), Decimal("0.02"))
    words = delete_consequence(contents)
    for part in ("40 pictures", "44 attempts with $1.84 of paid replies", "$0.02 that may have been billed",
                 "120 pairs", "7 verdicts", "Exports and the pictures stay", "cannot be taken back"):  # fmt: skip
        assert part in words
    assert "paid" not in contents_words(replace(contents, spent=Decimal(0), uncertain=Decimal(0)))


@pytest.mark.parametrize(
    "phase, allowed",
    [
        (Phase.STOPPED, {"resume", "retry_failed"}),
        (Phase.FAILED, {"resume", "retry_failed"}),
        (Phase.CREATED, {"resume", "retry_failed"}),
        (Phase.DONE, {"retry_failed"}),
    ],
)
def test_a_run_at_rest_can_be_steered_where_that_makes_sense(phase: Phase, allowed: set[str]) -> None:
    run: RunSummary = summary(phase=phase, engine=AT_REST)
    steered = RunLine(run).steerable
    actions = ("toggle_pause", "resume", "stop", "retry_failed")
    assert {action for action in actions if verbs.why_not(action, steered) is None} == allowed
