"""What a run will cost, with its band, and estimate against billed: from the tallies, and never more than is known."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.run import CalibrationView, Counts, Limits, RunView, TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store import reads
from vqa_tui.store.money import cost_view
from vqa_tui.store.queue import TaskQueue

PRICED = '{"prices": {"input_per_million": "1", "output_per_million": "1"}}'
RECIPE = '{"expected_output_tokens": 300}'
FIRST = AttemptRecord("a", 1.0, 2.0, "ok", usage=Usage(1_080, 210), estimated_input_tokens=1_000)


async def answered(builder: Builder, costs: Sequence[int], *, items: int) -> RunView:
    """A run of `items` pictures of which the first were answered, at these costs in nano-dollars."""
    run_id = await builder.run(await builder.dataset(items), endpoint=PRICED)
    async with builder.database.write() as transaction:
        await transaction.execute("UPDATE run SET recipe = ? WHERE id = ?", (RECIPE, run_id))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(len(costs), now=0, pilot_only=False)
    await queue.settle(
        [
            TaskOutcome(task.id, TaskStatus.DONE, replace(FIRST, cost_nano=cost), True)
            for task, cost in zip(tasks, costs, strict=True)
        ]
    )
    view = await reads.run_view(builder.database, run_id, now=0.0, flights=())
    assert view is not None
    return view


async def test_the_band_is_what_the_scatter_of_the_answered_pictures_makes_of_the_rest(builder: Builder) -> None:
    costs = [1_000_000, 3_000_000] * 8
    cost = (await answered(builder, costs, items=116)).cost
    assert cost.spent == Decimal("0.032") and cost.projected == Decimal("0.232")
    # Sixteen of mean 2,000 and sd 1,000 micro-dollars, a hundred to come: 1.96 · 1,000 · sqrt(100²/16 + 100).
    half = Decimal(round(1.96 * 1_000 * math.sqrt(100**2 / 16 + 100))) / 1_000_000
    assert cost.projected_high == cost.projected + half
    assert cost.projected_low == cost.projected - half


@pytest.mark.parametrize("number", [1, 7])
async def test_too_few_answers_give_no_band(builder: Builder, number: int) -> None:
    cost = (await answered(builder, [2_000_000] * number, items=50)).cost
    assert cost.projected is not None
    assert cost.projected_low is None and cost.projected_high is None


async def test_estimate_and_billed_are_compared_where_both_are_known(builder: Builder) -> None:
    view = await answered(builder, [2_000_000] * 9, items=20)
    assert view.calibration == CalibrationView(9, 9_000, 9_720, 2_700, 1_890)
    fresh = await builder.run(await builder.dataset(2, "others"), name="fresh")
    unasked = await reads.run_view(builder.database, fresh, now=0.0, flights=())
    assert unasked is not None and unasked.calibration is None


def row(n: int, cost: int, squares: float) -> Any:
    """What is read of a row of the tally."""
    return {"n": n, "cost_nano": cost, "uncertain_nano": 0, "cost_squares": squares}


def test_attempts_older_than_their_squares_give_no_band() -> None:
    rows = [row(20, 40_000_000, 0.0)]
    cost = cost_view(rows, Counts(pending=80, done=20), Limits(), reserved_nano=0, known=True)
    assert cost.projected == Decimal("0.2") and cost.projected_low is None


def test_retries_widen_the_band() -> None:
    once = [row(20, 40_000_000, 20 * 2_000.0**2)]
    twice = [row(40, 40_000_000, 40 * 1_000.0**2)]
    counts = Counts(pending=80, done=20)
    alike, retried = (cost_view(rows, counts, Limits(), reserved_nano=0, known=True) for rows in (once, twice))
    assert alike.projected == alike.projected_low == alike.projected_high
    assert retried.projected_low is not None and retried.projected is not None
    assert retried.projected_low < retried.projected


def test_the_band_holds_both_outcomes_of_what_may_have_been_billed() -> None:
    rows = [row(20, 40_000_000, 20 * 2_000.0**2) | {"uncertain_nano": 10_000_000}]
    counts = Counts(pending=80, done=20)
    cost = cost_view(rows, counts, Limits(), reserved_nano=0, known=True)
    # Twenty for 0.04 make a hundred for 0.20; with what is uncertain twenty cost 0.05, and a hundred 0.25.
    assert cost.projected == cost.projected_low == Decimal("0.2")
    assert cost.projected_high == Decimal("0.25")


def test_where_nothing_was_reported_what_may_have_been_billed_is_projected() -> None:
    rows = [row(20, 0, 0.0) | {"uncertain_nano": 10_000_000}]
    counts = Counts(pending=80, done=20)
    cost = cost_view(rows, counts, Limits(), reserved_nano=0, known=True)
    assert cost.projected == Decimal("0.05") and cost.projected_high is None


@given(
    costs=st.lists(st.integers(0, 10**12), min_size=1, max_size=40),
    pending=st.integers(0, 10**6),
    uncertain=st.integers(0, 10**12),
)
def test_the_band_holds_the_projection_and_never_lies_below_what_is_spent(
    costs: list[int], pending: int, uncertain: int
) -> None:
    squares = sum((cost / 1e3) ** 2 for cost in costs)
    rows = [row(len(costs), sum(costs), squares) | {"uncertain_nano": uncertain}]
    counts = Counts(pending=pending, done=len(costs))
    cost = cost_view(rows, counts, Limits(), reserved_nano=0, known=True)
    assert cost.projected is not None and cost.projected >= (cost.spent or cost.uncertain)
    assert (cost.projected_low is None) == (cost.projected_high is None)
    if cost.projected_low is not None and cost.projected_high is not None:
        assert cost.spent <= cost.projected_low <= cost.projected <= cost.projected_high
        assert cost.projected_high >= cost.spent + cost.uncertain
