"""A line of one row on which the mouse can point at things."""

from textual import events
from textual.content import Content
from textual.widgets import Static

from vqa_tui.tui.present.filters import SpottedLine


class SpotLine(Static):
    """Base of the chips and the completions: draws a SpottedLine and says what was clicked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self._line = SpottedLine(Content(""), ())

    def draw(self, line: SpottedLine) -> None:
        """Show another line."""
        if not self._line.content.is_same(line.content):
            self.update(line.content, layout=False)
        self._line = line

    def on_click(self, event: events.Click) -> None:
        """Tell what the mouse points at."""
        offset = event.get_content_offset(self)
        index = None if offset is None else self._line.index_at(offset.x)
        if index is not None:
            event.stop()
            self.pointed_at(index)

    def pointed_at(self, index: int) -> None:
        """Do what a click on this thing means."""
        raise NotImplementedError
