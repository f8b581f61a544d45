"""Quotas by the day when the clock is set: no day is spent twice, and nobody waits longer than to the next midnight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.run import Limits

A = KeyConfig(name="a")
DAY_S = 86_400.0
NOON = 1_795_262_400.0
DAY_IS_OVER = Failure(FailureKind.QUOTA_EXHAUSTED, "used up (PerDay)", by_day=True)


def ring_at(wall: float, quota: Quota) -> tuple[Ring, Clocks]:
    clocks = Clocks(wall)
    return Ring(endpoint(A, quota=quota), clocks=clocks), clocks


def take_all(ring: Ring) -> int:
    """Borrow until there is no more, and return how often that was possible."""
    taken = 0
    while (loan := ring.try_borrow()) is not None:
        ring.used(loan, None)
        taken += 1
    return taken


def free_in(ring: Ring) -> float:
    free = ring.next_free()
    assert free is not None
    return free[1]


async def test_a_clock_that_jumps_ahead_and_back_finds_the_day_used_up() -> None:
    ring, clocks = ring_at(NOON, Quota(requests_per_day=10))
    assert take_all(ring) == 10
    clocks.time += 3 * DAY_S
    assert take_all(ring) == 10
    clocks.time -= 3 * DAY_S
    assert take_all(ring) == 0 and free_in(ring) == DAY_S / 2
    clocks.pass_by(DAY_S / 2)
    ring.look_again()
    assert take_all(ring) == 10


async def test_a_clock_that_was_ahead_from_the_start_holds_nobody_back_beyond_the_next_midnight() -> None:
    ring, clocks = ring_at(NOON + 3 * DAY_S, Quota(requests_per_day=10))
    assert take_all(ring) == 10
    clocks.time = NOON
    # They were made on this day, whatever the clock said.
    assert take_all(ring) == 0 and free_in(ring) == DAY_S / 2


async def test_what_was_taken_while_the_clock_was_ahead_counts_against_the_day_it_was() -> None:
    ring, clocks = ring_at(NOON, Quota(requests_per_day=10))
    loans = [await ring.borrow() for _ in range(4)]
    clocks.time += DAY_S
    # Those under way may be counted in the day that seems to have begun.
    loans += [await ring.borrow() for _ in range(3)]
    assert ring.try_borrow() is not None
    clocks.time -= DAY_S
    for loan in loans:
        ring.used(loan, None)
    assert take_all(ring) == 10 - 8


@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 6), st.integers(0, 6)), max_size=12))
async def test_however_the_clock_jumps_and_returns_a_day_is_spent_once(jumps: list[tuple[float, int, int]]) -> None:
    ring, clocks = ring_at(NOON, Quota(requests_per_day=10))
    taken = 0
    for days, here, there in jumps:
        taken += sum(ring.try_borrow() is not None for _ in range(here))
        clocks.time = NOON + days * DAY_S
        for _ in range(there):
            ring.try_borrow()
        assert free_in(ring) <= DAY_S
        clocks.time = NOON
        assert free_in(ring) <= DAY_S / 2
    assert taken <= 10


async def test_a_park_until_midnight_ends_at_the_midnight_of_a_clock_that_was_put_right() -> None:
    ring, clocks = ring_at(NOON + 3 * DAY_S, Quota())
    ring.used(await ring.borrow(), DAY_IS_OVER)
    assert free_in(ring) == DAY_S / 2
    clocks.time = NOON + DAY_S / 4
    assert free_in(ring) == DAY_S / 4 and ring.published()[0]["until"] == NOON + DAY_S / 2
    clocks.pass_by(DAY_S / 4)
    ring.used(await ring.borrow(), Failure(FailureKind.QUOTA_EXHAUSTED, "later", retry_after_s=7200))
    clocks.time -= DAY_S
    assert free_in(ring) == 7200


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_used_up_day_is_told_once_however_often_its_last_request_comes_back(limit: int) -> None:
    ring, clocks = ring_at(NOON, Quota(requests_per_day=limit))
    for _ in range(limit - 1):
        ring.used(await ring.borrow(), None)
    for _ in range(20):
        ring.used(await ring.borrow(), Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=0.5))
        clocks.pass_by(70)
    assert len(ring.told) == 1 and "of its day are used" in ring.told[0]
    clocks.pass_by(DAY_S)
    take_all(ring)
    assert len(ring.told) == 2
    ring.set_limits(Limits(requests_per_day={"a": limit + 1}))
    take_all(ring)
    assert len(ring.told) == 2
