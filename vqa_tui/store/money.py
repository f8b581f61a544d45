"""What a run has cost and will cost, from its tallies: the projection with its band, and estimate against billed."""

import math
from collections.abc import Sequence
from decimal import Decimal

from vqa_tui.domain.cost import NANO_PER_DOLLAR, to_dollars
from vqa_tui.domain.run import CalibrationView, CostView, Counts, Limits
from vqa_tui.store.db import Row

LEAST_FOR_A_BAND = 8
"""Answered pictures below which nothing is said about how much they differ."""
_Z95 = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""
_MICRO_PER_DOLLAR = NANO_PER_DOLLAR // 1_000
_ROUNDING = 1e-9


def cost_view(
    attempts: Sequence[Row],
    counts: Counts,
    limits: Limits,
    *,
    reserved_nano: int,
    known: bool,
    ended: int | None = None,
) -> CostView:
    """Return the money of a run from the rows of `attempt_tally`; `known` tells whether its endpoint has prices.

    `ended` is how often a picture has ended, those included that were put back since: what these had cost is in the
    sums, so the cost of one more is what all of them had cost on average. None: none was put back.
    """
    spent = sum(row["cost_nano"] for row in attempts)
    uncertain = sum(row["uncertain_nano"] for row in attempts)
    finished = counts.done + counts.failed if ended is None else ended
    remaining = counts.pending + counts.leased
    projected = low = high = None
    if known and finished:
        # Where no usage is reported at all, what may have been billed is the only thing to project from.
        known_to_cost, perhaps = (spent, uncertain) if spent else (uncertain, 0)
        projected = to_dollars(known_to_cost + known_to_cost * remaining // finished)
        half = _half_width(attempts, finished, remaining)
        if half is not None:
            low = max(projected - half, to_dollars(known_to_cost))
            # Nobody knows whether it was billed, or what comes like it will be: at the most it all will.
            high = projected + half + to_dollars(perhaps + perhaps * remaining // finished)
    return CostView(
        spent=to_dollars(spent),
        reserved=to_dollars(reserved_nano),
        uncertain=to_dollars(uncertain),
        projected=projected,
        projected_low=low,
        projected_high=high,
        cap=limits.budget_usd,
        price_known=known,
    )


def _half_width(attempts: Sequence[Row], finished: int, remaining: int) -> Decimal | None:
    """Return half the 95 % band of what the remaining pictures will cost, in dollars; None where too little is known.

    The sum of R pictures, whose mean is known from n, varies by sd · sqrt(R²/n + R): the error of the mean, and the
    scatter of the R themselves. The sd of a picture comes from that of its attempts, m of them on average, their number
    taken as geometric: m · var + m · (m - 1) · mean².
    """
    billed = [row for row in attempts if row["cost_nano"]]
    number = sum(row["n"] for row in billed)
    if finished < LEAST_FOR_A_BAND or number < LEAST_FOR_A_BAND:
        return None
    mean = sum(row["cost_nano"] for row in billed) / 1_000 / number
    squares = sum(row["cost_squares"] for row in billed) / number
    if squares < mean * mean * (1 - _ROUNDING):
        # The mean of squares is never below the square of the mean: some attempts are older than the column.
        return None
    variance = max(squares - mean * mean, 0.0)
    each = max(number / finished, 1.0)
    of_a_picture = each * variance + each * (each - 1) * mean * mean
    half = _Z95 * math.sqrt(of_a_picture * (remaining * remaining / finished + remaining))
    return Decimal(round(half)) / _MICRO_PER_DOLLAR


def calibration_view(attempts: Sequence[Row], expected_output_tokens: int) -> CalibrationView | None:
    """Return estimate against billed over the attempts that have both; None before the first."""
    number = sum(row["compared_n"] for row in attempts)
    if not number:
        return None
    return CalibrationView(
        attempts=number,
        estimated_input=sum(row["estimated_input_tokens"] for row in attempts),
        billed_input=sum(row["compared_input_tokens"] for row in attempts),
        expected_output=expected_output_tokens * number,
        billed_output=sum(row["compared_output_tokens"] for row in attempts),
    )
