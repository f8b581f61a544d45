"""The lines of a log: only those in sight are drawn, and the newest stay in sight until a person scrolls away."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.columns import Column, Placed
from vqa_tui.tui.present.log_text import LogText
from vqa_tui.tui.widgets.row_list import RowList


class LogPane(RowList):
    """Shows lines that are safe already, and finds words in them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "whole line", id="log-pane.whole", tooltip="Read the line under the cursor in full"),
        Binding("slash", "search", "search", id="log-pane.search", tooltip="Find words in the log"),
        Binding("n", "find(1)", "next", id="log-pane.next", tooltip="The next line with what was searched for"),
        Binding("N", "find(-1)", "previous", id="log-pane.previous", tooltip="The line with it before", show=False),
    ]

    @dataclass
    class Picked(Message):
        """A line is wanted in full; `number` counts from 1 within what is kept of the log."""

        number: int
        line: str

    @dataclass
    class SearchWanted(Message):
        """Words are to be typed that are then searched for."""

    @dataclass
    class NotFound(Message):
        """No line holds what was searched for."""

        words: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            (Column("", 1, 2_000, grow=True),), id=id, empty=Content.styled("no line yet", "$foreground 60%")
        )
        self._log = LogText()
        self._shown = (0, 0, 0)
        """Version, number and first number of the lines when they were last laid out."""
        self.searched = ""
        """The words that are searched for."""

    @property
    def follows(self) -> bool:
        """Whether the newest line is under the cursor, so that newer ones come into sight."""
        return self.cursor >= self._shown[1] - 1

    @property
    def line(self) -> str:
        """The line under the cursor; empty where there is none."""
        return self._log.lines[self.cursor].text if self.cursor < self.row_count() else ""

    def show_log(self, log: LogText) -> None:
        """Show a log as far as it was read; who was at its end stays there, and who was not stays at their line."""
        if log is not self._log:
            self._log, self._shown = log, (-1, 0, log.dropped)
        version, _, dropped = self._shown
        if log.version == version:
            return
        follows = self.follows
        away = log.dropped - dropped
        self._shown = (log.version, len(log.lines), log.dropped)
        if follows:
            self.rebuild()
            self.action_move_to_end()
            # The new height is known only after the next layout; before it there is nowhere to scroll to.
            self.call_after_refresh(self._bring_into_sight)
        else:
            self.set_reactive(LogPane.cursor, self.validate_cursor(self.cursor - away))
            self.rebuild()

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        return (Placed(0, width),)

    def row_count(self) -> int:
        return len(self._log.lines)

    def row_marked(self, index: int) -> bool:
        return bool(self.searched) and self.searched.casefold() in self._log.lines[index].text.casefold()

    def pick(self) -> None:
        if self.cursor < self.row_count():
            self.post_message(self.Picked(self._log.dropped + self.cursor + 1, self._log.lines[self.cursor].text))

    def action_pick(self) -> None:
        self.pick()

    def action_search(self) -> None:
        self.post_message(self.SearchWanted())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """As long as nothing is searched for, the keys to go on belong to the screen."""
        return action != "find" or bool(self.searched)

    def search(self, words: str) -> None:
        """Go to the newest line up to the cursor that holds `words`; empty words search for nothing any more."""
        self.searched = words
        self._strips.clear()
        self.refresh()
        self.screen.refresh_bindings()
        if words:
            self._go(self._log.find(words, self.cursor, -1))

    def action_find(self, step: int) -> None:
        self._go(self._log.find(self.searched, self.cursor + step, step))

    def _go(self, index: int | None) -> None:
        if index is None:
            self.post_message(self.NotFound(self.searched))
        else:
            self.cursor = index

    def row_cells(self, index: int) -> tuple[Content, ...]:
        return (self._log.lines[index].content(),)
