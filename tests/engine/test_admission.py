"""Admission: a key is never held by someone who waits for money, and every waiter is woken or sent away."""

import asyncio

import pytest

from tests.engine.conftest import until
from tests.engine.rings import Ring
from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.engine.admission import Admission, BudgetReached, Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.keyring import NotNow


class Gate(Gatekeeper):
    """A gatekeeper over a real keyring of one key, with its board at hand."""

    def __init__(self, budget: Budget, quota: Quota | None = None) -> None:
        self.board = Board()
        keys = (KeyConfig(name="a"),)
        endpoint = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=keys, quota=quota or Quota())
        super().__init__(Ring(endpoint), budget, self.board)

    @property
    def used_this_minute(self) -> object:
        gauges = self.keyring.published()[0]["gauges"]
        assert isinstance(gauges, list)
        return next(gauge["used"] for gauge in gauges if gauge["name"] == "requests/min")

    @property
    def keys_out(self) -> int:
        return self.keyring.keys[0].in_flight


async def waiting_for_money(gate: Gate, estimate: int) -> "asyncio.Task[Admission]":
    before = gate.board.waiting_for_budget
    task = asyncio.create_task(gate.admit(estimate))
    await until(lambda: gate.board.waiting_for_budget == before + 1)
    return task


async def test_who_waits_for_money_holds_neither_key_nor_quota_and_goes_on_after_a_settlement() -> None:
    gate = Gate(Budget(100, proven=True), Quota(requests_per_minute=2))
    first = await gate.admit(80)
    second = await waiting_for_money(gate, 50)
    assert (gate.keys_out, gate.used_this_minute, gate.budget.reserved) == (1, 1, 80)
    gate.settle(first, actual=10, uncertain=0)
    admitted = await asyncio.wait_for(second, 20)
    assert (admitted.reserved, gate.board.waiting_for_budget) == (50, 0)
    assert (gate.keys_out, gate.used_this_minute, gate.budget.spent) == (2, 2, 10)


async def test_a_settlement_that_makes_too_little_room_lets_the_others_wait_on() -> None:
    gate = Gate(Budget(100, proven=True))
    first, second = await gate.admit(45), await gate.admit(45)
    waiting = await waiting_for_money(gate, 50)
    gate.settle(first, actual=45, uncertain=0)
    await until(lambda: gate.board.waiting_for_budget == 1)
    assert not waiting.done() and gate.keys_out == 2
    gate.settle(second, actual=0, uncertain=0)
    assert (await asyncio.wait_for(waiting, 20)).reserved == 50


@pytest.mark.parametrize(("ratio", "needed"), [(1.0, 50), (2.0, 100)])
async def test_where_nothing_could_make_room_it_says_what_is_needed_and_left(ratio: float, needed: int) -> None:
    gate = Gate(Budget(100, spent=60, uncertain=10, proven=True, worst_ratio=ratio), Quota(requests_per_minute=3))
    with pytest.raises(BudgetReached) as reached:
        await asyncio.wait_for(gate.admit(50), 20)
    assert (reached.value.needed, reached.value.left) == (needed, 30)
    assert (gate.keys_out, gate.used_this_minute, gate.budget.reserved) == (0, 0, 0)


async def test_a_last_settlement_that_uses_the_budget_up_tells_everyone_who_waits() -> None:
    gate = Gate(Budget(100, proven=True))
    first = await gate.admit(80)
    waiting = [await waiting_for_money(gate, 50) for _ in range(3)]
    gate.settle(first, actual=0, uncertain=80)
    ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
    assert all(isinstance(each, BudgetReached) and each.left == 20 for each in ended) and gate.keys_out == 1


async def test_the_cheapest_request_that_was_at_hand_when_the_cap_closed_the_gate_is_known() -> None:
    gate = Gate(Budget(100, spent=60, proven=True), Quota(concurrency=1))
    first = await gate.admit(10)
    cheap = asyncio.create_task(gate.admit(30))
    await until(lambda: gate.board.waiting_for_key == 1)
    assert gate.least_refused is None
    with pytest.raises(BudgetReached):
        await asyncio.wait_for(gate.admit(50), 20)
    assert gate.least_refused == 50
    gate.close()
    with pytest.raises(NotNow):
        await asyncio.wait_for(cheap, 20)
    assert gate.least_refused == 30
    with pytest.raises(NotNow):
        await gate.admit(20)
    gate.settle(first, actual=10, uncertain=0)
    assert gate.least_refused == 20
    gate.open()
    assert gate.least_refused is None


async def test_calling_off_sends_away_who_waits_for_money_and_who_waits_for_a_key() -> None:
    gate = Gate(Budget(100, proven=True), Quota(concurrency=1))
    first = await gate.admit(80)
    gate.keyring.used(first.loan, None)
    poor = await waiting_for_money(gate, 50)
    loan = await gate.keyring.borrow()
    keyless = asyncio.create_task(gate.admit(5))
    await until(lambda: gate.board.waiting_for_key == 1)
    gate.call_off()
    ended = await asyncio.wait_for(asyncio.gather(poor, keyless, return_exceptions=True), 20)
    assert [type(each) for each in ended] == [NotNow, NotNow]
    assert (gate.board.waiting_for_key, gate.board.waiting_for_budget, gate.budget.reserved) == (0, 0, 80)
    gate.keyring.give_back(loan)
    assert (await asyncio.wait_for(gate.admit(5), 20)).reserved == 5


@pytest.mark.parametrize("cap", [None, 130])
async def test_raising_the_cap_wakes_who_waits_for_money(cap: int | None) -> None:
    gate = Gate(Budget(100, proven=True))
    await gate.admit(80)
    waiting = await waiting_for_money(gate, 50)
    gate.set_cap(cap)
    assert (await asyncio.wait_for(waiting, 20)).reserved == 50


async def test_lowering_the_cap_tells_who_waits_that_it_is_reached() -> None:
    gate = Gate(Budget(100, proven=True))
    await gate.admit(80)
    waiting = await waiting_for_money(gate, 50)
    gate.set_cap(40)
    with pytest.raises(BudgetReached) as reached:
        await asyncio.wait_for(waiting, 20)
    assert (reached.value.needed, reached.value.left) == (50, 40)


async def test_a_cancelled_waiter_is_forgotten_and_the_next_settlement_wakes_the_others() -> None:
    gate = Gate(Budget(100, proven=True))
    first = await gate.admit(80)
    gone, stays = await waiting_for_money(gate, 50), await waiting_for_money(gate, 50)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert gate.board.waiting_for_budget == 1
    gate.settle(first, actual=0, uncertain=0)
    await asyncio.wait_for(stays, 20)
    assert (gate.keys_out, gate.budget.reserved) == (2, 50)
