"""The virtual list of items: holds ids only, and asks for the rows that are about to be seen."""

from array import array
from collections import OrderedDict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.domain.task import BY_ID, TaskRow, TaskSort
from vqa_tui.tui.present.columns import Placed
from vqa_tui.tui.present.task_rows import place_task_columns, task_cells, task_columns, unread_task_cells
from vqa_tui.tui.widgets.id_list import IdList

ROWS_KEPT = 2_000
"""Rows held in memory; the least recently drawn goes first."""


class TaskList(IdList):
    """A million items cost eight bytes each; rows are read by page when they are drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "inspect", id="items.inspect", tooltip="Look at this item in full"),
    ]

    margin_cells: ClassVar[int] = 3
    """One more than the cursor and the mark: keys begin at the left, where a mark would touch them."""

    @dataclass
    class RowsWanted(Message):
        """Rows are about to be seen whose text has not been read, or may have changed."""

        ids: tuple[int, ...]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TaskList.RowsWanted)

    @dataclass
    class Picked(Message):
        """An item was chosen with Enter or a double click."""

        task_id: int

    def __init__(self, *, id: str | None = None) -> None:
        empty = Content.styled("no item matches; esc shows all again", "$foreground 60%")
        super().__init__(task_columns(BY_ID, failures=False), id=id, empty=empty)
        self._rows: OrderedDict[int, TaskRow] = OrderedDict()
        self._asked: Set[int] = frozenset()
        self._failures_seen = False
        self._name_width = 0
        """Of the longest name that was read, so that columns move seldom and never back."""
        self._asking = False

    def row(self, task_id: int) -> TaskRow | None:
        """Return the row of an item if it has been read."""
        return self._rows.get(task_id)

    def set_ids(self, ids: "array[int]", sort: TaskSort = BY_ID, *, complete: bool = True) -> None:
        super().set_ids(ids, sort, complete=complete)
        self.reread()

    def order_changed(self) -> None:
        self.columns = task_columns(self._sort, failures=self._failures_seen)

    def put(self, rows: Mapping[int, TaskRow]) -> None:
        """Take in rows that were read; visible ones that changed are drawn again."""
        changed = {task_id for task_id, row in rows.items() if self._rows.get(task_id) != row}
        for task_id, row in rows.items():
            self._rows[task_id] = row
            self._rows.move_to_end(task_id)
        while len(self._rows) > ROWS_KEPT:
            self._rows.popitem(last=False)
        failures = self._failures_seen or any(row.kind for row in rows.values())
        name_width = max((len(row.name) for row in rows.values()), default=0)
        if failures != self._failures_seen or name_width > self._name_width:
            self._failures_seen, self._name_width = failures, max(name_width, self._name_width)
            self.order_changed()
            self.rebuild()
        visible = self._visible(0)
        self.redraw_rows([index for index in visible if self._ids[index] in changed])

    def set_asked(self, asked: Set[int]) -> None:
        """Say which items have a request in flight; an engine takes more than it asks at once."""
        changed, self._asked = self._asked ^ asked, asked
        self.redraw_rows([index for index in self._visible(0) if self._ids[index] in changed])

    def forget(self) -> None:
        """Drop every row and mark: another run is shown."""
        self._rows.clear()
        self._asked, self._failures_seen, self._name_width = frozenset(), False, 0
        self.order_changed()
        self.clear_ids()

    def reread(self) -> None:
        """Ask for the visible rows again; they may have changed."""
        if wanted := tuple(self._ids[index] for index in self._visible(0)):
            self.post_message(self.RowsWanted(wanted))

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        largest = max(self._ids[0], self._ids[-1]) if self._ids else 1
        return place_task_columns(self.columns, len(str(largest)), width, name_width=self._name_width)

    def row_cells(self, index: int) -> tuple[Content, ...]:
        task_id = self._ids[index]
        row = self._rows.get(task_id)
        if row is None:
            self._ask_soon()
            return unread_task_cells(task_id)
        self._rows.move_to_end(task_id)
        return task_cells(row, asked=task_id in self._asked)

    def _ask_soon(self) -> None:
        if not self._asking:
            self._asking = True
            self.call_later(self._ask)

    def _ask(self) -> None:
        """Ask for what is missing on this page and the ones beside it."""
        self._asking = False
        missing = tuple(
            i for i in (self._ids[index] for index in self._visible(self.rows_visible)) if i not in self._rows
        )
        if missing:
            self.post_message(self.RowsWanted(missing))

    def _visible(self, margin: int) -> range:
        first = self.first_visible
        return range(max(first - margin, 0), min(first + self.rows_visible + margin, len(self._ids)))

    def pick(self) -> None:
        if (task_id := self.current) is not None:
            self.post_message(self.Picked(task_id))

    def action_pick(self) -> None:
        self.pick()
