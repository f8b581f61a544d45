"""The items screen: a virtual list, a filter, marks, the inspector."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView, TaskStatus
from vqa_tui.domain.task import TaskFilter, TaskRow
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
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
        assert "1 of 1 000 000" in screen_text(app)
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
        await until(pilot, lambda: "status failed" in screen_text(app) and "text scan_4" in screen_text(app))
        assert app.screen.wanted == TaskFilter((TaskStatus.FAILED,), (), "scan_4")  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: len(found.ids) == 500)


async def test_a_mistake_in_the_filter_is_told(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("slash", *"status", "colon", *"faild", "enter")
        await until(pilot, lambda: "Did you mean failed?" in screen_text(app))
        assert app.screen.query_one("#filter").has_focus


async def test_retry_takes_the_item_under_the_cursor_or_says_why_not(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("r")
        await until(
            pilot,
            lambda: "This item is done; only failed ones can be asked again" in " ".join(screen_text(app).split()),
        )
        await pilot.press("j", "j")
        await pilot.press("r")
        await until(pilot, lambda: ("retry_tasks", [3]) in running.wanted)


async def test_marked_items_are_retried_after_a_question_with_their_number(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        found = await show_items(app, pilot, until)
        await pilot.press("F")
        await until(pilot, lambda: len(found.ids) == 100)
        await pilot.press("space", "space")
        await until(pilot, lambda: "✓ 2 marked" in screen_text(app))
        await pilot.press("asterisk")
        await until(pilot, lambda: "✓ 100 marked" in screen_text(app))
        await pilot.press("asterisk", "space", "space", "r")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "Of 2 marked items" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: any(wanted[0] == "retry_tasks" for wanted in running.wanted))
        await until(pilot, lambda: found.marked == frozenset())


async def test_the_inspector_stands_beside_the_list_where_there_is_room(
    app: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(160, 50)) as pilot:
        await show_items(app, pilot, until)
        await pilot.press("j", "j")
        await until(pilot, lambda: "✖ failed · 4 tries" in screen_text(app))
        await until(pilot, lambda: "▀▀▀▀" in screen_text(app))
        for words in ("the reply could not be read", "HTTP 503", "categories Battery, Knife", "Attempts (2)"):
            assert words in screen_text(app)
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
        assert "BOP00001_Battery" in screen_text(app) and "1 of 500" in screen_text(app)
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
            "verdict accepted",
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
