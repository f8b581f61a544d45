"""Lists that scroll: rows that stay in sight are not drawn again, and what is seen is what would be drawn anew."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widgets import Static

from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]


class NotedTable(LiveTable):
    """Notes the lines that it draws."""

    def __init__(self) -> None:
        super().__init__((Column("", 3, 8),))
        self.styles.border = ("round", "red")
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)

    def show(self, count: int) -> None:
        self.set_rows([Row(number, (Content(f"row {number}"),)) for number in range(count)])


class OneTable(App[None]):
    """A table beside a text."""

    CSS = "NotedTable { width: 20; height: 100%; overflow-x: hidden; } Static { width: 20; height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.table, self.text = NotedTable(), Static("one line")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.table
            yield self.text

    def shown(self) -> list[str]:
        """What stands on the screen in the columns of the table."""
        return [line.crop(0, 20).text for line in self.screen._compositor.render_strips()]


async def test_a_list_that_scrolls_draws_the_rows_that_come_into_sight(until: Wait) -> None:
    app = OneTable()
    async with app.run_test(size=(60, 14)) as pilot:
        table = app.table
        table.show(100)
        table.focus()
        await until(pilot, lambda: table.drawn and table.rows_visible == 11 and table.has_focus)
        table.cursor = 10
        await until(pilot, lambda: table.first_visible == 0 and "▌ row 10" in "\n".join(app.shown()))
        for press, first, drawn in (("j", 1, {10, 11}), ("j", 2, {10, 11}), ("pagedown", 12, set(range(1, 12)))):
            await until(pilot, lambda: not app.screen._dirty_widgets)
            table.drawn.clear()
            await pilot.press(press)
            await until(pilot, lambda first=first: table.first_visible == first and 11 in table.drawn)
            assert set(table.drawn) - {0} == drawn
            seen = app.shown()
            table.notify_style_update()
            table.refresh()
            assert app.shown() == seen
        await pilot.press("g")
        await until(pilot, lambda: "▌ row 0" in app.shown()[2])
        assert sum("▌" in line for line in app.shown()) == 1


async def test_a_layout_beside_a_list_does_not_draw_its_scroll_bar(
    until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[int] = []
    render = ScrollBar.render

    def noted(bar: ScrollBar) -> Any:
        bars.append(bar.window_virtual_size)
        return render(bar)

    monkeypatch.setattr(ScrollBar, "render", noted)
    app = OneTable()
    async with app.run_test(size=(60, 14)) as pilot:
        app.table.show(100)
        await until(pilot, lambda: bars and bars[-1] == 101)
        bars.clear()
        app.text.update("one line\nand another")
        await until(pilot, lambda: app.text.size.height == 2 and not app.screen._dirty_widgets)
        assert not bars
        app.table.show(200)
        await until(pilot, lambda: bars and bars[-1] == 201)
        app.table.show(3)
        await until(pilot, lambda: not app.table.show_vertical_scrollbar)


async def test_other_rows_lay_the_screen_out_only_where_the_list_is_as_high_as_they_are(
    until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OneTable()
    async with app.run_test(size=(60, 14)) as pilot:
        table = app.table
        table.show(100)
        await until(pilot, lambda: table.show_vertical_scrollbar and not app.screen._layout_required)
        await pilot.pause()
        layouts: list[Any] = []
        lay_out = Screen._refresh_layout

        def noted(screen: Screen[Any], *rest: Any, **named: Any) -> None:
            layouts.append(screen)
            lay_out(screen, *rest, **named)

        monkeypatch.setattr(Screen, "_refresh_layout", noted)
        table.show(200)
        await until(pilot, lambda: table.vertical_scrollbar.window_virtual_size == 201)
        await pilot.press("G")
        await until(pilot, lambda: "row 199" in "\n".join(app.shown()))
        assert not layouts
        table.styles.height = "auto"
        table.show(4)
        await until(pilot, lambda: table.outer_size.height == 7)
        table.show(6)
        await until(pilot, lambda: table.outer_size.height == 9)
