"""The list of runs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.workshop import Workshop
from vqa_tui.domain.run import RunView
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.runs import RunsScreen
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
        await until(
            pilot,
            lambda: all(word in screen_text(app) for word in ("vqa-tui demo", "vqa-tui dataset import", "n new run")),
        )
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


async def test_in_a_low_terminal_the_list_keeps_its_rows(
    fake: Fake, make_view: MakeView, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(fake(make_view(), make_view(id=2, name="second")))
    async with app.run_test(size=(40, 10)) as pilot:
        await until(pilot, lambda: "second" in screen_text(app) and "State" in screen_text(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "stcray → stcray @ gemini" in screen_text(app) and "second" in screen_text(app))


async def test_keys_begin_where_there_is_no_run(
    fake: Fake, make_view: MakeView, until: Wait, screen_text: Text
) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "d demo  i import" in screen_text(app))
        assert "⏎" not in screen_text(app) and {"enter", "space"}.isdisjoint(app.screen.active_bindings)
        services.views = {1: make_view()}
        services.version += 1
        await until(pilot, lambda: "⏎ open" in screen_text(app))
        assert {"d", "i"}.isdisjoint(app.screen.active_bindings)
        services.views = {}
        services.version += 1
        await until(pilot, lambda: "d demo  i import" in screen_text(app) and "⏎" not in screen_text(app))
        services.views = {1: make_view()}
        await pilot.press("d")
        await until(pilot, lambda: ("start_demo",) in services.wanted)
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


@pytest.mark.parametrize("by_palette", [False, True])
async def test_pictures_are_imported_from_the_list_of_runs(workshop: Workshop, until: Wait, by_palette: bool) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "i" in app.screen.active_bindings)
        if by_palette:
            (command,) = (each for each in app.get_system_commands(app.screen) if each.title == "Import pictures")
            command.callback()
        else:
            await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
