"""The active conditions of a filter as chips, which keys and the mouse remove."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from vqa_tui.domain.filter_grammar import Chip
from vqa_tui.tui.present.filters import chip_line
from vqa_tui.tui.widgets.spotted_line import SpotLine


class ChipBar(SpotLine, can_focus=True):
    """Hidden while nothing is filtered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", "Before", id="chips.before", tooltip="The condition before", show=False),
        Binding("right,l", "choose(1)", "Next", id="chips.next", tooltip="The next condition", show=False),
        Binding("x,backspace,delete", "remove", "remove", id="chips.remove", tooltip="Remove this condition"),
    ]

    @dataclass
    class Removed(Message):
        """A person removes one condition."""

        chip: Chip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chips: tuple[Chip, ...] = ()
        self._chosen = 0

    @property
    def chips(self) -> tuple[Chip, ...]:
        return self._chips

    def show_chips(self, chips: Sequence[Chip]) -> None:
        """Show these conditions; the line goes where there are none."""
        if len(chips) != len(self._chips):
            self._chosen = max(len(chips) - 1, 0)
        self._chips = tuple(chips)
        self.display = bool(chips)
        self._draw_chips()

    def remove_last(self) -> None:
        """Remove the last condition, if there is one."""
        if self._chips:
            self.post_message(self.Removed(self._chips[-1]))

    def _draw_chips(self) -> None:
        self.draw(chip_line(self._chips, self._chosen if self.has_focus else None, self.size.width or 80))

    def on_resize(self) -> None:
        self._draw_chips()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._draw_chips()

    def action_choose(self, by: int) -> None:
        self._chosen = min(max(self._chosen + by, 0), max(len(self._chips) - 1, 0))
        self._draw_chips()

    def action_remove(self) -> None:
        if self._chosen < len(self._chips):
            self.post_message(self.Removed(self._chips[self._chosen]))

    def pointed_at(self, index: int) -> None:
        if index < len(self._chips):
            self.post_message(self.Removed(self._chips[index]))
