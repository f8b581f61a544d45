"""What is drawn of a screen is what Textual would draw of it, and nothing beside it is asked for anything."""

from collections.abc import Callable
from typing import Any

import pyte
import pytest
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tests.tui.conftest import FakeServices
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.lean_compositor import LeanCompositor

Wait = Callable[..., Any]
_DIRTY = (
    {Region(3, 5, 40, 1), Region(0, 48, 160, 1)},
    {Region(0, 0, 1, 50)},
    {Region(90, 20, 60, 9), Region(100, 25, 60, 9), Region(2, 22, 3, 1)},
)
"""Regions of a screen of 160 × 50, in and across widgets."""


@pytest.mark.parametrize("mode", ["1", "2", "3", "4", "6"])
async def test_every_mode_is_drawn_as_textual_draws_it(mode: str, running: FakeServices, until: Wait) -> None:
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press(mode)
        app.notify("It lies over the screen, with its own edges.")
        await until(pilot, lambda: not app.screen._dirty_widgets and app.screen.query("Toast"))
        compositor = app.screen._compositor
        assert isinstance(compositor, LeanCompositor)
        full = Compositor._render_chops(compositor, compositor.size.region, lambda _y: True)
        assert compositor._render_chops(compositor.size.region, lambda _y: True) == full
        for regions in _DIRTY:
            compositor._dirty_regions = set(regions)
            update = compositor.render_partial_update()
            assert update is not None and not compositor._dirty_regions
            assert _pieces(update, update.chops) == _pieces(update, full)


def _pieces(update: ChopsUpdate, chops: Any) -> dict[tuple[int, int], Strip | None]:
    """Return what `chops` has where `update` is drawn, by line and cell."""
    found = {}
    for y, first, after in update.spans:
        for (x, strip), end in zip(chops[y].items(), update.chop_ends[y], strict=True):
            if x < after and end > first:
                found[y, x] = strip
    assert found
    return found


class Noted(Widget):
    """Notes the lines that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.styles.width, self.styles.height = "100%", 4
        self.asked: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.asked.append(y)
        return Strip.blank(self.size.width)


class Lean(Screen[None]):
    def __init__(self, *shown: Widget) -> None:
        super().__init__()
        self._compositor = LeanCompositor()
        self._shown = shown

    def compose(self) -> ComposeResult:
        yield from self._shown


class OneScreen(App[None]):
    def __init__(self, *shown: Widget) -> None:
        super().__init__()
        self._shown = shown

    def get_default_screen(self) -> Screen[None]:
        return Lean(*self._shown)


async def test_only_widgets_with_a_changed_line_are_asked_for_it(until: Wait) -> None:
    upper, between, lower = Noted(), Noted(), Noted()

    async with OneScreen(upper, between, lower).run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: lower.asked and not pilot.app.screen._dirty_widgets)
        await pilot.pause()
        for widget in (upper, between, lower):
            widget.asked.clear()
            widget._styles_cache.clear()
        upper.refresh(Region(0, 1, 40, 1))
        lower.refresh(Region(0, 2, 40, 1))
        await until(pilot, lambda: upper.asked and lower.asked)
        assert (upper.asked, between.asked, lower.asked) == ([1], [], [2])


@pytest.mark.parametrize("scrolled", [False, True])
async def test_what_a_widget_leaves_is_drawn_also_where_its_place_is_asked_for_before_the_layout(
    until: Wait, scrolled: bool
) -> None:
    upper, lower = Noted(), Noted()
    async with OneScreen(upper, lower).run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: lower.asked and not pilot.app.screen._dirty_widgets)
        screen = pilot.app.screen
        compositor = screen._compositor
        if scrolled:
            compositor.reflow_visible(screen, screen.size)
            compositor._dirty_regions.clear()
            assert compositor.full_map[upper].region == Region(0, 0, 40, 4)
            assert not compositor._dirty_regions, "nothing has moved"
        compositor._dirty_regions.clear()
        lower.styles.height = 1
        screen._clear_arrangement_cache()
        compositor.update_widgets({Noted()})
        assert compositor.full_map[lower].region == Region(0, 4, 40, 1)
        assert {y for region in compositor._dirty_regions for y in region.line_range} == {4, 5, 6, 7}


@pytest.mark.parametrize("drawn_before", [False, True])
async def test_what_is_drawn_before_the_layout_is_drawn_as_the_map_is_then(until: Wait, drawn_before: bool) -> None:
    left, right = Static("a" * 17), Static("0123456789")
    beside = Horizontal(left, right)
    left.styles.width, right.styles.width = 10, 10
    async with OneScreen(beside).run_test(size=(40, 3)) as pilot:
        await until(pilot, lambda: right.region.x == 10 and not pilot.app.screen._dirty_widgets)
        screen = pilot.app.screen
        terminal = pyte.Screen(40, 3)
        stream = pyte.Stream(terminal)
        compositor = screen._compositor

        def draw(*, full: bool = False) -> None:
            if isinstance(update := compositor.render_update(full=full), CompositorUpdate):
                stream.feed(update.render_segments(pilot.app.console))

        draw(full=True)
        left.styles.width = 17
        beside._clear_arrangement_cache()
        compositor.update_widgets({Noted()})
        assert compositor.full_map[right].region.x == 17
        if drawn_before:
            draw()
        compositor.update_widgets({Noted()})
        compositor.reflow(screen, screen.size)
        assert not compositor._full_map_invalidated
        draw()
        assert terminal.display[0].rstrip() == "a" * 17 + "0123456789"
