"""A virtual list of things with a number: holds their numbers only, and asks for the rows that are about to be seen."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.columns import Column, Placed, place
from vqa_tui.tui.widgets.row_list import RowList

ROWS_KEPT = 2_000
"""Rows held in memory; the least recently drawn goes first."""

T = TypeVar("T")


class PagedList(RowList, Generic[T]):
    """Hundreds of thousands of rows cost eight bytes each; what stands in them is read by page when it is drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "open", id="paged.open", tooltip="Look at the row under the cursor in full"),
    ]

    @dataclass
    class RowsWanted(Message):
        """Rows are about to be seen that have not been read."""

        list: "PagedList[Any]"
        ids: tuple[int, ...]

        @property
        def control(self) -> "PagedList[Any]":
            return self.list

    @dataclass
    class CursorMoved(Message):
        """Another row is under the cursor, or the one there has been read; None when there is none."""

        list: "PagedList[Any]"
        row_id: int | None

        @property
        def control(self) -> "PagedList[Any]":
            return self.list

    @dataclass
    class Picked(Message):
        """A row was chosen with Enter or a double click."""

        list: "PagedList[Any]"
        row_id: int

        @property
        def control(self) -> "PagedList[Any]":
            return self.list

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[T], tuple[Content, ...]],
        *,
        id: str | None = None,
        empty: Content | None = None,
        picks: bool = False,
    ) -> None:
        super().__init__(columns, id=id, empty=empty)
        self._cells = cells
        self._picks = picks
        self._ids: array[int] = array("q")
        self._rows: OrderedDict[int, T] = OrderedDict()
        self._asking = False
        self._told: int | None = None

    @property
    def ids(self) -> "array[int]":
        return self._ids

    @property
    def current(self) -> int | None:
        """The id of the row under the cursor, if there is one."""
        return self._ids[self.cursor] if self.cursor < len(self._ids) else None

    @property
    def current_row(self) -> T | None:
        """The row under the cursor, if it has been read."""
        return self._rows.get(self.current) if self.current is not None else None

    def set_ids(self, ids: "array[int]") -> None:
        """Show these rows, all to be read anew; the cursor stays on its row, or goes to the first."""
        current = self.current
        self._ids = ids
        self._rows.clear()
        self.rebuild()
        self.cursor = ids.index(current) if current is not None and current in ids else 0
        self._tell_cursor(again=True)

    def put(self, rows: Mapping[int, T]) -> None:
        """Take in rows that were read."""
        for row_id, row in rows.items():
            self._rows[row_id] = row
            self._rows.move_to_end(row_id)
        while len(self._rows) > ROWS_KEPT:
            self._rows.popitem(last=False)
        self.redraw_rows([index for index in self._visible(0) if self._ids[index] in rows])
        if self.current in rows:
            self._tell_cursor(again=True)

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        # The last cell stays free, so that no number touches the scroll bar.
        return place(self.columns, [column.least for column in self.columns], width - 1)

    def row_count(self) -> int:
        return len(self._ids)

    def row_cells(self, index: int) -> tuple[Content, ...]:
        row = self._rows.get(self._ids[index])
        if row is None:
            self._ask_soon()
            return (Content.styled("…", "$foreground 60%"), *([Content("")] * (len(self.columns) - 1)))
        self._rows.move_to_end(self._ids[index])
        return self._cells(row)

    def _ask_soon(self) -> None:
        if not self._asking:
            self._asking = True
            self.call_later(self._ask)

    def _ask(self) -> None:
        """Ask for what is missing on this page and the ones beside it."""
        self._asking = False
        near = (self._ids[index] for index in self._visible(self.rows_visible))
        if missing := tuple(row_id for row_id in near if row_id not in self._rows):
            self.post_message(self.RowsWanted(self, missing))

    def _visible(self, margin: int) -> range:
        first = self.first_visible
        return range(max(first - margin, 0), min(first + self.rows_visible + margin, len(self._ids)))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._tell_cursor()

    def _tell_cursor(self, *, again: bool = False) -> None:
        if again or self.current != self._told:
            self._told = self.current
            self.post_message(self.CursorMoved(self, self.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rows that lead nowhere have no key to open them."""
        return action != "pick" or self._picks

    def pick(self) -> None:
        if self._picks and (row_id := self.current) is not None:
            self.post_message(self.Picked(self, row_id))

    def action_pick(self) -> None:
        self.pick()
