"""The one poller: cheap when nothing moves, never twice at once, and it outlives a failed read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from textual.app import App

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.watch import Watch

MakeView = Callable[..., RunView]


class Clock:
    """Time as the test sets it."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def host() -> AsyncIterator[App[None]]:
    app: App[None] = App()
    async with app.run_test():
        yield app


async def test_nothing_is_read_while_nothing_moves(host: App[None], running: Any, clock: Clock) -> None:
    reads = counted(running)
    watch = Watch(host, running, now=clock)
    watch.follow_run(1)
    for _ in range(4):
        await watch.look()
    assert reads == [1]
    running.version += 1
    await watch.look()
    assert len(reads) == 2
    watch.look_now()
    await watch.look()
    assert len(reads) == 3


async def test_ages_go_on_although_nobody_writes(host: App[None], running: Any, clock: Clock) -> None:
    reads, sights = counted(running), list[SeenRun]()
    watch = Watch(host, running, now=clock)
    watch.run_seen.subscribe(host, sights.append, immediate=True)
    watch.follow_run(1)
    await watch.look()
    clock.now += 1.0
    await watch.look()
    assert len(reads) == 2
    assert [sight.at for sight in sights] == [1_000.0, 1_001.0]


async def test_a_slow_read_is_never_overtaken_by_another(host: App[None], running: Any) -> None:
    reads, release, busy, most = 0, asyncio.Event(), 0, 0

    async def slow(run_id: int) -> RunView:
        nonlocal reads, busy, most
        reads, busy = reads + 1, busy + 1
        most = max(most, busy)
        await release.wait()
        busy -= 1
        view: RunView = running.views[1]
        return view

    running.run_view = slow
    watch = Watch(host, running)
    watch.follow_run(1)
    looking = asyncio.create_task(watch.keep_looking())
    for _ in range(20):
        watch.look_now()
        await asyncio.sleep(0)
    release.set()
    while reads < 2:
        watch.look_now()
        await asyncio.sleep(0)
    looking.cancel()
    assert most == 1


async def test_a_view_of_a_run_that_is_no_longer_followed_is_dropped(host: App[None], running: Any) -> None:
    sights = list[SeenRun]()
    watch = Watch(host, running)
    watch.run_seen.subscribe(host, sights.append, immediate=True)
    watch.follow_run(1)

    async def late(run_id: int) -> RunView:
        watch.follow_run(2)
        view: RunView = running.views[1]
        return view

    running.run_view = late
    await watch.look()
    assert sights == [] and watch.last_run is None


async def test_what_is_followed_during_a_look_is_read_by_the_next(host: App[None], running: Any, clock: Clock) -> None:
    watch = Watch(host, running, now=clock)
    watch.follow_run(1)
    read_view, others = running.run_view, list[int]()

    async def slow(run_id: int) -> RunView:
        others.append(run_id)
        if run_id == 1:
            watch.follow_run(2)
        found: RunView = await read_view(run_id)
        return found

    running.run_view = slow
    await watch.look()
    await watch.look()
    assert others == [1, 2]


async def test_trouble_is_told_once_and_reading_goes_on(host: App[None], running: Any) -> None:
    told, sights = list[str](), list[SeenRun]()
    fail = [VqaError("the disk is full"), VqaError("the disk is full"), RuntimeError("odd")]
    good = running.run_view

    async def shaky(run_id: int) -> RunView:
        if fail:
            raise fail.pop(0)
        view: RunView = await good(run_id)
        return view

    running.run_view = shaky
    watch = Watch(host, running)
    watch.trouble.subscribe(host, told.append, immediate=True)
    watch.run_seen.subscribe(host, sights.append, immediate=True)
    watch.follow_run(1)
    looking = asyncio.create_task(watch.keep_looking())
    while not sights:
        watch.look_now()
        await asyncio.sleep(0)
    looking.cancel()
    assert told == ["the disk is full", "RuntimeError: odd", ""]


def counted(running: Any) -> list[int]:
    """Count the reads of a view."""
    reads: list[int] = []
    good = running.run_view

    async def read(run_id: int) -> RunView:
        reads.append(run_id)
        view: RunView = await good(run_id)
        return view

    running.run_view = read
    return reads
