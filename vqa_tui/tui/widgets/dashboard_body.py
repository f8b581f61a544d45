"""The part of the dashboard between its lines: panels, keys, and what is in flight beside the events."""

from textual import events
from textual.containers import VerticalScroll

from vqa_tui.tui.widgets.live_table import LiveTable

LEAST_BELOW = 5
"""Lines that the tables below the keys keep: borders, header and two rows."""
_FRAME = 3
"""Borders and header of a table."""


def keys_height(keys: int, room: int) -> int:
    """Return the lines for the table of `keys` keys where keys and the tables below share `room` lines."""
    return max(min(max(keys, 1) + _FRAME, room - LEAST_BELOW), _FRAME + 1)


class DashboardBody(VerticalScroll, can_focus=False):
    """Gives the keys as many rows as there is room for; scrolls, and takes the focus, where not everything fits."""

    def on_resize(self, event: events.Resize) -> None:
        self.fit(event.size.height)

    def zoom(self, name: str, *, text: bool) -> None:
        """Show only what is called `name`, with the text that belongs to it if `text`; without a name, everything."""
        everything = not name
        self.query_one("#panels").display = everything
        self.query_one("#keys").display = everything or name == "keys"
        self.query_one("#bottom").display = everything or name == "slots"
        self.query_one("#events").display = everything
        self.query_one("#zoom").display = text
        self.query_one("#log").display = name == "events"
        self.set_class(not everything, "-zoomed")
        self.scroll_to(y=0, animate=False, immediate=True)
        self.fit(self.size.height)

    def fit(self, height: int) -> None:
        """Share `height` lines out."""
        table = self.query_one("#keys", LiveTable)
        short = self.screen.has_class("-short")
        zoomed = self.has_class("-zoomed")
        self.can_focus = not zoomed and (short or self.screen.has_class("-tiny"))
        if zoomed:
            table.styles.height = min(max(len(table.rows), 1) + _FRAME, max(height // 3, _FRAME + 1))
            return
        if short:
            table.styles.height = max(len(table.rows), 1) + _FRAME
            return
        table.styles.height = keys_height(len(table.rows), height - self.query_one("#panels").outer_size.height)
