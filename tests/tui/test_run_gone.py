"""The run on screen is deleted: that is said, and nothing is shown as if it were there."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import RunGone, VqaError
from vqa_tui.operations import run_edits
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.widgets.trouble_line import TroubleLine

Wait = Callable[..., Any]
Text = Callable[[Any], str]
MODES = {"2": "Dashboard", "3": "Items", "4": "Failures", "5": "Review"}
SAID = "The run first was deleted"


async def open_mode(app: VqaApp, pilot: Any, until: Wait, key: str) -> None:
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press(key)
    await until(pilot, lambda: type(app.screen).__name__ == f"{MODES[key]}Screen")


async def a_run(workshop: Workshop) -> int:
    await workshop.dataset(4)
    return await workshop.run([DONE, BAD_REPLY])


@pytest.mark.parametrize("mode", MODES)
async def test_every_mode_goes_to_the_list_when_another_program_deletes_the_run(
    workshop: Workshop, until: Wait, screen_text: Text, mode: str
) -> None:
    run_id = await a_run(workshop)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await open_mode(app, pilot, until, mode)
        await run_edits.delete_run(workshop.workspace, run_id)
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and SAID in screen_text(app))
        assert "unexpected" not in screen_text(app)
        await pilot.press(mode)
        await until(pilot, lambda: "There is no run yet" in screen_text(app))


async def test_an_item_and_a_question_over_it_go_with_their_run(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    run_id = await a_run(workshop)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_mode(app, pilot, until, "3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen))
        app.push_screen(Question("Sure?", "About this item.", yes="Yes"))
        await until(pilot, lambda: isinstance(app.screen, Question) and app.focused is not None)
        await run_edits.delete_run(workshop.workspace, run_id)
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and SAID in screen_text(app))


async def test_what_is_no_part_of_the_run_stays_until_it_is_left(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    run_id = await a_run(workshop)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await open_mode(app, pilot, until, "2")
        app.action_open("datasets")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
        await run_edits.delete_run(workshop.workspace, run_id)
        await until(pilot, lambda: SAID in screen_text(app))
        assert isinstance(app.screen, DatasetsScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_a_screen_about_a_run_that_this_app_deleted_says_so(app: VqaApp, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.seen is not None)
        dashboard = app.screen
        assert isinstance(dashboard, RunScreen)
        app.watch_over.forget_run(1)
        with pytest.raises(RunGone, match="this run was deleted"):
            _ = dashboard.run_id
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


@pytest.mark.parametrize("mode", ["3", "4", "5"])
@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_what_is_old_is_said_for_as_long_as_it_lasts(
    workshop: Workshop,
    until: Wait,
    screen_text: Text,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    size: tuple[int, int],
) -> None:
    run_id = await a_run(workshop)
    app = VqaApp(workshop.services, open_run=run_id)

    def gone() -> None:
        raise VqaError("the file is gone [/nope]")

    async with app.run_test(size=size) as pilot:
        await open_mode(app, pilot, until, mode)
        with monkeypatch.context() as patch:
            patch.setattr(workshop.services, "require_workspace", gone)
            await until(pilot, lambda: "✖ cannot read the workspace: the file is gone [/nope]" in screen_text(app))
        await until(pilot, lambda: not app.screen.query_one(TroubleLine).display)
