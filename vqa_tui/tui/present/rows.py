"""Rows of the live tables: runs, requests in flight, events; those of the keys stand in a file of their own."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from textual.content import Content

from vqa_tui.domain.run import EventView, SlotView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import (
    clock,
    count,
    short_age,
)
from vqa_tui.tui.present.phases import (
    QUIET,
    WARN,
    level_label,
)

T = TypeVar("T")

_CELL_LIMIT = 400
"""Longest text of a cell in characters; what does not fit into the column is cut when it is drawn."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `id` keeps the cursor in place when rows move."""

    id: Hashable
    cells: tuple[Content, ...]

    def same_as(self, other: "Row") -> bool:
        """Whether text and styles are the same; `==` of Content compares the text alone."""
        return self is other or (
            self.id == other.id
            and len(self.cells) == len(other.cells)
            and all(mine.is_same(theirs) for mine, theirs in zip(self.cells, other.cells, strict=True))
        )


class RowsWhenDrawn(Sequence[Row], Generic[T]):
    """The rows of `things`, each made when it is asked for: of hundreds a screen shows few.

    `ids` are those of the rows; the rows of `measured` are as wide as any.
    """

    def __init__(
        self, things: Sequence[T], make: Callable[[T], Row], *, ids: Sequence[Hashable], measured: Sequence[T]
    ) -> None:
        self._things, self._make, self._measured = things, make, measured
        self.ids = ids

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self._make(thing) for thing in self._things[index]]
        return self._make(self._things[index])

    def to_measure(self) -> Sequence[Row]:
        """Return rows that are as wide as any."""
        return [self._make(thing) for thing in self._measured]


def text(value: str, style: str = "") -> Content:
    """Return text that we did not write as one safe line."""
    return Content.styled(clean(value, one_line=True, limit=_CELL_LIMIT), style)


def number(value: int, style: str = "") -> Content:
    """Return a count; zero is quiet."""
    return Content.styled(count(value), style if value else QUIET)


SLOT_COLUMNS = (
    Column("Item", 8, 60, grow=True, keep_end=True),
    Column("Key", 3, 16),
    Column("Age", 5, 7, right=True),
)


def slot_row(slot: SlotView) -> Row:
    """Return one request in flight; old ones stand out by a mark, not only by colour."""
    old = slot.age_s >= 30
    age = Content.styled(("! " if old else "") + short_age(slot.age_s), WARN if old else "")
    return Row(slot.task_id, (text(slot.name), text(slot.key_name, QUIET), age))


def slot_rows(slots: Sequence[SlotView]) -> Sequence[Row]:
    """Return the requests in flight, the oldest first; it and the longest names say how wide the columns are."""
    ordered = sorted(slots, key=lambda slot: slot.age_s, reverse=True)
    measured = ordered[:1]
    if ordered:
        measured += [max(ordered, key=lambda slot: len(slot.name)), max(ordered, key=lambda slot: len(slot.key_name))]
    return RowsWhenDrawn(ordered, slot_row, ids=[slot.task_id for slot in ordered], measured=measured)


EVENT_COLUMNS = (
    Column("Time", 8, 8),
    Column("", 1, 1),
    Column("Event", 10, 400, grow=True),
)


def event_row(event: EventView) -> Row:
    """Return one event; its kind is a glyph, its message one line."""
    label = level_label(event.level)
    return Row(
        (event.level == "action", event.id),
        (
            Content.styled(clock(event.at), QUIET),
            Content.styled(label.glyph, label.style),
            text(event.message, "" if event.level in ("info", "action") else label.style),
        ),
    )


def widest(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Return the widest cell of each column over `rows`, in cells."""
    return [max((row.cells[index].cell_length for row in rows), default=0) for index in range(len(columns))]
