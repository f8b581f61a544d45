"""What is not drawn again: lines that read as before, and pictures that the cursor has left before they were read."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from vqa_tui.domain.run import RunView, SlotView
from vqa_tui.domain.task import TaskDetail, TaskRow
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.panel import Panel
from vqa_tui.tui.widgets.task_list import TaskList
from vqa_tui.tui.widgets.titles import show_title

Wait = Callable[..., Any]
MakeView = Callable[..., RunView]
MakeRow = Callable[..., TaskRow]
MakeDetail = Callable[..., TaskDetail]


def shown_id(inspector: Inspector) -> int | None:
    return inspector.detail.row.id if inspector.detail is not None else None


class CountingPanel(Panel):
    """Notes every text that it draws."""

    def __init__(self) -> None:
        super().__init__(lambda view, _at, _width, _height: Content(f"{view.counts.done} done"))
        self.texts: list[str] = []

    def render(self) -> Content:
        content = super().render()
        self.texts.append(content.plain)
        return content


async def test_a_panel_draws_a_new_sight_only_when_it_reads_otherwise(make_view: MakeView, until: Wait) -> None:
    panel = CountingPanel()

    class OnePanel(App[None]):
        def compose(self) -> ComposeResult:
            yield panel

    view = make_view()
    async with OnePanel().run_test(size=(40, 10)) as pilot:
        panel.seen = SeenRun(view, 1.0)
        await until(pilot, lambda: panel.texts[-1] == f"{view.counts.done} done")
        drawn = len(panel.texts)
        panel.seen = SeenRun(replace(view, cost=replace(view.cost, spent=Decimal("3.5"))), 2.0)
        await pilot.pause()
        assert len(panel.texts) == drawn
        counts = replace(view.counts, done=view.counts.done + 1)
        panel.seen = SeenRun(replace(view, counts=counts), 3.0)
        await until(pilot, lambda: panel.texts[-1] == f"{counts.done} done")


async def test_a_picture_given_up_is_read_when_its_item_is_shown_again(
    make_row: MakeRow, make_detail: MakeDetail
) -> None:
    inspector = Inspector()

    class OneInspector(App[None]):
        def compose(self) -> ComposeResult:
            yield inspector

    detail = make_detail(make_row(1), "/pictures/1.jpg")
    async with OneInspector().run_test(size=(80, 40)):
        assert inspector.show(detail)
        assert not inspector.show(detail)
        inspector.give_up_picture()
        assert inspector.show(detail)
        inspector.show_picture(detail.picture, Image.new("RGB", (40, 30)))
        inspector.give_up_picture()
        assert not inspector.show(detail)


async def test_what_stands_below_a_picture_keeps_its_place_while_the_next_one_is_read(
    make_row: MakeRow, make_detail: MakeDetail, until: Wait
) -> None:
    inspector = Inspector()

    class OneInspector(App[None]):
        CSS = "#inspector-picture { height: auto; } .inspector-section { height: auto; }"

        def compose(self) -> ComposeResult:
            yield inspector

    async with OneInspector().run_test(size=(80, 40)) as pilot:
        inspector.show(make_detail(make_row(1), "/pictures/1.jpg"))
        inspector.show_picture("/pictures/1.jpg", Image.new("RGB", (40, 30)))
        await until(pilot, lambda: inspector.picture.size.height > 6)
        height = inspector.picture.size.height
        inspector.show(make_detail(make_row(2), "/pictures/2.jpg"))
        await pilot.pause()
        assert inspector.picture.size.height == height
        inspector.show_remark("/pictures/2.jpg", Content("it cannot be shown"))
        await until(pilot, lambda: inspector.picture.size.height == 1)


async def test_another_item_is_laid_out_once(
    make_row: MakeRow, make_detail: MakeDetail, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspector, layouts = Inspector(), []
    lay_out = Screen._refresh_layout

    def noted(screen: Screen[Any], *rest: Any, **named: Any) -> None:
        layouts.append(screen)
        lay_out(screen, *rest, **named)

    class OneInspector(App[None]):
        CSS = "#inspector-picture { height: auto; } .inspector-section { height: auto; }"

        def compose(self) -> ComposeResult:
            yield inspector

    async with OneInspector().run_test(size=(80, 40)) as pilot:
        row = make_row(1)
        inspector.show(make_detail(row, "/pictures/1.jpg"))
        reply = inspector.query_one("#inspector-reply")
        await until(pilot, lambda: reply.size.height and not pilot.app.screen._layout_required)
        await pilot.pause()
        height = reply.size.height
        monkeypatch.setattr(Screen, "_refresh_layout", noted)
        detail = make_detail(make_row(2), "/pictures/2.jpg")
        attempt = replace(detail.attempts[-1], raw_reply="one line\nand another\n" * 2)
        inspector.show(replace(detail, attempts=(attempt,)))
        await until(pilot, lambda: reply.size.height > height)
        await pilot.pause()
        assert len(layouts) == 1


async def test_a_request_that_starts_for_the_item_left_behind_does_not_keep_the_next_from_being_shown(
    app: VqaApp, until: Wait
) -> None:
    async with app.run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and bool(app.screen.query_one(TaskList).ids))
        screen = app.screen
        assert isinstance(screen, ItemsScreen)
        await until(pilot, lambda: screen.inspector.detail is not None)
        seen = app.watch_over.last_run
        assert seen is not None
        left = screen.tasks.ids[0]
        screen.tasks.cursor = 1
        await pilot.pause()
        screen.seen = replace(seen, view=replace(seen.view, in_flight=(SlotView(left, "x", "a", 1.0),)))
        await until(pilot, lambda: shown_id(screen.inspector) == screen.tasks.ids[1])


def test_the_first_screen_is_loaded_without_what_plans_a_run() -> None:
    program = (
        "import sys, vqa_tui.tui.app\n"
        "heavy = ['vqa_tui.operations.planning', 'vqa_tui.sources.registry', 'vqa_tui.tui.screens.wizard']\n"
        "print(*[name for name in heavy if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == ""


async def test_a_title_that_reads_as_before_draws_nothing(until: Wait) -> None:
    table = Static("text")

    class OneText(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    async with OneText().run_test(size=(40, 10)) as pilot:
        for title, below in ((Content("a [b] c"), False), (Content.styled("↑ 3 MB/s", "bold"), True), ("Keys", False)):
            show_title(table, title, below=below)
            await until(pilot, lambda: not table._repaint_regions and not pilot.app.screen._dirty_widgets)
            show_title(table, title, below=below)
            assert not table._repaint_regions
        show_title(table, "Keys (2)")
        assert table._repaint_regions and table.border_title == "Keys (2)"


async def test_a_mode_that_comes_back_is_styled_anew_only_after_something_styles_follow_changed(
    app: VqaApp, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    styled: list[str] = []
    style = Screen.update_node_styles

    def noted(screen: Screen[Any], animate: bool = True) -> None:
        styled.append(type(screen).__name__)
        style(screen, animate)

    async def go(key: str, to: str) -> None:
        await pilot.press(key)
        await until(pilot, lambda: type(app.screen).__name__ == to and not app._batch_count)
        await pilot.pause()

    async with app.run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await go("3", "ItemsScreen")
        await go("2", "DashboardScreen")
        await go("3", "ItemsScreen")
        await go("2", "DashboardScreen")
        monkeypatch.setattr(Screen, "update_node_styles", noted)
        await go("3", "ItemsScreen")
        dark = app.screen.query_one("#tasks").styles.border_title_color
        await go("2", "DashboardScreen")
        assert not styled
        app.theme = "solarized-light"
        await go("3", "ItemsScreen")
        assert "ItemsScreen" in styled
        assert app.screen.query_one("#tasks").styles.border_title_color != dark


async def test_only_a_mode_without_widgets_yet_is_waited_for(
    app: VqaApp, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays: list[float] = []
    delay_update = App.delay_update

    def noted(app: App[None], delay: float = 0.05) -> None:
        delays.append(delay)
        delay_update(app, delay)

    monkeypatch.setattr(App, "delay_update", noted)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        delays.clear()
        for key in "323":
            await pilot.press(key)
            await until(pilot, lambda: not app._batch_count)
        unseen, *seen = delays
        assert unseen == 0.05 and len(seen) == 2 and max(seen) < unseen
