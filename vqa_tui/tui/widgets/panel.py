"""Panels and lines of the dashboard: text made by a pure function for exactly the size that there is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from vqa_tui.domain.course import Moment
from vqa_tui.domain.run import RunView
from vqa_tui.tui.present.past import PastText
from vqa_tui.tui.present.seen import SeenRun

Draw = Callable[[RunView, float, int, int], Content]
"""(view, Unix time of the sight, width in cells, height in lines) -> text."""


class Panel(Widget):
    """Draws one function of the run that is seen, or of the moment of its past that is looked at, at its own size."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enlarge", "zoom", id="panel.zoom", tooltip="Let this panel fill the screen", show=False),
    ]

    @dataclass
    class ZoomWanted(Message):
        """The panel is to fill the screen."""

        panel: "Panel"

        @property
        def control(self) -> "Panel":
            return self.panel

    seen: reactive[SeenRun | None] = reactive(None, repaint=False)
    moment: reactive[Moment | None] = reactive(None, repaint=False)

    def __init__(
        self,
        draw: Draw,
        *,
        past: PastText | None = None,
        title: str = "",
        zooms: bool = False,
        id: str | None = None,
    ) -> None:
        """`past` draws a moment of the past; without it the present is drawn all the same."""
        super().__init__(id=id)
        self._draw, self._past = draw, past
        self._drawn = Content("")
        self._next: tuple[Size, Content] | None = None
        """What the newest sight reads at this size, until it is drawn."""
        self.border_title = title
        self.can_focus = zooms

    def watch_seen(self) -> None:
        """Draw again where the new sight reads otherwise than what is on screen."""
        text = self._text()
        self._next = (self.content_size, text)
        if not text.is_same(self._drawn):
            self.refresh()

    def watch_moment(self) -> None:
        self.watch_seen()

    def render(self) -> Content:
        """Return the text for the present size."""
        made_for, text = self._next or (None, self._drawn)
        self._drawn = text if made_for == self.content_size else self._text()
        self._next = None
        return self._drawn

    def _text(self) -> Content:
        width, height = self.content_size
        if self.seen is None or not width or not height:
            return Content("")
        if self.moment is not None and self._past is not None:
            return self._past(self.seen.view, self.moment, width, height)
        return self._draw(self.seen.view, self.seen.at, width, height)

    def action_enlarge(self) -> None:
        self.post_message(self.ZoomWanted(self))

    def on_click(self, event: events.Click) -> None:
        """A second click enlarges, as it opens a row of a table."""
        if self.can_focus and event.chain == 2:
            self.action_enlarge()
