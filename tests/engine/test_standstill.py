"""A computer that slept, and clocks that jump: nobody pays for it, and nobody waits longer for it."""

import asyncio
import time

import pytest

from tests.engine.conftest import Workshop, answers, fails, until
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.work import LONGEST_WAIT_S
from vqa_tui.endpoints.client import Answer
from vqa_tui.engine import clock as clock_module
from vqa_tui.engine.breaker import LEAST_OUTCOMES
from vqa_tui.engine.clock import elapsed_time, steady_time, to_wall
from vqa_tui.engine.standstill import LEAST_GAP_S, Standstill
from vqa_tui.engine.throttle import FIRST_SLOTS
from vqa_tui.engine.worker import Worker

K = FailureKind


class Clocks:
    """A watch for standstills on clocks that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.computed = 50.0
        self.gaps: list[float] = []
        self.watch = Standstill(self.gaps.append, clock=lambda: self.now, busy=lambda: self.computed)
        self.watch.look()

    def pass_time(self, seconds: float, *, busy: float = 0.0) -> None:
        self.now += seconds
        self.computed += busy


def test_a_look_that_comes_far_too_late_is_a_gap_and_is_told_once() -> None:
    clocks = Clocks()
    for _ in range(40):
        clocks.pass_time(0.25, busy=0.2)
        clocks.watch.look()
    clocks.pass_time(LEAST_GAP_S, busy=0.1)
    clocks.watch.look()
    assert clocks.gaps == []
    clocks.pass_time(90.0, busy=0.1)
    clocks.watch.look()
    clocks.pass_time(0.25)
    clocks.watch.look()
    assert clocks.gaps == [90.0]


def test_what_took_long_before_the_first_look_is_no_gap() -> None:
    gaps: list[float] = []
    now = iter((1000.0, 1000.25))
    watch = Standstill(gaps.append, clock=lambda: next(now), busy=lambda: 0.0)
    assert not watch.fell_into(10.0) and not watch.fell_into(10.0) and gaps == []


def test_an_engine_that_computed_all_the_while_did_not_stand_still() -> None:
    clocks = Clocks()
    clocks.pass_time(30.0, busy=29.0)
    clocks.watch.look()
    assert clocks.gaps == [] and not clocks.watch.fell_into(999.0)


def test_a_request_fell_into_the_gap_if_it_began_before_it_even_when_nobody_has_looked_since() -> None:
    clocks = Clocks()
    started = clocks.now
    clocks.pass_time(90.0)
    assert clocks.watch.fell_into(started) and clocks.gaps == [90.0]
    started = clocks.now
    clocks.pass_time(1.0)
    assert not clocks.watch.fell_into(started)


@pytest.mark.parametrize(("kind", "spared"), [(K.NETWORK, True), (K.TIMEOUT, True), (K.SERVER, False)])
async def test_what_dies_in_a_standstill_is_asked_again_without_spending_an_attempt(
    workshop: Workshop, kind: FailureKind, spared: bool
) -> None:
    workshop.limits[0] = Limits(max_attempts=1)
    clocks, woke = Clocks(), asyncio.Event()

    async def sleep_then_fail() -> Answer:
        await woke.wait()
        return await fails(kind)()

    bench = workshop.bench
    object.__setattr__(bench, "standstill", clocks.watch)
    clocks.now = elapsed_time()
    clocks.watch.look()
    clocks.gaps.clear()
    workshop.client.script = sleep_then_fail
    work = [asyncio.create_task(Worker(bench).handle(workshop.task(number=n))) for n in range(FIRST_SLOTS)]
    await until(lambda: len(workshop.client.asked) == FIRST_SLOTS)
    clocks.now = elapsed_time() + 90
    woke.set()
    await asyncio.gather(*work)
    for outcome in workshop.writer.outcomes:
        assert outcome.attempt is not None and outcome.attempt.kind == kind
        assert outcome.spends_attempt is not spared
        assert outcome.status is (TaskStatus.PENDING if spared else TaskStatus.FAILED)
        assert outcome.attempt.uncertain_nano == (outcome.attempt.reserved_nano if spared else 0)
    assert len(clocks.gaps) <= 1 and bool(clocks.gaps) is spared
    for _ in range(LEAST_OUTCOMES - FIRST_SLOTS):
        bench.note_failure(kind)
    # What died in the standstill is not held against the endpoint.
    assert bool(workshop.halts) is not spared
    workshop.nothing_is_held()


async def test_a_wall_clock_that_jumps_changes_no_retry(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    workshop.client.script = fails(K.SERVER, 500)
    for jump in (0.0, -3600.0, 7200.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        before = steady_time()
        due = (await workshop.outcome()).not_before
        assert before + 0.2 <= due <= steady_time() + 2
        # What a person is told is by the clock on the wall.
        assert abs(to_wall(due) - due - jump) < 60


async def test_no_endpoint_puts_a_retry_off_for_hours(workshop: Workshop) -> None:
    workshop.client.script = fails(K.SERVER, 503, retry_after_s=86_400.0)
    due = (await workshop.outcome()).not_before
    assert steady_time() + LONGEST_WAIT_S - 5 <= due <= steady_time() + LONGEST_WAIT_S


async def test_a_latency_is_never_that_of_a_clock_that_was_set(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = asyncio.Event()

    async def hang() -> Answer:
        hanging.set()
        await asyncio.Event().wait()
        return await answers()()

    workshop.client.script = hang
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    await asyncio.wait_for(hanging.wait(), 20)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    (attempt,) = workshop.only_outcome().attempts
    assert attempt.latency_ms is not None and 0 <= attempt.latency_ms < 60_000


def test_the_clock_of_standstills_goes_on_while_the_computer_sleeps() -> None:
    assert getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) == clock_module._SLEEPLESS
    assert elapsed_time() <= elapsed_time()
