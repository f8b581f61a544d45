"""Limits of tokens hold when requests take more than was expected of them, and are used when they take less."""

import asyncio
import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.token_ratio import UNPROVEN_IN_FLIGHT
from vqa_tui.engine.keyring import Loan

A = KeyConfig(name="a")
LIMIT, EXPECTED = 60_000, 1000
MINUTES = 5


async def requests_under_load(taken: list[int], latency_s: float, *, minutes: int = MINUTES) -> list[tuple[float, int]]:
    """Return start and tokens of all that start within the limit in so many minutes; `taken` are the tokens that one
    after the other really takes, over and over."""
    clocks = Clocks()
    ring = Ring(endpoint(A, quota=Quota(tokens_per_minute=LIMIT)), clocks=clocks)
    started: list[tuple[float, int]] = []
    ends: list[tuple[float, int, Loan]] = []
    waiting: asyncio.Task[Loan] | None = None
    until = clocks.now + 60 * minutes
    while clocks.now < until:
        if waiting is None and len(ends) < 64:
            waiting = asyncio.create_task(ring.borrow(RequestSize(EXPECTED // 2, EXPECTED // 2)))
            await asyncio.sleep(0)
        if waiting is not None and waiting.done():
            heapq.heappush(ends, (clocks.now + latency_s, len(started), waiting.result()))
            started.append((clocks.now, taken[len(started) % len(taken)]))
            waiting = None
            continue
        times = [ends[0][0]] if ends else []
        free = ring.next_free() if waiting is not None else None
        if free is not None and free[1] < 1e6:
            times.append(clocks.now + free[1] + 1e-6)
        clocks.pass_by(max(min(times) - clocks.now, 1e-6))
        if ends and ends[0][0] <= clocks.now:
            _at, number, loan = heapq.heappop(ends)
            half = started[number][1] // 2
            ring.used(loan, None, usage=Usage(half, started[number][1] - half))
        ring.look_again()
        await asyncio.sleep(0)
    if waiting is not None:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return started


def most_in_any_minute(started: list[tuple[float, int]]) -> int:
    most = total = oldest = 0
    for at, tokens in started:
        total += tokens
        while started[oldest][0] <= at - 60:
            total -= started[oldest][1]
            oldest += 1
        most = max(most, total)
    return most


@pytest.mark.parametrize("latency_s", [1.0, 8.0])
@pytest.mark.parametrize("ratio", [0.25, 1.0, 1.5, 3.0])
async def test_no_minute_takes_more_tokens_than_the_limit_and_almost_all_of_it_is_used(
    ratio: float, latency_s: float
) -> None:
    started = await requests_under_load([int(EXPECTED * ratio)], latency_s)
    assert most_in_any_minute(started) <= LIMIT
    began = started[0][0] + 60
    used = sum(tokens for at, tokens in started if at >= began)
    # Until its reply comes, what was expected is held for a request that takes less.
    possible = LIMIT * 60 * ratio / ((60 - latency_s) * ratio + latency_s * max(ratio, 1))
    assert used >= 0.97 * possible * (MINUTES - 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6000), min_size=1, max_size=30) | st.integers(1, 6000).map(lambda tokens: [tokens]))
async def test_replies_of_any_size_pass_the_limit_by_what_was_in_flight_when_a_dearer_one_came(
    taken: list[int],
) -> None:
    started = await requests_under_load(taken, 1.0, minutes=2)
    largest = max(taken)
    # Before the first reply only two are out; later, requests admitted by the largest ratio of those before.
    if min(taken) == largest:
        assert most_in_any_minute(started) <= LIMIT + UNPROVEN_IN_FLIGHT * max(largest - EXPECTED, 0)
    assert most_in_any_minute(started) <= LIMIT * max(largest / EXPECTED, 1)


async def test_before_the_first_reply_only_two_requests_are_out_where_tokens_are_limited() -> None:
    ring = Ring(endpoint(A, quota=Quota(output_tokens_per_minute=LIMIT)), clocks=Clocks())
    size = RequestSize(500, 500)
    first = await ring.borrow(size)
    await ring.borrow(size)
    assert ring.try_borrow(size) is None
    free = ring.next_free()
    assert free is not None and free[1] == float("inf") and "first reply" in free[2]
    ring.used(first, None, usage=Usage(500, 500))
    assert ring.try_borrow(size) is not None and ring.try_borrow(size) is not None
    unlimited = Ring(endpoint(A, quota=Quota(requests_per_minute=9)), clocks=Clocks())
    assert all([unlimited.try_borrow(size) for _ in range(9)])


async def test_a_dear_reply_raises_what_is_held_for_all_that_are_under_way() -> None:
    ring = Ring(endpoint(KeyConfig(name="a", group="g", quota=Quota(tokens_per_minute=9000)), groups={"g": Quota()}))
    ring.used(await ring.borrow(RequestSize(500, 500)), None, usage=Usage(500, 500))
    loans = [await ring.borrow(RequestSize(500, 500)) for _ in range(4)]
    ring.used(loans[0], None, usage=Usage(1000, 1000))
    gauges = ring.published()[0]["gauges"]
    assert isinstance(gauges, list) and gauges[0]["used"] == 1000 + 2000 + 3 * 2000
    assert loans[1].expected == RequestSize(1000, 1000)
    assert ring.try_borrow(RequestSize(500, 500)) is None
    ring.give_back(loans[1])
    assert ring.try_borrow(RequestSize(500, 500)) is not None


async def test_a_try_that_finds_no_room_leaves_no_trace() -> None:
    ring = Ring(endpoint(A), clocks=Clocks())
    (throttle,) = ring.throttled
    throttle.slots = 1
    loan = await ring.borrow()
    assert ring.try_borrow() is None
    ring.used(loan, None)
    assert throttle.heard == ["succeeded"] and ring.waiting == 0
    loan = await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    throttle.slots = 2
    # Room there is, but somebody stands in line for it.
    assert ring.try_borrow() is None
    ring.used(loan, None)
    ring.give_back(await waiting)
    assert "succeeded, saturated" in throttle.heard
