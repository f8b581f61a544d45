"""The cap under load: 64 requests in flight, random costs, and what can pass it when an endpoint bills too much."""

import asyncio
import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.engine.test_admission import Gate
from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.run import Limits
from vqa_tui.engine.admission import Admission, BudgetReached, Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import NEARLY_USED_UP, UNPROVEN_IN_FLIGHT, Budget
from vqa_tui.engine.keyring import Keyring

IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Job:
    """A request: what it is estimated at, what it really costs as a share of that, and whether nobody learns it."""

    estimate: int
    share: float
    lost: bool
    yields: int
    """How long it takes, in turns of the event loop."""


def jobs(most: float) -> "st.SearchStrategy[list[Job]]":
    job = st.builds(Job, st.integers(0, 10**9), st.floats(0, most), st.booleans(), st.integers(0, 6))
    return st.lists(job, min_size=1, max_size=150)


class Till:
    """Takes jobs through a real gatekeeper, IN_FLIGHT at once, and watches the cap at every step."""

    def __init__(self, cap: int, *, proven: bool) -> None:
        endpoint = Endpoint(
            name="e",
            base_url="http://127.0.0.1:1/v1",
            model="m",
            keys=(KeyConfig(name="a"),),
            quota=Quota(concurrency=IN_FLIGHT),
        )
        self.budget = Budget(cap, proven=proven)
        self.cap = cap
        keyring = Keyring(endpoint, {"a": SecretStr("x")}, Limits(concurrency=IN_FLIGHT), {})
        self.gate = Gatekeeper(keyring, self.budget, Board())
        self.excess = 0
        """What settled requests cost beyond what was known, when they went out, of what requests cost."""
        self.seen = 1.0
        """Largest cost ÷ estimate of an answer so far, reckoned here and not by the budget."""
        self.answered = proven
        self.paying = 0
        """Requests in flight that may cost something."""
        self.refused = 0
        self.most_in_flight = 0

    async def take(self, all_jobs: list[Job]) -> None:
        waiting = list(reversed(all_jobs))

        async def work() -> None:
            while waiting:
                await self._one(waiting.pop())

        await asyncio.wait_for(asyncio.gather(*(work() for _ in range(IN_FLIGHT))), 30)
        assert self.budget.reserved == 0 and self.gate.keyring.keys[0].in_flight == 0

    async def _one(self, job: Job) -> None:
        try:
            admission = await self.gate.admit(job.estimate)
        except BudgetReached as reached:
            self.refused += 1
            assert reached.needed > reached.left or self.budget.used > self.cap
            return
        set_aside = int(job.estimate * self.seen)
        assert admission.reserved >= set_aside * (1 - 1e-9)
        self.paying += job.estimate > 0
        if job.estimate and not self.answered:
            assert self.paying <= UNPROVEN_IN_FLIGHT
        self.most_in_flight = max(self.most_in_flight, self.gate.keyring.keys[0].in_flight)
        self._check()
        for _ in range(job.yields):
            await asyncio.sleep(0)
        self._settle(job, admission, set_aside)
        self.paying -= job.estimate > 0
        self._check()

    def _settle(self, job: Job, admission: Admission, set_aside: int) -> None:
        actual = 0 if job.lost else int(job.estimate * job.share)
        uncertain = admission.reserved if job.lost else 0
        self.gate.settle(admission, actual=actual, uncertain=uncertain, answered=not job.lost)
        self.gate.keyring.used(admission.loan, None)
        self.excess += max(actual + uncertain - set_aside, 0)
        self.answered = self.answered or not job.lost
        if actual:
            self.seen = max(self.seen, actual / job.estimate)

    def _check(self) -> None:
        assert self.budget.spent + self.budget.uncertain <= self.cap + self.excess
        if not self.excess:
            assert self.budget.spent + self.budget.uncertain + self.budget.reserved <= self.cap


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30 * 10**9), jobs(1.0), st.booleans())
async def test_as_long_as_estimates_are_bounds_the_cap_is_never_passed_not_by_one_request(
    cap: int, all_jobs: list[Job], proven: bool
) -> None:
    till = Till(cap, proven=proven)
    await till.take(all_jobs)
    assert till.excess == 0 and till.budget.spent + till.budget.uncertain <= cap


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30 * 10**9), jobs(7.0), st.booleans())
async def test_what_passes_the_cap_is_only_what_requests_cost_beyond_a_bound_that_nobody_knew_to_be_too_low(
    cap: int, all_jobs: list[Job], proven: bool
) -> None:
    till = Till(cap, proven=proven)
    await till.take(all_jobs)
    assert till.budget.spent + till.budget.uncertain <= cap + till.excess


async def test_64_are_really_in_flight_and_the_cap_is_used_to_the_last_request() -> None:
    chance = random.Random(7)
    till = Till(100 * 10**9, proven=True)
    await till.take([Job(10**9, chance.uniform(0.2, 1.0), False, 5) for _ in range(1000)])
    assert till.most_in_flight > IN_FLIGHT // 4 and till.refused > 0
    assert till.cap - 10**9 < till.budget.spent <= till.cap


async def test_before_the_first_price_is_known_the_excess_is_that_of_a_few() -> None:
    till = Till(20 * 10**9, proven=False)
    await till.take([Job(10**9, 5.0, False, 3) for _ in range(200)])
    assert till.excess == UNPROVEN_IN_FLIGHT * 4 * 10**9
    assert till.budget.spent == 20 * 10**9


async def test_nearness_of_the_cap_counts_what_may_have_been_billed() -> None:
    gate = Gate(Budget(1000, proven=True))
    assert not gate.budget.is_nearly_used_up
    gate.settle(await gate.admit(500), actual=500, uncertain=0)
    gate.settle(await gate.admit(299), actual=0, uncertain=299)
    assert (gate.budget.used, gate.budget.is_nearly_used_up) == (799, False)
    gate.settle(await gate.admit(1), actual=1, uncertain=0)
    assert gate.budget.is_nearly_used_up and gate.budget.used == 1000 * NEARLY_USED_UP
    gate.set_cap(None)
    assert not gate.budget.is_nearly_used_up
