"""The lines of a log: only those in sight are drawn, and the newest stay in sight until a person scrolls away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.columns import Column, Placed
from vqa_tui.tui.widgets.row_list import RowList


class LogPane(RowList):
    """Shows lines that are safe already."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "whole line", id="log-pane.whole", tooltip="Read the line under the cursor in full"),
    ]

    @dataclass
    class Picked(Message):
        """A line is wanted in full; `number` counts from 1 within what is shown."""

        number: int
        line: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            (Column("", 1, 2_000, grow=True),), id=id, empty=Content.styled("no line yet", "$foreground 60%")
        )
        self._lines: Sequence[str] = ()

    @property
    def follows(self) -> bool:
        """Whether the newest line is under the cursor, so that newer ones come into sight."""
        return self.cursor >= len(self._lines) - 1

    def set_lines(self, lines: Sequence[str]) -> None:
        """Show these lines; who was at the end stays there."""
        if lines == self._lines:
            return
        follows = self.follows
        self._lines = lines
        self.rebuild()
        if follows:
            self.action_move_to_end()
            # The new height is known only after the next layout; before it there is nowhere to scroll to.
            self.call_after_refresh(self._bring_into_sight)

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        return (Placed(0, width),)

    def row_count(self) -> int:
        return len(self._lines)

    def pick(self) -> None:
        if self.cursor < len(self._lines):
            self.post_message(self.Picked(self.cursor + 1, self._lines[self.cursor]))

    def action_pick(self) -> None:
        self.pick()

    def row_cells(self, index: int) -> tuple[Content, ...]:
        return (Content(self._lines[index]),)
