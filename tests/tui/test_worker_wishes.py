"""Presses of + and - add up for the run on screen, are written, and are forgotten when that fails."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.worker_wishes import WorkerWishes

Wait = Callable[..., Any]
MakeView = Callable[..., RunView]


def allowing(view: RunView, workers: int) -> RunView:
    return replace(view, limits=view.limits.model_copy(update={"concurrency": workers}))


def test_a_wish_counts_until_a_later_sight_shows_the_run(make_view: MakeView) -> None:
    wishes, view = WorkerWishes(), allowing(make_view(), 16)
    assert wishes.add(view, 1)
    assert not wishes.add(view, 1)
    assert wishes.next_to_write(1, 10.0) == 18
    wishes.seen(view, 11.0)
    assert not wishes.add(view, 1)
    assert [wishes.next_to_write(1, 12.0), wishes.next_to_write(1, 12.0)] == [19, None]
    wishes.seen(view, 11.5)
    assert wishes.add(view, 1)
    assert [wishes.next_to_write(1, 13.0), wishes.next_to_write(1, 13.0)] == [20, None]
    wishes.seen(allowing(view, 40), 14.0)
    assert wishes.add(allowing(view, 40), 1)
    assert wishes.next_to_write(1, 15.0) == 41


def on_run(app: VqaApp, run_id: int) -> bool:
    screen = app.screen
    return isinstance(screen, DashboardScreen) and screen.seen is not None and screen.seen.view.id == run_id


def limits_set(services: Any) -> list[tuple[int, str]]:
    return [(run_id, changes["concurrency"]) for what, run_id, changes in services.wanted if what == "set_limits"]


async def test_another_run_gets_no_workers_of_the_one_before(
    fake: Any, make_view: MakeView, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake(allowing(make_view(), 16), allowing(make_view(id=2, name="second"), 4))
    free, write = asyncio.Event(), services.set_limits

    async def slow_for_the_first(run_id: int, changes: Mapping[str, str]) -> Any:
        if run_id == 1:
            await free.wait()
        return await write(run_id, changes)

    monkeypatch.setattr(services, "set_limits", slow_for_the_first)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: on_run(app, 1))
        await pilot.press("plus", "plus")
        app.post_message(RunPicked(2))
        await until(pilot, lambda: on_run(app, 2))
        await pilot.press("plus")
        await until(pilot, lambda: limits_set(services) == [(2, "5")])
        free.set()
        await until(pilot, lambda: (1, "18") in limits_set(services))
        assert services.views[1].limits.concurrency == 18
        assert services.views[2].limits.concurrency == 5


async def test_no_press_is_lost_while_a_write_takes_long(
    fake: Any, make_view: MakeView, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake(allowing(make_view(), 16))
    free, begun, write = asyncio.Event(), asyncio.Event(), services.set_limits

    async def slow(run_id: int, changes: Mapping[str, str]) -> Any:
        begun.set()
        await free.wait()
        return await write(run_id, changes)

    monkeypatch.setattr(services, "set_limits", slow)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: on_run(app, 1))
        await pilot.press("plus")
        await until(pilot, begun.is_set)
        await pilot.press("plus", "plus")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        assert not services.wanted
        free.set()
        await until(pilot, lambda: services.views[1].limits.concurrency == 19)
        assert limits_set(services) == [(1, "17"), (1, "19")]


async def test_what_could_not_be_written_is_forgotten(
    fake: Any, make_view: MakeView, until: Wait, screen_text: Callable[[Any], str]
) -> None:
    services = fake(allowing(make_view(), 16))
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: on_run(app, 1))
        services.refusal = VqaError("the disk is full")
        await pilot.press("plus")
        await until(pilot, lambda: "the disk is full" in screen_text(app))
        services.refusal = None
        await pilot.press("plus")
        await until(pilot, lambda: limits_set(services) == [(1, "17")])
