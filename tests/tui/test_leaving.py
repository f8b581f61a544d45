"""Leaving a screen takes back nothing that was asked for there: it is written, and the app tells what became of it."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.limits import LimitsDialog

Wait = Callable[..., Any]


def told(app: VqaApp) -> str:
    return " ".join(" ".join(toast.message.split()) for toast in app._notifications)


@contextmanager
def another_writes(workshop: Workshop) -> Iterator[None]:
    """Hold the workspace file as another program does."""
    holder = sqlite3.connect(workshop.workspace.paths.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


async def item_opened(app: VqaApp, pilot: "Pilot[None]", until: Wait) -> ItemScreen:
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ItemScreen) and app.screen.inspector.detail is not None)
    assert isinstance(app.screen, ItemScreen)
    return app.screen


async def left(item: ItemScreen, pilot: "Pilot[None]", until: Wait) -> None:
    """Leave the item, and wait until nothing is left of its screen."""
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, ItemsScreen) and not item.is_running)


@pytest.mark.parametrize("refused", [False, True])
async def test_a_pause_goes_on_when_the_item_is_left(
    app: VqaApp, running: Any, until: Wait, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    begun, free = asyncio.Event(), asyncio.Event()
    pause = running.pause

    async def waiting(run_id: int, *, cancel_in_flight: bool = False) -> None:
        begun.set()
        await free.wait()
        if refused:
            raise VqaError("the file is full")
        await pause(run_id, cancel_in_flight=cancel_in_flight)

    monkeypatch.setattr(running, "pause", waiting)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        item = await item_opened(app, pilot, until)
        await pilot.press("p")
        await until(pilot, begun.is_set)
        await left(item, pilot, until)
        assert app.watch_over.wishes.unwritten == ("pause of stcray-train",)
        free.set()
        if refused:
            await until(pilot, lambda: "the file is full" in told(app))
        else:
            await until(pilot, lambda: ("pause", 1, False) in running.wanted)
        await until(pilot, lambda: not app.watch_over.wishes.unwritten)
        assert app.is_running


@pytest.mark.parametrize(
    ("keys", "words", "status"),
    [
        (("R",), "u takes it back", "pending"),
        (("R", "u"), "1 of 1 taken back", "failed"),
        (("d",), "u takes it back", "skipped"),
    ],
)
async def test_an_edit_goes_on_when_the_item_is_left(
    workshop: Workshop, until: Wait, keys: tuple[str, ...], words: str, status: str
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([BAD_REPLY, DONE])

    async def now() -> str:
        return (await workshop.services.task_rows(run_id, [1]))[1].status.value

    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        item = await item_opened(app, pilot, until)
        for key in keys[:-1]:
            await pilot.press(key)
            await until(pilot, lambda: not item.at_work("edit", "undo") and told(app))
        before = await now()
        with another_writes(workshop):
            await pilot.press(keys[-1])
            await until(pilot, lambda: app.watch_over.wishes.unwritten)
            await left(item, pilot, until)
            assert await now() == before
        await until(pilot, lambda: not app.watch_over.wishes.unwritten)
        assert await now() == status
        await until(pilot, lambda: words in told(app))


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("turns", [0, 8, 11, 14, 100])
async def test_a_limit_is_set_though_its_dialog_is_left(
    app: VqaApp, running: Any, until: Wait, monkeypatch: pytest.MonkeyPatch, refused: bool, turns: int
) -> None:
    """Its widgets go some `turns` of the loop before the dialog itself."""
    begun, free = asyncio.Event(), asyncio.Event()
    set_limits = running.set_limits

    async def waiting(run_id: int, changes: dict[str, str]) -> object:
        begun.set()
        await free.wait()
        if refused:
            raise VqaError("16 is too many")
        return await set_limits(run_id, changes)

    monkeypatch.setattr(running, "set_limits", waiting)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.seen is not None)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitsDialog) and app.screen._limits)
        dialog = app.screen
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("7", "enter")
        await until(pilot, begun.is_set)
        await pilot.press("escape")
        dialog.dismiss(None)
        for _ in range(turns):
            await asyncio.sleep(0)
        free.set()
        words = "16 is too many" if refused else "The new budget is written"
        await until(pilot, lambda: words in told(app))
        assert refused or ("set_limits", 1, {"budget": "7"}) in running.wanted
