"""The whole log of a run: as many rows as were scrolled to, and the next page when the last ones come into sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.domain.course import LogEntry
from vqa_tui.tui.present.log_rows import LOG_COLUMNS, log_rows
from vqa_tui.tui.widgets.live_table import LiveTable

_NEAR_THE_END = 30
"""Rows before the last one at which the next page is wanted."""


class EventLog(LiveTable):
    """Rows newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "level", "level", id="log.level", tooltip="Everything, warnings, errors, or what people did"),
    ]

    @dataclass
    class MoreWanted(Message):
        """The oldest rows are near: older ones are wanted."""

        log: "EventLog"

    @dataclass
    class LevelWanted(Message):
        """The next choice of levels is wanted."""

        log: "EventLog"

    def __init__(self, *, id: str | None = None) -> None:
        nothing = Content.styled("nothing of this kind has happened", "$foreground 60%")
        super().__init__(LOG_COLUMNS, id=id, empty=nothing, picks=True, newest_first=True)

    def set_entries(self, entries: Sequence[LogEntry], now: float) -> None:
        """Show these entries, newest first; rows are made of those that are drawn."""
        self.set_rows(log_rows(entries, now))

    def action_level(self) -> None:
        self.post_message(self.LevelWanted(self))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._look_ahead(new)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead(self.first_visible + self.rows_visible)

    def _look_ahead(self, row: int) -> None:
        if self.rows and row >= len(self.rows) - _NEAR_THE_END:
            self.post_message(self.MoreWanted(self))
