"""The gate: once it is shut nothing is sent, and over all keys no more is in flight than a person allows."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.conftest import MakeWorkshop, Workshop, answers, until
from tests.engine.rings import Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.quota import UNSIZED, RequestSize
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.work import TaskOutcome
from vqa_tui.endpoints.at_hand import PicturesAtHand
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.keyring import Loan, NotNow
from vqa_tui.engine.worker import Worker


class CountingRing(Ring):
    """Counts how often a key is asked for."""

    borrowed = 0

    async def borrow(self, size: RequestSize = UNSIZED) -> Loan:
        self.borrowed += 1
        return await super().borrow(size)


def gate_of(keys: int = 1, *, cap: int | None = None, quota: Quota | None = None) -> tuple[Gatekeeper, CountingRing]:
    ring = CountingRing(endpoint(*(KeyConfig(name=f"k{n}") for n in range(keys)), quota=quota))
    return Gatekeeper(ring, Budget(cap, proven=True), Board()), ring


async def test_a_closed_gate_admits_nobody_until_it_is_opened() -> None:
    gate, _ring = gate_of()
    gate.close()
    with pytest.raises(NotNow):
        await gate.admit(1)
    gate.open()
    assert (await gate.admit(1)).reserved == 1


async def test_a_key_that_was_lent_just_before_the_gate_closed_is_given_back() -> None:
    gate, ring = gate_of(quota=Quota(concurrency=1))
    first = await gate.admit(1)
    second = asyncio.create_task(gate.admit(1))
    await until(lambda: ring.waiting == 1)
    # In one step of the event loop: the key goes to who waits for it, and the gate closes.
    gate.give_back(first)
    gate.close()
    with pytest.raises(NotNow):
        await second
    assert ring.keys[0].in_flight == 0 and gate.budget.reserved == 0


@pytest.mark.parametrize("hedge", [False, True])
async def test_a_worker_that_was_preparing_when_the_gate_closed_sends_nothing(workshop: Workshop, hedge: bool) -> None:
    workshop.limits[0] = Limits(hedge=hedge)
    workshop.bench = replace(workshop.bench, at_hand=PicturesAtHand(trusted=False))
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    await until(lambda: workshop.bench.board.preparing == 1)
    workshop.bench.gatekeeper.close()
    await asyncio.wait_for(work, 20)
    assert workshop.only_outcome() == TaskOutcome(7, TaskStatus.PENDING) and workshop.client.asked == []


async def test_a_gate_that_closes_between_admission_and_sending_of_a_raced_request_holds_it_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.limits[0] = Limits(hedge=True)
    gate = workshop.bench.gatekeeper
    admit = gate.admit

    async def and_close(estimate: int, size: RequestSize = UNSIZED) -> object:
        admission = await admit(estimate, size)
        asyncio.get_running_loop().call_soon(gate.close)
        return admission

    monkeypatch.setattr(gate, "admit", and_close)
    await Worker(workshop.bench).handle(workshop.task())
    assert workshop.only_outcome() == TaskOutcome(7, TaskStatus.PENDING) and workshop.client.asked == []


async def test_over_several_quota_groups_no_more_is_in_flight_than_the_run_allows() -> None:
    gate, _ring = gate_of(keys=4)
    gate.set_concurrency(2)
    held = [await gate.admit(0), await gate.admit(0)]
    waiting = [asyncio.create_task(gate.admit(0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    gate.give_back(held.pop())
    await until(lambda: sum(each.done() for each in waiting) == 1)
    gate.set_concurrency(4)
    await asyncio.wait_for(asyncio.gather(*waiting), 20)


async def test_a_settlement_lets_one_at_a_time_look_for_money_and_nobody_takes_a_key_in_vain() -> None:
    gate, ring = gate_of(cap=3_000)
    held = [await gate.admit(1_000) for _ in range(3)]
    waiting = [asyncio.create_task(gate.admit(1_000)) for _ in range(200)]
    await asyncio.sleep(0)
    assert ring.borrowed == 3
    gate.keyring.used(held[0].loan, None)
    gate.settle(held[0], actual=0, uncertain=0)
    await until(lambda: sum(each.done() for each in waiting) == 1)
    for _ in range(20):
        await asyncio.sleep(0)
    assert ring.borrowed == 4
    # Room for several at once lets several on.
    gate.set_cap(10_000)
    await until(lambda: sum(each.done() for each in waiting) == 8)
    assert ring.borrowed == 11
    gate.set_cap(None)
    await asyncio.wait_for(asyncio.gather(*waiting), 20)


async def test_money_that_binds_uses_up_no_day() -> None:
    gate, ring = gate_of(cap=1_000, quota=Quota(requests_per_day=2))
    await gate.admit(1_000)
    waiting = [asyncio.create_task(gate.admit(1_000)) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any("of its day are used" in told for told in ring.told)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_is_cancelled_at_the_moment_he_is_woken_lets_the_next_one_look() -> None:
    gate, ring = gate_of(cap=1_000)
    held = await gate.admit(1_000)
    first, second = (asyncio.create_task(gate.admit(1_000)) for _ in range(2))
    await asyncio.sleep(0)
    ring.used(held.loan, None)
    gate.settle(held, actual=0, uncertain=0)
    first.cancel()
    assert (await asyncio.wait_for(second, 20)).reserved == 1_000
    await asyncio.gather(first, return_exceptions=True)


async def test_a_free_endpoint_with_a_cap_uses_its_slots_from_the_first_request() -> None:
    gate, _ring = gate_of()
    gate.budget.cap, gate.budget.proven = 10**9, False
    assert len([await asyncio.wait_for(gate.admit(0), 20) for _ in range(16)]) == 16


async def test_the_estimate_is_of_the_picture_that_is_sent(
    make_workshop: MakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = make_workshop()
    workshop.limits[0] = Limits(max_side=16)
    asked: list[object] = []
    request = workshop.bench.estimator.request

    def spy(*arguments: Any, max_side: int | None, **more: Any) -> Any:
        asked.append(max_side)
        return request(*arguments, max_side=max_side, **more)

    monkeypatch.setattr(workshop.bench.estimator, "request", spy)
    workshop.client.script = answers()
    workshop.writer.healthy.clear()
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    await until(lambda: workshop.bench.board.preparing == 1)
    await until(lambda: workshop.bench.board.preparing == 0)
    # Its body is ready and waits for the store; meanwhile a person wants another size.
    workshop.limits[0] = Limits(max_side=24)
    workshop.writer.healthy.set()
    await asyncio.wait_for(work, 20)
    assert asked == [16]
