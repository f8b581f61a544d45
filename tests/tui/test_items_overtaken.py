"""The inspector beside the items shows nothing that the list does not have any more, however late it was read."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.test_items_screen import show_items
from vqa_tui.domain.run import RunView
from vqa_tui.domain.task import TaskDetail
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.items import ItemsScreen

Wait = Callable[..., Any]
Fake = Any


class SlowDetails:
    """Lets the details of one run wait until they may come."""

    def __init__(self, services: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting, self.go_on = asyncio.Event(), asyncio.Event()
        self._read = services.task_detail
        monkeypatch.setattr(services, "task_detail", self._read_slowly)

    async def _read_slowly(self, run_id: int, task_id: int) -> TaskDetail:
        if run_id == 1:
            self.waiting.set()
            await self.go_on.wait()
        detail: TaskDetail = await self._read(run_id, task_id)
        return detail


@pytest.fixture
def two_runs(fake: Fake, make_view: Callable[..., RunView]) -> Fake:
    return fake(make_view(name="first"), make_view(id=2, name="second"), tasks=5)


async def reading_the_next(
    app: VqaApp, pilot: Pilot[None], until: Wait, runs: Fake, monkeypatch: pytest.MonkeyPatch
) -> tuple[ItemsScreen, SlowDetails]:
    """Show the items with one of them in the inspector, and begin to read the next, which takes long."""
    await show_items(app, pilot, until)
    items = app.screen
    assert isinstance(items, ItemsScreen)
    await until(pilot, lambda: items.inspector.detail is not None)
    slow = SlowDetails(runs, monkeypatch)
    await pilot.press("j")
    await until(pilot, slow.waiting.is_set)
    return items, slow


async def test_no_item_is_shown_beside_a_list_that_has_none(
    two_runs: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = VqaApp(two_runs, open_run=1)
    async with app.run_test(size=(160, 40)) as pilot:
        items, slow = await reading_the_next(app, pilot, until, two_runs, monkeypatch)
        items.show_filtered("nothing-has-this-in-its-name")
        await until(pilot, lambda: items.tasks.current is None and items.inspector.detail is None)
        slow.go_on.set()
        await until(pilot, lambda: not items.at_work("inspect"))
        assert items.inspector.detail is None and items.why_not("yank") is not None


async def test_no_item_of_another_run_is_shown(two_runs: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    app = VqaApp(two_runs, open_run=1)
    async with app.run_test(size=(160, 40)) as pilot:
        items, slow = await reading_the_next(app, pilot, until, two_runs, monkeypatch)
        shown: list[int] = []

        def show(detail: TaskDetail, *, asked: bool) -> bool:
            shown.append(detail.row.id)
            return False

        monkeypatch.setattr(items.inspector, "show", show)
        app.post_message(RunPicked(2))
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.run_id == 2)
        slow.go_on.set()
        await until(pilot, lambda: not items.at_work("inspect"))
        assert shown == []
