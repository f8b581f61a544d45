"""A key that is pressed twice opens one dialog, and a question that comes late lies over no other screen."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.test_review_screen import opened as opened_review
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.failures import FailuresScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]


async def settle(pilot: Any) -> None:
    """Let every worker go as far as it gets without a person."""
    for _ in range(5):
        await pilot.pause()
        await asyncio.sleep(0)


@pytest.mark.parametrize("action", ["new_run", "clone", "rename", "delete", "retry_failed"])
async def test_a_key_of_the_list_pressed_twice_opens_one_dialog(workshop: Workshop, until: Wait, action: str) -> None:
    await workshop.dataset(4)
    await workshop.run([DONE, BAD_REPLY])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        runs = app.screen
        assert isinstance(runs, RunsScreen)
        await until(pilot, lambda: runs.chosen is not None)
        for _press in range(2):
            getattr(runs, f"action_{action}")()
        await until(pilot, lambda: not isinstance(app.screen, RunsScreen))
        await until(pilot, lambda: len([each for each in runs.workers if each.node is runs and each.is_running]) <= 1)
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize("action", ["stop", "retry_failed", "budget", "limits", "export"])
async def test_a_key_of_the_dashboard_pressed_twice_opens_one_dialog(app: VqaApp, until: Wait, action: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, DashboardScreen)
        await until(pilot, lambda: dashboard.seen is not None)
        for _press in range(2):
            getattr(dashboard, f"action_{action}")()
        await until(pilot, lambda: app.screen is not dashboard)
        await settle(pilot)
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize("action", ["note", "choose"])
async def test_a_key_of_the_review_pressed_twice_opens_one_dialog(workshop: Workshop, until: Wait, action: str) -> None:
    await workshop.dataset(4)
    app = VqaApp(workshop.services, open_run=await workshop.run([DONE, DONE]))
    async with app.run_test(size=(100, 30)) as pilot:
        review = await opened_review(app, pilot, until)
        for _press in range(2):
            getattr(review, f"action_{action}")()
        await until(pilot, lambda: app.screen is not review)
        await settle(pilot)
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize(("key", "mode"), [("3", ItemsScreen), ("f", FailuresScreen)], ids=["items", "failures"])
async def test_asking_again_pressed_twice_opens_one_dialog(
    workshop: Workshop, until: Wait, key: str, mode: type[ItemsScreen | FailuresScreen]
) -> None:
    await workshop.dataset(4)
    app = VqaApp(workshop.services, open_run=await workshop.run([BAD_REPLY, BAD_REPLY]))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, mode))
        screen = app.screen
        if isinstance(screen, ItemsScreen):
            await until(pilot, lambda: screen.tasks.current is not None)
            ask: Callable[[], Any] = screen.action_ask_again
        else:
            assert isinstance(screen, FailuresScreen)
            await until(pilot, lambda: screen.chosen)
            ask = screen._ask_again
        for _press in range(2):
            ask()
        await until(pilot, lambda: app.screen is not screen)
        await settle(pilot)
        assert len(app.screen_stack) == 2


async def test_asking_a_cluster_again_that_comes_late_lies_over_no_other_screen(
    workshop: Workshop, until: Wait, screen_text: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    app = VqaApp(workshop.services, open_run=await workshop.run([DONE, BAD_REPLY, BAD_REPLY]))
    begun, free = asyncio.Event(), asyncio.Event()
    task_ids = workshop.services.failures.task_ids

    async def slow(*which: Any, **more: Any) -> Any:
        begun.set()
        await free.wait()
        return await task_ids(*which, **more)

    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, FailuresScreen) and app.screen.chosen)
        monkeypatch.setattr(workshop.services.failures, "task_ids", slow)
        await pilot.press("S")
        await until(pilot, begun.is_set)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        free.set()
        await until(pilot, lambda: "Not asked any more, and nothing was done: Ask 2 pictures" in screen_text(app))
        assert isinstance(app.screen, ItemsScreen)


async def test_a_question_that_comes_late_lies_over_no_other_screen(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    begun, free, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    contents = workshop.services.run_edits.contents

    async def slow(of: int) -> Any:
        begun.set()
        await free.wait()
        ended.set()
        return await contents(of)

    monkeypatch.setattr(workshop.services.run_edits, "contents", slow)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        runs = app.screen
        assert isinstance(runs, RunsScreen)
        await until(pilot, lambda: runs.chosen is not None)
        await pilot.press("D")
        await until(pilot, begun.is_set)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        free.set()
        await until(pilot, ended.is_set)
        await until(pilot, lambda: not [each for each in app.workers if each.group == "edit-run" and each.is_running])
        assert isinstance(app.screen, ItemsScreen)
        assert [each.id for each in await workshop.services.summaries()] == [run_id]
