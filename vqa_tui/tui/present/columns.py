"""Which columns of a table fit into a width, and how wide each becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Cells between two columns."""

EARLY_DROP = 5
"""Columns with this `drop` or more go before any other column shrinks; the rest only when nothing can shrink more."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its width is that of its widest cell, held between `least` and `most` cells."""

    title: str
    least: int
    most: int
    right: bool = False
    grow: bool = False
    """Takes the cells that are left over."""
    drop: int = 0
    """Where space is short the highest number goes first; 0 stays. See EARLY_DROP."""
    soft: bool = False
    """Shrinks before the others do."""
    optional: bool = False
    """Not shown where every cell of it is empty."""
    keep_end: bool = False
    """Cut at the start: of paths the end tells them apart."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown: its index among all columns, and its width in cells."""

    index: int
    width: int


def place(columns: Sequence[Column], widest: Sequence[int], width: int) -> tuple[Placed, ...]:
    """Return the columns that fit into `width` cells, in order.

    `widest` holds the widest cell of each column. First columns that are nice to have go, then the rest shrink towards
    `least`, then those that may go do; what is left over is given to the columns that `grow`.
    """
    wanted = [
        min(max(seen, len(column.title), column.least), max(column.most, column.least))
        for column, seen in zip(columns, widest, strict=True)
    ]
    shown = [index for index, column in enumerate(columns) if widest[index] or not column.optional]
    least = [column.least for column in columns]
    _drop_until_fit(columns, shown, wanted, width, at_least=EARLY_DROP)
    _drop_until_fit(columns, shown, least, width, at_least=1)
    widths = {index: wanted[index] for index in shown}
    over = sum(widths.values()) + GAP * max(len(shown) - 1, 0) - width
    for index in sorted(shown, key=lambda index: (columns[index].soft, widths[index] - least[index]), reverse=True):
        if over <= 0:
            break
        cut = min(over, widths[index] - columns[index].least)
        widths[index] -= cut
        over -= cut
    growing = [index for index in shown if columns[index].grow]
    if over < 0 and growing:
        each, rest = divmod(-over, len(growing))
        for position, index in enumerate(growing):
            widths[index] += each + (1 if position < rest else 0)
    return tuple(Placed(index, widths[index]) for index in shown)


def _drop_until_fit(
    columns: Sequence[Column], shown: list[int], widths: Sequence[int], width: int, *, at_least: int
) -> None:
    while sum(widths[index] for index in shown) + GAP * max(len(shown) - 1, 0) > width:
        candidates = [index for index in shown if columns[index].drop >= at_least]
        if not candidates:
            return
        shown.remove(max(candidates, key=lambda index: columns[index].drop))
