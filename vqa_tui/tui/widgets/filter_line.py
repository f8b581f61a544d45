"""The line in which a filter is typed, with what it may go on with beneath."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from vqa_tui.domain.filter_completion import Completion, completions, settled
from vqa_tui.domain.filter_grammar import EXAMPLE
from vqa_tui.domain.task import FilterValues
from vqa_tui.tui.present.filters import completion_line
from vqa_tui.tui.widgets.spotted_line import SpotLine


class _Offers(SpotLine):
    """What the filter may go on with."""

    @dataclass
    class Taken(Message):
        """One of the offers was clicked."""

        index: int

    def pointed_at(self, index: int) -> None:
        self.post_message(self.Taken(index))


class _Typing(Input):
    """An input in which `right` behind the last character asks for what is offered."""

    @dataclass
    class MoreWanted(Message):
        """The word that is offered is wanted."""

    def action_cursor_right(self, select: bool = False) -> None:
        if not select and self.cursor_position == len(self.value):
            self.post_message(self.MoreWanted())
        else:
            super().action_cursor_right(select)


class FilterLine(Vertical):
    """An input whose last term can be completed; it posts what is typed, and what is entered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", id="filter.complete", tooltip="Take the word that is offered"),
        Binding("down", "offer(1)", "Next word", id="filter.next", tooltip="Offer the next word", show=False),
        Binding("up", "offer(-1)", "Word before", id="filter.before", tooltip="Offer the word before", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another filter is being typed; a word that may yet become a field is not in it."""

        typed: str

    @dataclass
    class Submitted(Message):
        """The filter was entered."""

        typed: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.values = FilterValues()
        """What occurs in the run, for completion."""
        self._offered: tuple[Completion, ...] = ()
        self._chosen = 0

    def compose(self) -> ComposeResult:
        yield _Typing(placeholder=EXAMPLE, id="filter", compact=True, select_on_focus=False)
        yield _Offers(id="filter-offers")

    @property
    def line(self) -> Input:
        return self.query_one(Input)

    def show_typed(self, typed: str) -> None:
        """Put `typed` into the line without saying so."""
        with self.prevent(Input.Changed):
            self.line.value = typed
        self.line.cursor_position = len(typed)
        self._offer_anew()

    def set_values(self, values: FilterValues) -> None:
        """Offer these values of the run from now on."""
        self.values = values
        self._offer_anew()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer_anew()
        self.post_message(self.Changed(settled(event.value)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(event.value))

    @on(_Offers.Taken)
    def _taken(self, event: _Offers.Taken) -> None:
        event.stop()
        self._take(event.index)

    @on(_Typing.MoreWanted)
    def _more_wanted(self, event: _Typing.MoreWanted) -> None:
        event.stop()
        self.action_complete()

    def _offer_anew(self) -> None:
        self._offered, self._chosen = completions(self.line.value, self.values), 0
        self._draw_offers()

    def _draw_offers(self) -> None:
        offers = self.query_one(_Offers)
        offers.draw(completion_line(self._offered, self._chosen, self.size.width - 2 or 78))

    def on_resize(self) -> None:
        self._draw_offers()

    def action_offer(self, by: int) -> None:
        if self._offered:
            self._chosen = (self._chosen + by) % len(self._offered)
            self._draw_offers()

    def action_complete(self) -> None:
        self._take(self._chosen)

    def _take(self, index: int) -> None:
        if index < len(self._offered):
            self.line.value = self._offered[index].line
            self.line.cursor_position = len(self.line.value)
            self.line.focus()
