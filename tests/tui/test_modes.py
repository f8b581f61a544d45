"""Every mode and every screen of the palette opens over a real workspace, and Esc leads back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.run import RunView
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.mark.parametrize(
    ("key", "name"),
    [("1", "Runs"), ("2", "Dashboard"), ("3", "Items"), ("4", "Failures"), ("5", "Review"), ("6", "Training")],
)
async def test_each_number_opens_its_mode(workshop: Workshop, until: Wait, key: str, name: str) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await pilot.press(key)
        await until(pilot, lambda: type(app.screen).__name__ == f"{name}Screen")


@pytest.mark.parametrize("name", ["datasets", "recipes", "endpoints", "settings"])
async def test_each_screen_of_the_palette_opens_and_closes(workshop: Workshop, until: Wait, name: str) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        before = app.screen
        app.action_open(name)
        await until(pilot, lambda: type(app.screen).__name__ == f"{name.capitalize()}Screen")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is before)


async def test_a_mode_that_is_wanted_before_the_runs_were_read_shows_the_newest(
    workshop: Workshop, until: Wait
) -> None:
    await workshop.dataset(4)
    await workshop.run([DONE], name="older")
    newest = await workshop.run([DONE], name="newer")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_mode("run")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert app.watch_over.run_id == newest


async def test_the_dashboard_says_that_it_took_the_newest_run_until_one_is_chosen(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    await workshop.run([DONE, DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("2")
        await until(pilot, lambda: "the newest run · 1 chooses another" in screen_text(app))
        await pilot.press("3", "2")
        await until(pilot, lambda: "the newest run · 1 chooses another" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.chosen is not None)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await until(pilot, lambda: "1 chooses another" in screen_text(app) and "newest" not in screen_text(app))


async def test_a_mode_come_back_to_shows_and_steers_what_the_run_became(
    app: VqaApp, running: Any, until: Wait, screen_text: Text
) -> None:
    """What another mode saw meanwhile counts for keys at once, and is drawn by the next look."""
    view = next(iter(running.views.values()))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.seen is not None)
        dashboard = app.screen
        assert isinstance(dashboard, DashboardScreen)
        await pilot.press("3")
        await until(pilot, lambda: app.screen is not dashboard)
        running.views[view.id] = replace(view, counts=replace(view.counts, done=23_456))
        running.version += 1
        await until(pilot, lambda: (last := app.watch_over.last_run) and last.view.counts.done == 23_456)
        held, read = asyncio.Event(), running.run_view

        async def held_up(run_id: int) -> RunView:
            await held.wait()
            found: RunView = await read(run_id)
            return found

        running.run_view = held_up
        await pilot.press("2")
        await until(pilot, lambda: app.screen is dashboard)
        assert dashboard.steered is not None and dashboard.steered.counts.done == 23_456
        held.set()
        await until(pilot, lambda: dashboard.seen is not None and dashboard.seen.view.counts.done == 23_456)
        await until(pilot, lambda: "471 / 40" in screen_text(app))
