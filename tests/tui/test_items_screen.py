"""The items screen: a virtual list, a filter, marks, the inspector."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView, SlotView, TaskStatus
from vqa_tui.domain.task import TaskDetail, TaskFilter, TaskRow
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.task_list import TaskList

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


async def show_items(app: VqaApp, pilot: Any, until: Wait) -> TaskList:
    """Go to the items and wait until the first rows were read."""
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(tasks(app).ids) > 0)
    await until(pilot, lambda: tasks(app).row(1) is not None)
    return tasks(app)


def tasks(app: VqaApp) -> TaskList:
    return app.screen.query_one(TaskList)


async def test_a_million_items_open_with_a_page_of_rows(
    fake: Fake, make_view: MakeView, until: Wait, screen_text: Text
) -> None:
    services = fake(make_view(), tasks=1_000_000)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await until(pilot, lambda: "BOP" in screen_text(app) or "scan_1.jpg" in screen_text(app))
        await until(pilot, lambda: "1 of 1 000 000" in screen_text(app))
        await pilot.press("G")
        await until(pilot, lambda: "1 000 000 of 1 000 000" in screen_text(app) and "_1000000.jpg" in screen_text(app))
        assert services.rows_read < 500
        await pilot.press("g")
        await until(pilot, lambda: "scan_1.jpg" in screen_text(app))


async def test_moving_by_row_and_page(app: VqaApp, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("j", "j", "down", "k")
        assert found.cursor == 2
        await pilot.press("pagedown")
        assert found.cursor == 2 + found.rows_visible - 1
        assert found.first_visible <= found.cursor < found.first_visible + found.rows_visible
        await pilot.press("pageup", "k", "k", "k", "k")
        assert found.cursor == 0
        await pilot.press("end", "j")
        assert found.cursor == 499


async def test_the_filter_narrows_while_typing_and_esc_widens(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("slash")
        await pilot.press(*"status", "colon", *"failed", "space", *"scan_4")
        await until(pilot, lambda: 0 < len(found.ids) < 30)
        await pilot.press("enter")
        assert found.has_focus
        await until(pilot, lambda: "[status:failed ×] [text:scan_4 ×]" in screen_text(app))
        assert isinstance(app.screen, ItemsScreen)
        assert app.screen.wanted == TaskFilter((TaskStatus.FAILED,), (), "scan_4")
        await pilot.press("escape")
        await until(pilot, lambda: len(found.ids) == 500)


async def test_a_mistake_in_the_filter_is_told(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("slash", *"status", "colon", *"faild", "enter")
        await until(pilot, lambda: "Did you mean failed?" in screen_text(app))
        assert app.screen.query_one("#filter").has_focus


async def test_marks(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("F")
        await until(pilot, lambda: len(found.ids) == 100)
        await pilot.press("space", "space")
        await until(pilot, lambda: "✓ 2 marked" in screen_text(app))
        await pilot.press("asterisk")
        await until(pilot, lambda: "✓ 100 marked" in screen_text(app))
        await pilot.press("asterisk", "v", "j", "j")
        await until(pilot, lambda: "range: v marks up to here" in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: "✓ 3 marked" in screen_text(app))
        assert found.marked == frozenset(found.ids[2:5])
        await pilot.press("v", "k", "escape")
        await until(pilot, lambda: "range:" not in screen_text(app))
        assert found.marked_number == 3 and len(found.ids) == 100


async def test_the_inspector_stands_beside_the_list_where_there_is_room(
    app: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(160, 50)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("j", "j")
        await until(pilot, lambda: "✖ failed · 4 tries" in screen_text(app))
        await until(pilot, lambda: "▀▀▀▀" in screen_text(app))
        await until(
            pilot,
            lambda: all(
                words in screen_text(app)
                for words in ("the reply could not be read", "HTTP 503", "categories Battery, Knife", "Attempts (2)")
            ),
        )
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Inspector" not in screen_text(app))
        await pilot.resize_terminal(160, 50)
        await until(pilot, lambda: "Attempts (2)" in screen_text(app))


async def test_enter_shows_an_item_in_full_and_j_goes_on(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and "▀▀▀" in screen_text(app))
        await until(pilot, lambda: "BOP00001_Battery" in screen_text(app) and "1 of 500" in screen_text(app))
        await pilot.press("j")
        await until(pilot, lambda: "2 of 500" in screen_text(app) and "BOP00002" in screen_text(app))
        await pilot.press("o")
        await until(pilot, lambda: ("open", running.picture) in running.wanted)
        await pilot.press("y")
        await until(pilot, lambda: "Copied" in screen_text(app))
        assert app.clipboard.startswith("Q: Where is the battery?")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))


async def test_every_section_is_reached_by_scrolling(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        seen = ""
        inspector = app.screen.query_one(Inspector)
        for y in range(0, int(inspector.max_scroll_y) + 10, 8):
            inspector.scroll_to(y=y, animate=False, immediate=True)
            await pilot.pause()
            seen += screen_text(app)
        for words in (
            "Pairs (2)",
            "⚑ short answer",
            "✔ accepted",
            "Attempts (2)",
            "Ground truth",
            "You look at X-ray",
        ):
            assert words in seen


async def test_a_picture_that_is_gone_is_told_in_its_place(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, tmp_path: Path
) -> None:
    running.picture = str(tmp_path / "gone.jpg")
    async with app.run_test(size=(160, 50)) as pilot:
        await show_items(app, pilot, until)
        await until(pilot, lambda: "the picture is not there any more" in screen_text(app))


async def test_rows_follow_the_run(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await show_items(app, pilot, until)

        def now_failed(task_id: int) -> TaskRow:
            return TaskRow(task_id, f"scan_{task_id}.jpg", TaskStatus.FAILED, "refused", 1, Decimal(0), 0, 1.0)

        running.remade_row = now_failed
        counts = running.views[1].counts
        running.change(counts=type(counts)(pending=1, done=2, failed=3))
        await until(pilot, lambda: "refused" in screen_text(app))


async def test_another_run_shows_its_own_items(fake: Fake, make_view: MakeView, until: Wait, screen_text: Text) -> None:
    app = VqaApp(fake(make_view(), make_view(id=2, name="second")), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("space")
        await until(pilot, lambda: "✓ 1 marked" in screen_text(app))
        app.watch_over.follow_run(2)
        await pilot.press("1")
        await pilot.press("3")
        await until(pilot, lambda: "second › items" in screen_text(app))
        assert found.marked == frozenset()


async def test_an_error_of_the_store_is_a_toast(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await show_items(app, pilot, until)

        async def refuse(run_id: int, chosen: TaskFilter) -> None:
            raise VqaError("the workspace is [b]busy[/]")

        monkeypatch.setattr(running, "task_ids", refuse)
        await pilot.press("F")
        await until(pilot, lambda: "the workspace is [b]busy[/]" in screen_text(app))


async def test_the_picture_comes_while_the_run_goes_on(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_decode = asyncio.Event()
    decode, read = running.thumbnail, []

    async def slow(path: str) -> Image.Image:
        read.append(path)
        await may_decode.wait()
        image: Image.Image = await decode(path)
        return image

    monkeypatch.setattr(running, "thumbnail", slow)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: "reading the picture …" in screen_text(app))
        details = 0
        remade = running.remade_detail

        def counted(row: TaskRow, picture: str) -> TaskDetail:
            nonlocal details
            details += 1
            found: TaskDetail = remade(row, picture)
            return found

        running.remade_detail = counted
        counts = running.views[1].counts
        running.change(counts=type(counts)(pending=1, done=2, failed=3))
        await until(pilot, lambda: details > 0)
        may_decode.set()
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        assert read == [running.picture]


async def test_the_picture_of_another_item_is_never_shown(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    remade = running.remade_detail
    running.remade_detail = lambda row, picture: remade(row, picture if row.id == 1 else f"/nowhere/{row.id}.jpg")
    decode = running.thumbnail

    async def never_for_others(path: str) -> Image.Image:
        if path != running.picture:
            await asyncio.Event().wait()
        image: Image.Image = await decode(path)
        return image

    monkeypatch.setattr(running, "thumbnail", never_for_others)
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        await pilot.press("j")
        await until(pilot, lambda: "BOP00002" in screen_text(app))
        await until(pilot, lambda: "▀▀▀" not in screen_text(app) and "reading the picture …" in screen_text(app))
        await pilot.press("k")
        await until(pilot, lambda: "▀▀▀" in screen_text(app))


async def test_the_inspector_beside_the_list_follows_its_item(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(160, 50)) as pilot:
        await show_items(app, pilot, until)
        await until(pilot, lambda: "✔ done · 1 try" in screen_text(app) and "▀▀▀" in screen_text(app))
        make = running.remade_row
        running.remade_row = lambda task_id: replace(make(task_id), status=TaskStatus.FAILED, attempts=3)
        running.change(cost=replace(running.views[1].cost, spent=Decimal("1.9")))
        await until(pilot, lambda: "✖ failed · 3 tries" in screen_text(app))
        await until(pilot, lambda: "▀▀▀" in screen_text(app))


async def test_only_what_is_asked_now_is_in_flight(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    running.change(in_flight=(SlotView(5, "x", "a", 1.0),))
    running.remade_row = lambda task_id: TaskRow(
        task_id, f"scan_{task_id}.jpg", TaskStatus.LEASED, None, 0, Decimal(0), 0, None
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await until(pilot, lambda: screen_text(app).count("▸ in flight") == 1)
        await until(pilot, lambda: screen_text(app).count("▹ taken") > 5)


async def test_marks_that_are_not_shown_are_dropped_in_long_lists_too(
    fake: Fake, make_view: MakeView, until: Wait
) -> None:
    app = VqaApp(fake(make_view(), tasks=20_000), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("asterisk")
        await until(pilot, lambda: len(found.marked) == 20_000)
        await pilot.press("F")
        await until(pilot, lambda: len(found.ids) == 4_000)
        assert found.marked == frozenset(found.ids)


async def test_a_filter_says_while_typing_why_it_cannot_be_read(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("slash", *"foo", "colon", *"bar")
        await until(pilot, lambda: "there is no field `foo`" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "there is no field" not in screen_text(app))


@pytest.mark.parametrize("width", [100, 120, 140, 150, 200])
async def test_more_columns_never_show_less(app: VqaApp, until: Wait, screen_text: Text, width: int) -> None:
    async with app.run_test(size=(width, 24)) as pilot:
        await show_items(app, pilot, until)
        header = screen_text(app).splitlines()[2]
        for title in ("Item", "Status", "Last failure", "Tries", "Pairs", "Cost"):
            assert title in header


async def test_another_run_in_a_wider_terminal_asks_for_no_item_of_the_run_before(
    fake: Fake, make_view: MakeView, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake(make_view(), make_view(id=2, name="second"))
    asked: list[tuple[int, int]] = []
    detail: Callable[[int, int], Awaitable[TaskDetail]] = services.task_detail

    async def task_ids(run_id: int, chosen: TaskFilter) -> "array[int]":
        return array("q", range(1000 * run_id, 1000 * run_id + 20))

    async def task_detail(run_id: int, task_id: int) -> TaskDetail:
        asked.append((run_id, task_id))
        return await detail(run_id, task_id)

    monkeypatch.setattr(services, "task_ids", task_ids)
    monkeypatch.setattr(services, "task_detail", task_detail)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and tasks(app).row(1000) is not None)
        await pilot.press("enter")
        await until(pilot, lambda: asked == [(1, 1000)])
        await pilot.press("escape", "1")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.resize_terminal(200, 50)
        app.post_message(RunPicked(2))
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and (2, 2000) in asked)
        assert {task_id for run_id, task_id in asked if run_id == 2} == {2000}
