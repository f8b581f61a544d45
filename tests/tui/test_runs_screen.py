"""The list of runs and the new-run dialog."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from textual.widgets import Input, Select

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.new_run import NewRunDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.services import Choices
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_an_empty_workspace_says_what_to_do(
    fake: Fake, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(fake())
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        for word in ("vqa-tui demo", "vqa-tui dataset import", "n new run"):
            assert word in screen_text(app)
        await pilot.press("2")
        await until(pilot, lambda: "There is no run yet" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_list_tells_state_progress_and_cost(
    fake: Fake, make_view: MakeView, make_lost: MakeView, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(fake(make_view(), make_lost(id=2, name="broken-one")))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "broken-one" in screen_text(app) and "ETA 55m 12s" in screen_text(app))
        shown = screen_text(app)
        for word in ("● running", "✖ engine lost", "44.9 %", "$1.84", "stcray → stcray @ gemini", "2 runs", "1 lost"):
            assert word in shown


async def test_enter_opens_the_run_under_the_cursor(fake: Fake, make_view: MakeView, until: Wait) -> None:
    app = VqaApp(fake(make_view(), make_view(id=2, name="second")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(LiveTable).rows)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.view is not None)
        assert isinstance(app.screen, DashboardScreen) and app.screen.view and app.screen.view.name == "second"


async def test_the_cursor_stays_on_its_run_when_a_new_one_comes(fake: Fake, make_view: MakeView, until: Wait) -> None:
    services = fake(make_view(id=2, name="b"), make_view(id=1, name="a"))
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(LiveTable).rows)
        await pilot.press("j")
        table = app.screen.query_one(LiveTable)
        assert table.cursor_id == 1
        services.views = {3: make_view(id=3, name="c"), **services.views}
        services.version += 1
        await until(pilot, lambda: len(table.rows) == 3)
        assert table.cursor_id == 1


async def test_a_click_picks_a_row(fake: Fake, make_view: MakeView, until: Wait) -> None:
    app = VqaApp(fake(make_view(id=2, name="b"), make_view(id=1, name="a")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(LiveTable).rows)
        await pilot.click("#runs", offset=(10, 3))
        assert app.screen.query_one(LiveTable).cursor_id == 1
        await pilot.click("#runs", offset=(10, 3), times=2)
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_a_new_run_is_planned_live_and_started(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "choose a recipe" in screen_text(app))
        choose(app, "recipe", "caption")
        choose(app, "endpoint", "gemini")
        await until(pilot, lambda: "≈ $4.12   $0.000137 a picture" in screen_text(app))
        app.screen.query_one("#limit", Input).value = "500"
        app.screen.query_one("#budget", Input).value = "2.50"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.view is not None)
        wanted = RunRequest("stcray", "caption", "gemini", None, 500, 10, Decimal("2.50"), None)
        assert services.wanted[:2] == [("create", wanted), ("start_engine", 7)]
        assert isinstance(app.screen, DashboardScreen) and app.screen.view and app.screen.view.name == "new-run"


async def test_an_engine_that_does_not_start_leaves_the_run_to_be_resumed(
    fake: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake()

    async def refuse(run_id: int) -> None:
        raise VqaError("the engine did not start (exit 2)", hint="no key in GEMINI_API_KEY")

    monkeypatch.setattr(services, "start_engine", refuse)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "choose a recipe" in screen_text(app))
        choose(app, "recipe", "caption")
        choose(app, "endpoint", "gemini")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await until(pilot, lambda: "no key in GEMINI_API_KEY" in screen_text(app))
        assert [wanted[0] for wanted in services.wanted] == ["create"]


async def test_mistakes_are_told_inside_the_dialog(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "choose a recipe" in screen_text(app))
        choose(app, "recipe", "caption")
        choose(app, "endpoint", "gemini")
        app.screen.query_one("#pilot", Input).value = "few"
        await until(pilot, lambda: "pilot: 'few' is not a whole number" in screen_text(app))
        app.screen.query_one("#pilot", Input).value = "5"
        await until(pilot, lambda: "30 044 pictures" in screen_text(app))
        services.refusal = VqaError("the endpoint gemini states no [/] prices", hint="Start without a budget.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "states no [/] prices" in screen_text(app))
        assert isinstance(app.screen, NewRunDialog)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert services.wanted == []


async def test_an_unknown_price_is_said_in_the_plan(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    services.plan_answer = replace(services.plan_answer, cost_per_item=None, cost_total=None)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "choose a recipe" in screen_text(app))
        choose(app, "recipe", "caption")
        choose(app, "endpoint", "gemini")
        await until(pilot, lambda: "price unknown: a budget cannot be held" in screen_text(app))


async def test_without_a_dataset_the_dialog_says_how_to_import_one(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    services.offered = Choices((), services.offered.recipes, services.offered.endpoints)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No run yet" in screen_text(app))
        await pilot.press("n")
        await until(
            pilot,
            lambda: "There is no dataset yet" in screen_text(app) and "dataset import folder PATH" in screen_text(app),
        )


def choose(app: VqaApp, field: str, value: str) -> None:
    app.screen.query_one(f"#{field}", Select).value = value
