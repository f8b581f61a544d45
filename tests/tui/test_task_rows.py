"""Rows of the list of items, and which of their columns fit."""

from decimal import Decimal

import pytest

from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import BY_ID, TaskRow
from vqa_tui.tui.present.task_rows import TASK_COLUMNS, place_task_columns, task_cells, task_columns


def row(status: TaskStatus, *, kind: str | None = None, cost: str = "0") -> TaskRow:
    return TaskRow(7, "a/b.jpg", status, kind, 4, Decimal(cost), 0, None)


def shown(width: int, *, failures: bool) -> list[str]:
    return [
        TASK_COLUMNS[placed.index].title
        for placed in place_task_columns(task_columns(BY_ID, failures=failures), 7, width)
    ]


def test_a_task_row() -> None:
    cells = task_cells(row(TaskStatus.FAILED, kind="bad_reply"))
    assert [cell.plain for cell in cells[:6]] == ["7", "a/b.jpg", "✖ failed", "bad reply", "4", "0"]


def test_only_a_task_that_is_being_asked_is_in_flight() -> None:
    taken = row(TaskStatus.LEASED)
    assert task_cells(taken)[2].plain == "▹ taken"
    assert task_cells(taken, asked=True)[2].plain == "▸ in flight"
    assert task_cells(row(TaskStatus.DONE), asked=True)[2].plain == "✔ done"


@pytest.mark.parametrize("costs", [("0.000137", "0.00015"), ("0.03", "1.84"), ("0.000001", "999.9")])
def test_the_points_of_costs_stand_below_each_other(costs: tuple[str, str]) -> None:
    first, second = (task_cells(row(TaskStatus.DONE, cost=cost))[7].plain for cost in costs)
    assert first[-7] == second[-7] == "."


def test_a_cost_below_a_millionth_is_not_told_as_nothing() -> None:
    assert task_cells(row(TaskStatus.DONE, cost="0.00000042"))[7].plain.strip("$0.") != ""
    assert task_cells(row(TaskStatus.DONE))[7].plain == "–"


def test_eighty_columns_tell_cost_and_failure() -> None:
    assert shown(74, failures=True) == ["Item", "Status", "Last failure", "Tries", "Pairs", "Cost"]


def name_width(width: int, *, failures: bool, longest: int) -> int:
    placed = place_task_columns(task_columns(BY_ID, failures=failures), 2, width, name_width=longest)
    return next(each.width for each in placed if each.index == 1)


@pytest.mark.parametrize("width", [60, 74, 194])
def test_an_empty_failure_column_is_not_shown(width: int) -> None:
    placed = place_task_columns(task_columns(BY_ID, failures=False), 7, width)
    assert "Last failure" not in shown(width, failures=False)
    assert "Last failure" in shown(width, failures=True)
    assert sum(each.width for each in placed) + 2 * (len(placed) - 1) == width - 1


def test_eighty_columns_show_names_in_full_before_what_is_nice_to_have() -> None:
    assert name_width(74, failures=False, longest=28) >= 28
    assert name_width(74, failures=False, longest=300) >= 30
    assert name_width(74, failures=True, longest=300) >= 16
    long = place_task_columns(task_columns(BY_ID, failures=False), 2, 74, name_width=300)
    assert [TASK_COLUMNS[each.index].title for each in long] == ["Item", "Status", "Tries", "Pairs", "Cost"]


def test_the_last_number_does_not_touch_the_scroll_bar() -> None:
    placed = place_task_columns(task_columns(BY_ID, failures=True), 7, 74)
    assert sum(each.width for each in placed) + 2 * (len(placed) - 1) == 73
