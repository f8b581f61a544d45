"""Rows of the tables and the small texts around them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from vqa_tui.domain.run import (
    Counts,
    EngineState,
    EngineView,
    EventView,
    GaugeView,
    KeyView,
    Phase,
    RunSummary,
    RunView,
    SlotView,
)
from vqa_tui.operations.planning import RunPlan
from vqa_tui.tui.present.columns import place
from vqa_tui.tui.present.export_result import ExportResult, export_text
from vqa_tui.tui.present.farewell import farewell, short_farewell
from vqa_tui.tui.present.help_text import KeyHelp, help_text
from vqa_tui.tui.present.keys import KEY_COLUMNS, key_row, key_rows
from vqa_tui.tui.present.lists import run_detail, runs_empty, runs_totals
from vqa_tui.tui.present.phases import key_state_label, level_label, phase_label
from vqa_tui.tui.present.plans import plan_text
from vqa_tui.tui.present.rows import SLOT_COLUMNS, RowsWhenDrawn, event_row, slot_row, slot_rows, widest
from vqa_tui.tui.present.run_rows import run_row
from vqa_tui.tui.present.seen import RunLine, SeenRuns

MakeView = Callable[..., RunView]
NOW = 1_790_000_000.0


def summary(**changes: Any) -> RunSummary:
    run = RunSummary(
        1, "train", "stcray", "caption", "gemini", Phase.RUNNING, "", Counts(pending=1, leased=2, done=3, failed=4),
        Decimal("1.84"), None, EngineState.ALIVE, NOW,
    )  # fmt: skip
    return replace(run, **changes)


def typed(words: str) -> str:
    return f"vqa-tui {words} --workspace /data"


def texts(cells: tuple[object, ...]) -> str:
    return " | ".join(str(cell) for cell in cells)


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_glyph_of_its_own_and_a_word(phase: Phase) -> None:
    label = phase_label(phase, EngineState.ALIVE)
    assert label.glyph and label.word
    others = [phase_label(other, EngineState.ALIVE).glyph for other in Phase if other is not phase]
    assert label.glyph not in others


def test_a_lost_or_hung_engine_takes_the_place_of_the_phase() -> None:
    assert phase_label(Phase.RUNNING, EngineState.LOST).word == "engine lost"
    assert phase_label(Phase.RUNNING, EngineState.HUNG).word == "not answering"
    assert phase_label(Phase.DONE, EngineState.HUNG).word == "done"


def test_states_of_newer_versions_are_shown_as_they_stand() -> None:
    assert key_state_label("sleeping\x1b[31m").word == "sleeping"
    assert level_label("debug").word == "debug"


def test_a_run_row_tells_source_state_progress_and_money() -> None:
    row = texts(run_row(RunLine(summary()), NOW).cells)
    for word in ("train", "stcray → caption @ gemini", "● running", "70.0 %", "$1.84", "4"):
        assert word in row


def test_rate_and_eta_are_shown_for_runs_at_work_only(make_view: MakeView) -> None:
    live = run_row(RunLine(summary(), make_view()), NOW)
    assert "4.98/s" in texts(live.cells) and "55m 12s" in texts(live.cells)
    ended = run_row(RunLine(summary(phase=Phase.DONE, engine=EngineState.NONE), make_view()), NOW)
    assert "4.98/s" not in texts(ended.cells)


def test_a_key_row_counts_down() -> None:
    key = KeyView(
        "b", "project-2", "cooling", "requests/min", NOW + 12, 6_082, 3, 29, Decimal("0.82"), 6, 840.0,
        (GaugeView("requests/min", 60, 60, resets_at=NOW + 4),),
    )  # fmt: skip
    row = texts(key_row(key, NOW).cells)
    for word in ("b", "project-2", "◔ cooling 0:12 requests/min", "rpm 60/60 free 0:04", "29", "3", "840 ms", "$0.82"):
        assert word in row
    assert "0:12" not in texts(key_row(key, NOW + 13).cells)


def test_a_key_without_a_limit_says_so() -> None:
    assert "no limit" in texts(key_row(KeyView("a", "a", "ok"), NOW).cells)


def test_a_slot_that_hangs_is_marked_by_more_than_colour() -> None:
    assert texts(slot_row(SlotView(1, "x", "a", 0.84)).cells).endswith("0.8s")
    assert texts(slot_row(SlotView(1, "x", "a", 45.0)).cells).endswith("! 45s")


def test_requests_in_flight_are_measured_by_few_and_stand_oldest_first() -> None:
    slots = [SlotView(n, f"{n:04}/x.jpg" + "y" * (n == 7), "main" + "e" * (n == 9), n / 10) for n in range(200)]
    rows = slot_rows(slots)
    assert isinstance(rows, RowsWhenDrawn)
    assert [row.id for row in rows] == list(rows.ids) == list(range(199, -1, -1))
    measured = rows.to_measure()
    assert len(measured) == 3 and widest(SLOT_COLUMNS, measured) == widest(SLOT_COLUMNS, list(rows))
    assert list(slot_rows([])) == []


def test_events_and_actions_with_the_same_number_are_different_rows() -> None:
    assert event_row(EventView(3, NOW, "info", "a")).id != event_row(EventView(3, NOW, "action", "a")).id


def test_rows_of_another_colour_are_not_the_same() -> None:
    one, other = event_row(EventView(3, NOW, "warning", "a")), event_row(EventView(3, NOW, "error", "a"))
    assert one.same_as(event_row(EventView(3, NOW, "warning", "a")))
    assert not one.same_as(other)


def test_totals_name_what_needs_a_person() -> None:
    lines = (
        RunLine(summary()),
        RunLine(summary(id=2, phase=Phase.AWAITING_APPROVAL)),
        RunLine(summary(id=3, engine=EngineState.LOST)),
    )
    assert runs_totals(SeenRuns(lines, NOW)).plain == "3 runs · 2 engines at work · 1 waiting · 1 lost · $5.52 spent"
    assert runs_totals(SeenRuns((), NOW)).plain == ""


def test_the_empty_list_says_what_to_do() -> None:
    for word in ("vqa-tui demo", "vqa-tui dataset import", "n"):
        assert word in runs_empty(typed).plain


def test_the_detail_of_a_lost_run_says_what_to_do() -> None:
    text = run_detail(RunLine(summary(engine=EngineState.LOST))).plain
    assert "press r to resume; the 2 in flight will be put back" in text


def test_leaving_tells_what_goes_on() -> None:
    words = farewell([RunLine(summary(name="my train"))], typed)
    assert "1 run goes on: my train" in words
    assert "vqa-tui run pause 'my train' --workspace /data" in words
    assert "No engine is at work" in farewell([RunLine(summary(engine=EngineState.NONE))], typed)


def test_leaving_names_the_trainings_that_go_on() -> None:
    words = farewell([], typed, trainings=["bags", "[b]boxes\x1b[31m (being evaluated)"])
    assert "2 trainings go on: bags, [b]boxes (being evaluated)" in words and "vqa-tui train list" in words


def test_leaving_names_every_run_that_goes_on_or_is_lost_and_what_was_not_written() -> None:
    lines = [RunLine(summary(name=f"r{number}")) for number in range(7)]
    lost = RunLine(summary(name="gone", engine=EngineState.LOST))
    words = farewell([*lines, lost], typed, ["pause of r1"])
    assert "7 runs go on: r0, r1, r2, r3, r4 and 2 more" in words
    assert "1 run lost the engine: gone" in words and "run resume gone" in words
    assert "Not done when this screen closed: pause of r1" in words
    assert "pause of r1" in short_farewell(typed, ["pause of r1"])


def test_keys_in_trouble_come_first_and_none_works_without_an_engine(make_view: MakeView) -> None:
    view = make_view()
    assert [row.id for row in key_rows(view, NOW)] == ["old", "b", "a"]
    ended = [texts(row.cells) for row in key_rows(replace(view, engine=EngineView(EngineState.NONE)), NOW)]
    assert "✖ off 401" in ended[0]
    assert all("cooling" not in row and "at rest" in row for row in ended[1:])


@pytest.mark.parametrize("reason", ["", "requests per minute, as the endpoint said in many words"])
def test_a_countdown_is_whole_at_eighty_columns(make_view: MakeView, reason: str) -> None:
    keys = tuple(KeyView(f"key-number-{n}", "project-number-1", "cooling", reason, NOW + 3_725) for n in range(2))
    rows = key_rows(make_view(keys=keys), NOW)
    placed = place(KEY_COLUMNS, widest(KEY_COLUMNS, rows), 74)
    shown = {KEY_COLUMNS[p.index].title: p.width for p in placed}
    assert "Quota" not in shown
    assert shown["State"] >= len("◔ cooling 1:02:05")


def test_a_plan_shows_tokens_cost_and_time() -> None:
    plan = RunPlan(30_044, 420.2, 258.0, 300.0, Decimal("0.000137"), Decimal("4.1161"), 6_100.0, ("it is much",))
    text = plan_text(plan).plain
    for word in (
        "30 044 pictures",
        "978",
        "prompt 420 + picture 258 + reply 300",
        "$4.12",
        "$0.000137",
        "1h 41m",
        "▲ it is much",
    ):
        assert word in text


def test_a_plan_without_prices_says_what_that_means() -> None:
    text = plan_text(RunPlan(10, 1.0, 1.0, 1.0, None, None, None, ())).plain
    assert "price unknown: a budget cannot be held" in text and "$" not in text


def test_an_export_shows_its_verdict_and_first_problems() -> None:
    result = ExportResult(
        9, 27, ("/out/a.jsonl",), "/out/a.jsonl.manifest.json", ("4 are missing",), False,
        ((True, "pictures open"), (False, "answers long enough")), ("a.jsonl, line 3: empty",), 12,
    )  # fmt: skip
    text = export_text(result).plain
    for word in (
        "✖ not valid",
        "27 pairs of 9 pictures",
        "/out/a.jsonl",
        "▲ 4 are missing",
        "✔ pictures open",
        "line 3",
    ):
        assert word in text
    assert "and 11 more problems" in text
    assert "✔ valid" in export_text(replace(result, ok=True)).plain


def test_help_can_be_narrowed_and_says_why_not() -> None:
    keys = [
        KeyHelp("This screen", "p", "pause", "Pause the run"),
        KeyHelp("This screen", "a", "approve", "Approve the pilot", "Nothing waits for approval."),
        KeyHelp("Everywhere", "q", "detach", "Leave"),
    ]
    everything = help_text(keys, "", 80).plain
    assert "not now: Nothing waits for approval." in everything
    assert everything.index("This screen") < everything.index("Everywhere")
    assert "Leave" not in help_text(keys, "pilot", 80).plain
    assert help_text(keys, "xyzzy", 80).plain == "no key matches"
