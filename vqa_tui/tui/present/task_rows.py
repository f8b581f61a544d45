"""Rows of the list of items."""

from dataclasses import replace
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskRow
from vqa_tui.tui.present.columns import Column, Placed, place
from vqa_tui.tui.present.numbers import clock, count, money
from vqa_tui.tui.present.phases import BAD, QUIET, kind_words, status_label
from vqa_tui.tui.present.rows import text

_FAILURE = 3
TASK_COLUMNS = (
    Column("#", 4, 9, right=True, drop=7),
    Column("Item", 16, 300, grow=True, keep_end=True),
    Column("Status", 11, 11),
    Column("Last failure", 12, 17, drop=3),
    Column("Tries", 5, 5, right=True),
    Column("Pairs", 5, 5, right=True, drop=4),
    Column("Cost", 9, 11, right=True, drop=5),
    Column("Finished", 8, 8, right=True, drop=9),
)
_WITHOUT_FAILURES = tuple(
    replace(column, drop=8) if index == _FAILURE else column for index, column in enumerate(TASK_COLUMNS)
)
_MICRO_DOLLAR = Decimal("0.000001")


def place_task_columns(number_width: int, width: int, *, failures: bool) -> tuple[Placed, ...]:
    """Return the columns that fit into `width` cells; a failure column with nothing in it goes before pairs and cost.

    The last cell stays free, so that no number touches the scroll bar.
    """
    columns = TASK_COLUMNS if failures else _WITHOUT_FAILURES
    return place(columns, [number_width, *([0] * (len(columns) - 1))], width - 1)


def task_cells(row: TaskRow, *, asked: bool = False) -> tuple[Content, ...]:
    """Return the cells of one item; `asked` when a request for it is in flight."""
    kind_style = BAD if row.status is TaskStatus.FAILED else QUIET
    return (
        Content.styled(str(row.id), QUIET),
        text(row.item_key),
        status_label(row.status, asked=asked).content(),
        Content.styled(kind_words(row.kind), kind_style) if row.kind else Content(""),
        _number(row.attempts),
        _number(row.samples),
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
