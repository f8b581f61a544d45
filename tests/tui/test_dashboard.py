"""The dashboard in an app: what is seen, what keys do, and what they say when they cannot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, Select

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, EngineView, Phase, RunView
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]

ESSENTIAL = (
    "stcray-train", "● running", "engine 45m", "$1.84 of $10.00", "13 489 / 30 044", "44.9 %", "ETA 55m 12s",
    "4.98/s", "p50 812 ms", "p95 1.9 s", "in flight 14 of 16", "$0.000137/picture", "projected $4.11", "cap $10.00",
    "bad reply", "bad image", "rate limited  41", "cooling 0:", "58/60", "✖ off", "scan_13.jpg", "key b cools down",
    "why idle: 2 of 16 slots wait for key b", "p pause", "x stop", "? help",
)  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_everything_essential_is_on_one_screen(
    app: VqaApp, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "13 489" in screen_text(app) and "scan_13" in screen_text(app))
        shown = screen_text(app)
        assert [fact for fact in ESSENTIAL if fact not in shown] == []


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (120, 30), (200, 50), (300, 80)])
async def test_any_size_at_any_moment(app: VqaApp, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "13 489" in screen_text(app))
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: "running" in screen_text(app) and "4.98/s" in screen_text(app))


async def test_a_change_in_the_store_reaches_the_screen(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "● running" in screen_text(app))
        running.change(phase=Phase.PAUSED, phase_reason="budget of $10.00 reached, 41 requests drained")
        await until(pilot, lambda: "budget of $10.00 reached, 41 requests drained" in screen_text(app))


async def test_the_key_bar_of_a_paused_run_says_resume_once(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "p pause" in screen_text(app))
        running.change(phase=Phase.PAUSED)
        await until(pilot, lambda: "p resume" in screen_text(app))
        assert "r resume" not in screen_text(app)


async def test_pause_then_cancel_after_a_question_then_resume(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("p")
        await until(pilot, lambda: ("pause", 1, False) in running.wanted)
        running.change(phase=Phase.PAUSING)
        await until(pilot, lambda: seen(app).phase is Phase.PAUSING)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert ("pause", 1, True) not in running.wanted
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: ("pause", 1, True) in running.wanted)
        running.change(phase=Phase.PAUSED)
        await until(pilot, lambda: seen(app).phase is Phase.PAUSED)
        await pilot.press("p")
        await until(pilot, lambda: "press p again to resume" in screen_text(app))
        assert ("resume", 1) not in running.wanted
        await pilot.press("p")
        await until(pilot, lambda: ("resume", 1) in running.wanted)


async def test_stop_asks_and_the_safe_answer_has_the_focus(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("x")
        await until(pilot, lambda: "Stop the engine?" in screen_text(app))
        await until(pilot, lambda: "14 requests in flight" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert running.wanted == []
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: ("stop", 1) in running.wanted)


async def test_one_key_resumes_a_lost_engine(fake: Fake, make_lost: MakeView, until: Wait, screen_text: Text) -> None:
    services = fake(make_lost())
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "engine lost — press r to resume, 14 pictures will be put back" in screen_text(app))
        await pilot.press("r")
        await until(pilot, lambda: ("resume", 1) in services.wanted)


async def test_the_pilot_is_approved(fake: Fake, make_awaiting: MakeView, until: Wait, screen_text: Text) -> None:
    services = fake(make_awaiting())
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "all 30 044: $4.11" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: ("approve", 1) in services.wanted)


async def test_retry_asks_with_the_count(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("R")
        await until(pilot, lambda: "13 failed pictures" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: ("retry_failed", 1) in running.wanted)


async def test_quick_presses_of_workers_add_up(app: VqaApp, running: Fake, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("plus", "plus", "plus", "minus")
        await until(pilot, lambda: ("set_limits", 1, {"concurrency": "18"}) in running.wanted[-1:])


async def test_the_budget_is_checked_inside_the_dialog(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        app.screen.query_one(Input).value = "twelve"
        await pilot.press("enter")
        await until(pilot, lambda: "is not an amount of dollars" in screen_text(app))
        app.screen.query_one(Input).value = "$12.50"
        await pilot.press("enter")
        await until(pilot, lambda: ("set_limits", 1, {"budget": "12.50"}) in running.wanted)


async def test_a_grey_key_says_why(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("a")
        await until(pilot, lambda: "Nothing waits for approval." in screen_text(app))
        assert running.wanted == []


async def test_a_refusal_of_an_operation_is_told_in_words(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    running.refusal = VqaError("an engine is [/nope] already at work", hint="Wait for it.")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("p")
        await until(pilot, lambda: "an engine is [/nope] already at work" in screen_text(app))
        assert "Traceback" not in screen_text(app)


async def test_an_unexpected_error_is_told_and_the_app_lives(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(run_id: int) -> None:
        raise RuntimeError("disk on [red]fire")

    monkeypatch.setattr(running, "stop", broken)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "unexpected RuntimeError: disk on [red]fire" in screen_text(app))


async def test_modes_and_the_way_back(app: VqaApp, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        for key, screen in (
            ("i", ItemsScreen), ("escape", DashboardScreen), ("escape", RunsScreen), ("2", DashboardScreen),
            ("3", ItemsScreen), ("1", RunsScreen),
        ):  # fmt: skip
            await pilot.press(key)
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))


async def test_shift_f_opens_the_failed_items(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("F")
        await until(pilot, lambda: "[status:failed" in screen_text(app) and "1 of 100" in screen_text(app))


async def test_a_slot_opens_its_item(app: VqaApp, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app) and app.screen.query_one("#slots", LiveTable).rows)
        app.screen.query_one("#slots").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen))


async def test_help_is_made_from_the_bindings(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "Pause or resume" in screen_text(app))
        await until(pilot, lambda: "not now: Nothing waits for approval." in screen_text(app))
        await pilot.press("b", "u", "d", "g", "e", "t")
        await until(pilot, lambda: "Pause or resume" not in screen_text(app))
        await until(pilot, lambda: "Change the most that this run may spend" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_runs_the_screens_actions(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, key: str
) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press(key)
        await until(pilot, lambda: "Pause (p)" in screen_text(app))
        await pilot.press(*"pause")
        await until(pilot, lambda: "Pause (p)" in screen_text(app) and "Export (e)" not in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: ("pause", 1, False) in running.wanted)


async def test_ctrl_c_stops_nothing(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "Ctrl+C stops nothing here" in screen_text(app))
        assert running.wanted == []


async def test_q_leaves_and_says_what_goes_on(
    app: VqaApp, running: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.tui.app._LEAVE_WITHIN_S", 60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
        assert "1 run goes on: stcray-train" in str(app._exit_renderables[0])
        assert running.wanted == []


async def test_capital_q_stops_after_a_question_and_leaves(app: VqaApp, running: Fake, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: app._exit)
        assert ("stop", 1) in running.wanted


async def test_coming_to_rest_is_told(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        running.change(engine=replace(EngineView(), state=EngineState.LOST))
        await until(pilot, lambda: "The engine of stcray-train is lost" in screen_text(app))


async def test_an_export_shows_the_verdict(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("e")
        await until(pilot, lambda: "stcray-train.qwen.jsonl" in screen_text(app))
        app.screen.query_one("#split", Input).value = "0.9/0.2"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "0.9/0.2 is not a split" in screen_text(app))
        app.screen.query_one("#split", Input).value = "0.9/0.1"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "✖ not valid" in screen_text(app))
        assert ("export", "qwen", "stcray-train.qwen.jsonl", (0.9, 0.1), False, "not-rejected") in running.wanted
        await until(pilot, lambda: "and 11 more problems" in screen_text(app))
        app.screen.query_one("#grouped", Select).value = "together"
        app.screen.query_one("#split", Input).value = ""
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: ("export", "qwen", "stcray-train.qwen.jsonl", None, True, "not-rejected") in running.wanted
        )
        app.screen.query_one("#format", Select).value = "flat"
        await until(pilot, lambda: app.screen.query_one("#grouped", Select).disabled)
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: ("export", "flat", "stcray-train.flat.json", None, False, "not-rejected") in running.wanted
        )
        assert running.export_wishes == ("in-place", None, False, None, None, "")


async def test_an_export_takes_further_wishes(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: seen(app))
        await pilot.press("e")
        await until(pilot, lambda: "stcray-train.qwen.jsonl" in screen_text(app))
        app.screen.query_one("#split", Input).value = "0.9/0.1"
        app.screen.query_one("#drawing", Select).value = "labels"
        app.screen.query_one("#pictures", Select).value = "copy"
        app.screen.query_one("#most-pairs", Input).value = "two"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "is no number of pairs" in screen_text(app))
        app.screen.query_one("#most-pairs", Input).value = "2"
        app.screen.query_one("#seed", Input).value = "-7"
        app.screen.query_one("#shard-size", Input).value = "500"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "is no seed" in screen_text(app))
        app.screen.query_one("#seed", Input).value = "7"
        app.screen.query_one("#answer-types", Input).value = "yes/no=0.5"
        shown = app.screen.query_one("#shard-size", Input).region
        assert shown.width >= 12 and shown.right < 80 and app.screen.query_one("#write").region.bottom <= 24
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "✖ not valid" in screen_text(app))
        assert running.export_wishes == ("copy", 2, True, 500, 7, "yes/no=0.5")
        app.screen.query_one("#format", Select).value = "inline"
        await until(pilot, lambda: app.screen.query_one("#pictures", Select).disabled)
        assert app.screen.query_one("#pictures", Select).value == "in-place"


def seen(app: VqaApp) -> Any:
    """The view on the dashboard, or nothing."""
    screen = app.screen
    return screen.view if isinstance(screen, DashboardScreen) else None
