"""Rows of the list of items."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import SortField, TaskRow, TaskSort
from vqa_tui.tui.present.columns import Column, Placed, place
from vqa_tui.tui.present.numbers import clock, count, milliseconds, money
from vqa_tui.tui.present.phases import BAD, QUIET, kind_words, status_label
from vqa_tui.tui.present.rows import text

_FAILURE = 3
TASK_COLUMNS = (
    Column("#", 4, 9, right=True, drop=7),
    Column("Item", 16, 300, grow=True, keep_end=True),
    Column("Status", 11, 11),
    Column("Last failure", 12, 17, drop=2),
    Column("Tries", 5, 5, right=True),
    Column("Pairs", 5, 5, right=True, drop=3),
    Column("Slowest", 7, 9, right=True, drop=8),
    Column("Cost", 9, 11, right=True, drop=4),
    Column("Finished", 8, 10, right=True, drop=9),
)
_SORTED = {
    SortField.ID: 0,
    SortField.ATTEMPTS: 4,
    SortField.LATENCY: 6,
    SortField.COST: 7,
    SortField.FINISHED: 8,
}
"""Which column shows what a list may be sorted by."""
_MICRO_DOLLAR = Decimal("0.000001")


def task_columns(sort: TaskSort, *, failures: bool) -> tuple[Column, ...]:
    """Return the columns: the one that the list is sorted by has an arrow and always stays.

    A failure column with nothing in it is not shown: the names have its room.
    """
    columns = list(TASK_COLUMNS)
    if not failures:
        columns[_FAILURE] = replace(columns[_FAILURE], optional=True)
    index = _SORTED[sort.by]
    column = columns[index]
    title = f"{'▼' if sort.descending else '▲'} {column.title}"
    wider = replace(column, title=title, least=max(column.least, len(title)), most=max(column.most, len(title)))
    columns[index] = wider if sort.by is SortField.ID else replace(wider, drop=0)
    return tuple(columns)


def sort_of_column(index: int) -> SortField | None:
    """Return what a list is sorted by through this column, if it can be."""
    return next((by for by, column in _SORTED.items() if column == index), None)


def place_task_columns(
    columns: Sequence[Column], number_width: int, width: int, *, name_width: int = 0
) -> tuple[Placed, ...]:
    """Return the columns that fit into `width` cells; numbers and names are at most so many cells wide.

    Names are shown in full before what is nice to have is shown beside them. The last cell stays free, so that no
    number touches the bar.
    """
    return place(columns, [number_width, name_width, *([0] * (len(columns) - 2))], width - 1)


def task_cells(row: TaskRow, *, asked: bool = False) -> tuple[Content, ...]:
    """Return the cells of one item; `asked` when a request for it is in flight."""
    kind_style = BAD if row.status is TaskStatus.FAILED else QUIET
    return (
        Content.styled(str(row.id), QUIET),
        text(row.name),
        status_label(row.status, asked=asked).content(),
        Content.styled(kind_words(row.kind), kind_style) if row.kind else Content(""),
        _number(row.attempts),
        _number(row.samples),
        Content.styled("" if row.latency_ms is None else milliseconds(row.latency_ms), QUIET),
        Content.styled(_aligned_money(row.cost), "" if row.cost else QUIET),
        Content.styled(clock(row.finished_at) if row.finished_at is not None else "", QUIET),
    )


def unread_task_cells(task_id: int) -> tuple[Content, ...]:
    """Return the cells of an item whose row has not been read yet."""
    blank = Content("")
    return (Content.styled(str(task_id), QUIET), Content.styled("…", QUIET), *([blank] * (len(TASK_COLUMNS) - 2)))


def _number(value: int) -> Content:
    return Content.styled(count(value), "" if value else QUIET)


def _aligned_money(dollars: Decimal) -> str:
    """Return dollars with six decimals, so that the points of a column stand below each other."""
    if dollars == 0:
        return "–"
    return f"${dollars:.6f}" if _MICRO_DOLLAR <= dollars < 1_000 else money(dollars)
