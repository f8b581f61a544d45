"""Panels and lines of the dashboard: text made by a pure function for exactly the size that there is."""

from collections.abc import Callable

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from vqa_tui.domain.run import RunView
from vqa_tui.tui.present.seen import SeenRun

Draw = Callable[[RunView, float, int, int], Content]
"""(view, Unix time of the sight, width in cells, height in lines) -> text."""


class Panel(Widget):
    """Draws one function of the run that is seen, at its own size."""

    seen: reactive[SeenRun | None] = reactive(None, repaint=False)

    def __init__(self, draw: Draw, *, title: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draw = draw
        self._drawn = Content("")
        self.border_title = title

    def watch_seen(self) -> None:
        """Draw again where the new sight reads otherwise than what is on screen."""
        if not self._text().is_same(self._drawn):
            self.refresh()

    def render(self) -> Content:
        """Return the text for the present size."""
        self._drawn = self._text()
        return self._drawn

    def _text(self) -> Content:
        if self.seen is None:
            return Content("")
        width, height = self.content_size
        return self._draw(self.seen.view, self.seen.at, width, height) if width and height else Content("")
