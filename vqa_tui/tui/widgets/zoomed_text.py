"""A panel that fills the screen: text for its size, scrolling where it is longer."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

DrawText = Callable[[int, int], Content]
"""(width in cells, height in lines) -> text."""


class ZoomedText(VerticalScroll):
    """Draws one function at its own size, when it is told to and when it is resized."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Down", id="zoom.down", tooltip="One line down", show=False),
        Binding("k,up", "scroll_up", "Up", id="zoom.up", tooltip="One line up", show=False),
        Binding("g", "scroll_home", "Top", id="zoom.top", tooltip="To the first line", show=False),
        Binding("G", "scroll_end", "Bottom", id="zoom.bottom", tooltip="To the last line", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: DrawText | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="zoomed-text")

    def show(self, draw: DrawText) -> None:
        """Draw this from now on."""
        self._draw = draw
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        width, height = self.scrollable_content_region.size
        if self._draw is not None and width and height:
            self.query_one("#zoomed-text", Static).update(self._draw(width, height))
