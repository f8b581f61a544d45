"""The virtual list of items: holds ids only, and asks for the rows that are about to be seen."""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.domain.task import TaskRow
from vqa_tui.tui.present.columns import Placed
from vqa_tui.tui.present.task_rows import TASK_COLUMNS, place_task_columns, task_cells, unread_task_cells
from vqa_tui.tui.widgets.row_list import RowList

ROWS_KEPT = 2_000
"""Rows held in memory; the least recently drawn goes first."""


class TaskList(RowList):
    """A million items cost eight bytes each; rows are read by page when they are drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "Inspect", id="items.inspect", tooltip="Look at this item in full"),
        Binding("space", "mark", "Mark", id="items.mark", tooltip="Mark or unmark this item and go on"),
        Binding(
            "asterisk",
            "mark_all",
            "Mark all",
            id="items.mark-all",
            tooltip="Mark everything that the filter shows",
            show=False,
        ),
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
    class CursorMoved(Message):
        """Another item is under the cursor; None when there is none."""

        task_id: int | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TaskList.CursorMoved)

    @dataclass
    class Picked(Message):
        """An item was chosen with Enter or a double click."""

        task_id: int

    @dataclass
    class MarksChanged(Message):
        """Other items are marked than before."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(TASK_COLUMNS, id=id, empty=Content.styled("no item matches", "$foreground 60%"))
        self._ids: array[int] = array("q")
        self._rows: OrderedDict[int, TaskRow] = OrderedDict()
        self._marked: set[int] = set()
        self._asked: Set[int] = frozenset()
        self._failures_seen = False
        self._asking = False
        self._told: int | None = None

    @property
    def ids(self) -> "array[int]":
        return self._ids

    @property
    def marked(self) -> frozenset[int]:
        return frozenset(self._marked)

    @property
    def current(self) -> int | None:
        """The id of the item under the cursor, if there is one."""
        return self._ids[self.cursor] if self.cursor < len(self._ids) else None

    def row(self, task_id: int) -> TaskRow | None:
        """Return the row of an item if it has been read."""
        return self._rows.get(task_id)

    def set_ids(self, ids: "array[int]") -> None:
        """Show these items, in ascending order; the cursor stays on its item, or where that would stand.

        What is not shown any more is not marked any more: an action never takes what cannot be seen.
        """
        current = self.current
        self._ids = ids
        if self._marked:
            self._marked.intersection_update(ids)
            self._tell_marks()
        self.rebuild()
        if current is not None:
            self.cursor = bisect_left(ids, current)
        self.reread()
        self._tell_cursor()

    def put(self, rows: Mapping[int, TaskRow]) -> None:
        """Take in rows that were read; visible ones that changed are drawn again."""
        changed = {task_id for task_id, row in rows.items() if self._rows.get(task_id) != row}
        for task_id, row in rows.items():
            self._rows[task_id] = row
            self._rows.move_to_end(task_id)
        while len(self._rows) > ROWS_KEPT:
            self._rows.popitem(last=False)
        if not self._failures_seen and any(row.kind for row in rows.values()):
            self._failures_seen = True
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
        self._marked.clear()
        self._asked, self._failures_seen = frozenset(), False
        self._ids = array("q")
        self.cursor = 0
        self.rebuild()
        self._tell_marks()

    def reread(self) -> None:
        """Ask for the visible rows again; they may have changed."""
        if wanted := tuple(self._ids[index] for index in self._visible(0)):
            self.post_message(self.RowsWanted(wanted))

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        number_width = len(str(self._ids[-1])) if self._ids else 1
        return place_task_columns(number_width, width, failures=self._failures_seen)

    def row_count(self) -> int:
        return len(self._ids)

    def row_cells(self, index: int) -> tuple[Content, ...]:
        task_id = self._ids[index]
        row = self._rows.get(task_id)
        if row is None:
            self._ask_soon()
            return unread_task_cells(task_id)
        self._rows.move_to_end(task_id)
        return task_cells(row, asked=task_id in self._asked)

    def row_marked(self, index: int) -> bool:
        return self._ids[index] in self._marked

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

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._tell_cursor()

    def _tell_cursor(self) -> None:
        if self.current != self._told:
            self._told = self.current
            self.post_message(self.CursorMoved(self.current))

    def _tell_marks(self) -> None:
        self.post_message(self.MarksChanged(len(self._marked)))

    def pick(self) -> None:
        if (task_id := self.current) is not None:
            self.post_message(self.Picked(task_id))

    def action_pick(self) -> None:
        self.pick()

    def action_mark(self) -> None:
        """Mark or unmark the item under the cursor and go to the next."""
        if (task_id := self.current) is None:
            return
        self._marked.symmetric_difference_update((task_id,))
        self.redraw_rows([self.cursor])
        self.cursor += 1
        self._tell_marks()

    def action_mark_all(self) -> None:
        """Mark everything shown; once more unmarks it."""
        shown = set(self._ids)
        self._marked = set() if self._marked >= shown else shown
        self._redraw_all()

    def unmark_all(self) -> None:
        self._marked = set()
        self._redraw_all()

    def _redraw_all(self) -> None:
        self._strips.clear()
        self.refresh()
        self._tell_marks()
