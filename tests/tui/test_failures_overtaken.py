"""Failures of two runs: what is read of one is not shown for the other, nor is trouble of one that of the other."""

import asyncio
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.tui.test_failures_screen import SERVERS, WIDE, opened, shown_items, to_failures
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.failure_cluster import FailureTable
from vqa_tui.tui.messages import ItemsWanted, RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.failures import FailuresScreen
from vqa_tui.tui.screens.items import ItemsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.mark.parametrize("back_on_top", [False, True])
async def test_the_pictures_of_a_cluster_are_not_shown_for_another_run(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, back_on_top: bool
) -> None:
    app = await opened(workshop, [DONE, *SERVERS])
    other = await workshop.run([BAD_REPLY], name="second")
    failures = workshop.services.failures
    read, asked, go_on = failures.task_ids, asyncio.Event(), asyncio.Event()

    async def read_slowly(ids: Sequence[int], *, tries: bool) -> "array[int]":
        asked.set()
        await go_on.wait()
        return await read(ids, tries=tries)

    async with app.run_test(size=WIDE) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        monkeypatch.setattr(failures, "task_ids", read_slowly)
        await pilot.press("i")
        await until(pilot, asked.is_set)
        app.post_message(RunPicked(other))
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.run_id == other)
        if back_on_top:
            await pilot.press("4")
            await until(pilot, lambda: isinstance(app.screen, FailuresScreen) and "no JSON" in screen_text(app))
        shown = app.screen
        go_on.set()
        await until(pilot, lambda: not screen.at_work("look"))
        await pilot.pause()
        assert app.screen is shown
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(shown_items(app)) == 8)


async def test_items_of_a_run_that_was_left_are_not_shown(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [DONE, *SERVERS])
    async with app.run_test(size=WIDE) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        app.post_message(ItemsWanted("", array("q", [1]), "of another run", screen.run_id + 1))
        app.post_message(ItemsWanted("", array("q", [2]), "of this run", screen.run_id))
        await until(pilot, lambda: "of this run" in screen_text(app))
        assert shown_items(app) == [2]


async def test_failures_are_gathered_though_those_of_another_run_could_not_be(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await opened(workshop, [DONE, *SERVERS])
    other = await workshop.run([BAD_REPLY], name="second")
    failures = workshop.services.failures
    read, asked = failures.table, []

    async def ungathered(run_id: int) -> FailureTable:
        return replace(await read(run_id), ungathered=0 if other in asked else 3)

    async def gather(run_id: int) -> int:
        asked.append(run_id)
        if run_id != other:
            raise VqaError("the workspace file is held by another program")
        return 0

    monkeypatch.setattr(failures, "table", ungathered)
    monkeypatch.setattr(failures, "gather_some", gather)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        first = screen.run_id
        await until(pilot, lambda: "held by another program" in " ".join(screen_text(app).split()))
        screen.reread_items()
        await until(pilot, lambda: not screen.at_work("table"))
        assert asked == [first], "what failed is not tried with every look"
        app.post_message(RunPicked(other))
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.run_id == other)
        await pilot.press("4")
        await until(pilot, lambda: asked == [first, other])
