"""A list of a million items by their ids: their order, the cursor that stays on its item, and marks."""

import time
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.domain.task import BY_ID, SortField, TaskSort
from vqa_tui.tui.present.columns import GAP, Column
from vqa_tui.tui.present.task_rows import sort_of_column
from vqa_tui.tui.widgets.row_list import RowList

SLIDE_S = 0.3
"""Seconds in which a key is still meant for the item that was under the cursor before the list moved under it."""


class IdList(RowList):
    """Base of TaskList: holds the ids, eight bytes each, and which of them are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="items.mark", tooltip="Mark or unmark this item and go on"),
        Binding("v", "mark_range", "range", id="items.mark-range", tooltip="Begin a range here; then mark up to here"),
        Binding(
            "asterisk",
            "mark_all",
            "Mark all",
            id="items.mark-all",
            tooltip="Mark everything that the filter shows",
            show=False,
        ),
    ]

    @dataclass
    class CursorMoved(Message):
        """Another item is under the cursor; None when there is none."""

        task_id: int | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, IdList.CursorMoved)

    @dataclass
    class MarksChanged(Message):
        """Other items are marked than before."""

        number: int

    @dataclass
    class MarksDropped(Message):
        """So many items are marked no more, because another filter does not show them."""

        number: int

    @dataclass
    class SortWanted(Message):
        """The heading of a column was clicked."""

        by: SortField

    def __init__(self, columns: Sequence[Column], *, id: str | None, empty: Content) -> None:
        super().__init__(columns, id=id, empty=empty)
        self._ids: array[int] = array("q")
        self._sort = BY_ID
        self._marked: set[int] = set()
        self.left_number = 0
        """Items that were marked and left the list since a person marked any: the filter does not mean them now."""
        self._told: int | None = None
        self._kept: int | None = None
        """The item to which the cursor goes back when all ids are there, unless a person moves it meanwhile."""
        self._anchor: int | None = None
        """The item at which a range of marks begins."""
        self._anchor_row: int | None = None
        self._keeps_marks = False
        """Whether a filter is being typed: what it hides for a moment stays marked."""
        self._other_filter = False
        """Whether a person chose another filter that is not shown in full yet."""
        self._slid: tuple[int, float] | None = None
        """The item that a read of the list took from under the cursor, and when."""

    @property
    def ids(self) -> "array[int]":
        return self._ids

    @property
    def sort(self) -> TaskSort:
        """The order of the ids."""
        return self._sort

    @property
    def marked(self) -> frozenset[int]:
        return frozenset(self._marked)

    @property
    def marked_number(self) -> int:
        return len(self._marked)

    @property
    def range_begun(self) -> bool:
        """Whether a range of marks has begun and goes up to the cursor."""
        return self._anchor is not None

    @property
    def current(self) -> int | None:
        """The id of the item under the cursor, if there is one."""
        return self._ids[self.cursor] if self.cursor < len(self._ids) else None

    @property
    def target(self) -> int | None:
        """The item that a key pressed now is meant for: who presses it has seen what was there a moment ago."""
        if self._slid is not None and time.monotonic() - self._slid[1] < SLIDE_S:
            return self._slid[0]
        return self.current

    def meant_ids(self) -> list[int]:
        """Return the items that an action is about: the marked with an open range, or else the target."""
        meant = self._marked.union(self._ids[index] for index in self._range())
        if self._keeps_marks:
            meant.intersection_update(self._ids)
        if meant:
            return sorted(meant)
        return [self.target] if self.target is not None else []

    def keep_marks(self) -> None:
        """Keep what is marked, also where it is not shown, until `settle_marks`."""
        self._keeps_marks = self._other_filter = True

    def settle_marks(self) -> None:
        """Let the ids that come next decide what stays marked."""
        self._keeps_marks, self._other_filter = False, True

    def set_ids(self, ids: "array[int]", sort: TaskSort = BY_ID, *, complete: bool = True) -> None:
        """Show these items in this order; the cursor stays on its item, or where that would stand.

        What is not shown any more is not marked any more, unless a filter is being typed: an action never takes what
        cannot be seen. Without `complete` these are the first ones and the rest follows: marks stay, and so does where
        the cursor belongs.
        """
        current = self._kept if self._kept is not None else self.current
        other_order, self._sort = sort != self._sort, sort
        self._ids = ids
        if complete and self._marked and not self._keeps_marks:
            before = len(self._marked)
            self._marked.intersection_update(ids)
            dropped = before - len(self._marked)
            self._tell_marks(left=0 if self._other_filter else self.left_number + dropped)
            if self._other_filter and dropped:
                self.post_message(self.MarksDropped(dropped))
        if self._anchor is not None:
            self._anchor_row = self._row_of(self._anchor)
        if other_order:
            self.order_changed()
        self.rebuild()
        if current is not None:
            row = self._row_of(current)
            self._kept = current if row is None and not complete else None
            self.cursor = self._nearest(current) if row is None else row
        if self.target != current:
            chosen = self._other_filter or other_order
            self._slid = None if chosen or current is None else (current, time.monotonic())
        if complete and not self._keeps_marks:
            self._other_filter = False
        self._tell_cursor()

    def order_changed(self) -> None:
        """Say in the headings how the list is sorted."""
        raise NotImplementedError

    def _row_of(self, task_id: int) -> int | None:
        if self._sort == BY_ID:
            row = bisect_left(self._ids, task_id)
            return row if row < len(self._ids) and self._ids[row] == task_id else None
        try:
            return self._ids.index(task_id)
        except ValueError:
            return None

    def _nearest(self, task_id: int) -> int:
        """Return where an item would stand that is not shown."""
        return bisect_left(self._ids, task_id) if self._sort == BY_ID else self.cursor

    def clear_ids(self) -> None:
        """Hold nothing any more."""
        self._marked.clear()
        self._kept = self._anchor = self._slid = None
        self._ids = array("q")
        self.cursor = 0
        self.rebuild()
        self._tell_marks()

    def row_count(self) -> int:
        return len(self._ids)

    def row_marked(self, index: int) -> bool:
        return self._ids[index] in self._marked or (self._anchor is not None and index in self._range())

    def _range(self) -> range:
        """Return the rows from where the range began to the cursor."""
        if self._anchor is None or self._anchor_row is None:
            return range(0)
        return range(min(self._anchor_row, self.cursor), max(self._anchor_row, self.cursor) + 1)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self._anchor is not None:
            self._strips.clear()
            self.refresh()
        self._tell_cursor()

    def _tell_cursor(self) -> None:
        if self.current != self._told:
            self._told = self.current
            self.post_message(self.CursorMoved(self.current))

    def _tell_marks(self, *, left: int = 0) -> None:
        self.left_number = left
        self.post_message(self.MarksChanged(len(self._marked)))

    def action_mark(self) -> None:
        """Mark or unmark the item under the cursor and go to the next."""
        if (task_id := self.current) is None:
            return
        self._marked.symmetric_difference_update((task_id,))
        self.redraw_rows([self.cursor])
        self._kept = self._slid = None
        self.cursor += 1
        self._tell_marks()

    def action_mark_range(self) -> None:
        """Begin a range at this item; once more marks everything from there to here."""
        if self._anchor is None:
            self._anchor, self._anchor_row = self.current, self.cursor
        else:
            self._marked.update(self._ids[index] for index in self._range())
            self._anchor = None
        self._redraw_all()

    def action_mark_all(self) -> None:
        """Mark everything shown; once more unmarks it."""
        shown = set(self._ids)
        self._marked = set() if self._marked >= shown else shown
        self._anchor = None
        self._redraw_all()

    def drop_range(self) -> None:
        """Forget where a range began."""
        self._anchor = None
        self._redraw_all()

    def unmark_all(self) -> None:
        self._marked = set()
        self.drop_range()

    def _redraw_all(self) -> None:
        self._strips.clear()
        self.refresh()
        self._tell_marks()

    def action_move(self, by: int) -> None:
        self._kept = self._slid = None
        super().action_move(by)

    def action_page(self, by: int) -> None:
        self._kept = self._slid = None
        super().action_page(by)

    def action_move_to_start(self) -> None:
        self._kept = self._slid = None
        super().action_move_to_start()

    def action_move_to_end(self) -> None:
        self._kept = self._slid = None
        super().action_move_to_end()

    def on_click(self, event: events.Click) -> None:
        """Sort by the heading under the mouse, or go to the row."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y:
            self._kept = self._slid = None
            return
        event.stop()
        x = self.margin_cells
        for placed in self._placed:
            by = sort_of_column(placed.index)
            if x <= offset.x < x + placed.width and by is not None:
                self.post_message(self.SortWanted(by))
            x += placed.width + GAP
