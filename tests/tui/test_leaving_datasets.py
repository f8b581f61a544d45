"""Leaving the datasets breaks nothing off that was asked for there, and a list that takes long to read arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.workshop import Workshop
from vqa_tui.operations.datasets import DatasetView, list_datasets
from vqa_tui.store import dataset_edits
from vqa_tui.store.db import Database
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]


def told(app: VqaApp) -> str:
    return " ".join(" ".join(toast.message.split()) for toast in app._notifications)


async def opened(app: VqaApp, pilot: "Pilot[None]", until: Wait) -> DatasetsScreen:
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.watch_over.last_runs is not None)
    app.action_open("datasets")
    await until(pilot, lambda: isinstance(app.screen, DatasetsScreen) and app.screen._version is not None)
    screen = app.screen
    assert isinstance(screen, DatasetsScreen)
    await until(pilot, lambda: screen.table.cursor_id == "bags")
    return screen


async def left(screen: DatasetsScreen, pilot: "Pilot[None]", until: Wait) -> None:
    """Leave the datasets, and wait until nothing is left of their screen."""
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen) and not screen.is_running)


async def test_a_deletion_goes_on_when_the_datasets_are_left(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    empty = dataset_edits.empty_dataset
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(db: Database, dataset_id: int) -> AsyncIterator[int]:
        begun.set()
        await may_go_on.wait()
        async for records in empty(db, dataset_id):
            yield records

    monkeypatch.setattr(dataset_edits, "empty_dataset", slowly)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, begun.is_set)
        await left(screen, pilot, until)
        (unwritten,) = app.watch_over.wishes.unwritten
        assert unwritten.startswith("deletion of bags")
        may_go_on.set()
        await until(pilot, lambda: "bags is deleted: the records of 4 pictures." in told(app))
        assert not await workshop.workspace.db.read("SELECT id FROM item") and app.is_running


async def test_a_new_name_is_written_though_the_datasets_are_left(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    rename = workshop.services.library.rename_dataset
    begun, may_write = asyncio.Event(), asyncio.Event()

    async def slowly(name: str, new: str) -> str:
        begun.set()
        await may_write.wait()
        return await rename(name, new)

    monkeypatch.setattr(workshop.services.library, "rename_dataset", slowly)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        app.screen.query_one(Input).value = "suitcases"
        await pilot.press("enter")
        await until(pilot, begun.is_set)
        await left(screen, pilot, until)
        may_write.set()
        await until(pilot, lambda: "bags is called suitcases now." in told(app))
        assert [view.name for view in await list_datasets(workshop.workspace)] == ["suitcases"] and app.is_running


async def test_a_look_that_takes_longer_than_their_interval_is_left_to_end(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    monkeypatch.setattr("vqa_tui.tui.screens.datasets._LOOK_S", 0.01)
    read = workshop.services.library.datasets
    begun, may_end = asyncio.Event(), asyncio.Event()
    broken_off: list[bool] = []
    looks: list[int] = []

    async def slowly() -> list[DatasetView]:
        begun.set()
        try:
            await may_end.wait()
        except asyncio.CancelledError:
            broken_off.append(True)
            raise
        return await read()

    async def another_version() -> int:
        looks.append(len(looks))
        return -1

    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot, until)
        monkeypatch.setattr(workshop.services.library, "datasets", slowly)
        monkeypatch.setattr(workshop.services, "data_version", another_version)
        await until(pilot, begun.is_set)
        before = len(looks)
        await until(pilot, lambda: len(looks) > before + 1)  # those of the watch, which looks far less often
        may_end.set()
        await until(pilot, lambda: screen._version == -1)
        assert not broken_off
