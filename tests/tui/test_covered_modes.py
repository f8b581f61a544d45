"""What was opened over a mode never shows itself for another run than it was opened for."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import ItemsWanted, RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.failures import FailuresScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.fixture
def two_runs(fake: Any, make_view: Any) -> VqaApp:
    """The app on the dashboard of run 1, with a run 2 below it in the list."""
    return VqaApp(fake(make_view(name="first"), make_view(id=2, name="second")), open_run=1)


async def open_item(pilot: Pilot[None], until: Wait) -> ItemScreen:
    app = pilot.app
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ItemScreen))
    assert isinstance(app.screen, ItemScreen)
    return app.screen


async def open_second(pilot: Pilot[None], until: Wait, screen_text: Text) -> None:
    app = pilot.app
    await pilot.press("1")
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and "second" in screen_text(app))
    await pilot.press("j", "enter")
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.run_id == 2)


async def test_an_item_makes_way_for_the_items_of_another_run(two_runs: VqaApp, until: Wait, screen_text: Text) -> None:
    async with two_runs.run_test(size=(100, 30)) as pilot:
        await open_item(pilot, until)
        await open_second(pilot, until, screen_text)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(two_runs.screen, ItemsScreen))
        await until(pilot, lambda: "second" in screen_text(two_runs))


async def test_an_item_over_the_dashboard_makes_way_for_another_run(
    two_runs: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with two_runs.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: isinstance(two_runs.screen, DashboardScreen) and two_runs.screen.seen is not None)
        two_runs.screen.query_one("#slots").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(two_runs.screen, ItemScreen))
        await open_second(pilot, until, screen_text)


async def test_an_item_stays_about_its_own_run(two_runs: VqaApp, until: Wait, screen_text: Text) -> None:
    async with two_runs.run_test(size=(100, 30)) as pilot:
        item = await open_item(pilot, until)
        await until(pilot, lambda: item.seen is not None)
        two_runs.watch_over.follow_run(2)
        await until(pilot, lambda: two_runs.watch_over.last_run is not None)
        assert item.run_id == 1
        assert item.seen is not None and item.seen.view.id == 1


@pytest.mark.parametrize(("keys", "words"), [("i", "Items"), ("F", "status:failed")])
async def test_items_are_shown_where_one_lay_open(
    two_runs: VqaApp, until: Wait, screen_text: Text, keys: str, words: str
) -> None:
    async with two_runs.run_test(size=(100, 30)) as pilot:
        await open_item(pilot, until)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(two_runs.screen, DashboardScreen) and two_runs.screen.seen is not None)
        await pilot.press(keys)
        await until(pilot, lambda: isinstance(two_runs.screen, ItemsScreen) and words in screen_text(two_runs))


async def test_a_cluster_is_shown_where_an_item_lay_open(two_runs: VqaApp, until: Wait, screen_text: Text) -> None:
    from array import array

    async with two_runs.run_test(size=(100, 30)) as pilot:
        await open_item(pilot, until)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(two_runs.screen, FailuresScreen))
        two_runs.screen.post_message(ItemsWanted("", array("q", [3, 4]), "no JSON"))
        await until(pilot, lambda: isinstance(two_runs.screen, ItemsScreen) and "no JSON" in screen_text(two_runs))
        assert isinstance(two_runs.screen, ItemsScreen) and list(two_runs.screen.tasks.ids) == [3, 4]


async def test_what_lies_over_the_dashboard_makes_way_for_the_run_that_is_picked(
    two_runs: VqaApp, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_screen: Any) -> None:
        return

    monkeypatch.setattr(DatasetsScreen, "_read", nothing)
    async with two_runs.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(two_runs.screen, DashboardScreen))
        two_runs.action_open("datasets")
        await until(pilot, lambda: isinstance(two_runs.screen, DatasetsScreen))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(two_runs.screen, RunsScreen))
        two_runs.screen.post_message(RunPicked(1))
        await until(pilot, lambda: isinstance(two_runs.screen, DashboardScreen))
