"""Quotas of every kind hold over keys and groups, learn from replies, and come back by themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.engine.conftest import until
from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.run import GaugeView, Limits
from vqa_tui.engine.keyring import Loan, NoKeyLeft
from vqa_tui.engine.quota_group import YOUNG_DAY_S

A, B = KeyConfig(name="a"), KeyConfig(name="b")
PACIFIC = ZoneInfo("America/Los_Angeles")
BY_DAY = Failure(FailureKind.QUOTA_EXHAUSTED, "used up (PerDay)", by_day=True)


class Waiters:
    """Requests that wait for a key; what is left of them at the end is cancelled."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Loan]] = []

    async def wait(self, ring: Ring, size: RequestSize | None = None) -> "asyncio.Task[Loan]":
        before = ring.waiting
        task = asyncio.create_task(ring.borrow(size or RequestSize()))
        self._tasks.append(task)
        await until(lambda: ring.waiting > before or task.done())
        return task

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def waiters() -> AsyncIterator[Waiters]:
    waiters = Waiters()
    yield waiters
    await waiters.end()


def at(wall: str) -> Clocks:
    return Clocks(datetime.fromisoformat(wall).replace(tzinfo=PACIFIC).timestamp())


async def now(ring: Ring, size: RequestSize | None = None) -> Loan:
    """Borrow a key that must be free now."""
    return await asyncio.wait_for(ring.borrow(size or RequestSize()), 20)


def gauges(ring: Ring, key: str = "a") -> dict[str, GaugeView]:
    (shown,) = [each for each in ring.published() if each["name"] == key]
    listed = shown["gauges"]
    assert isinstance(listed, list)
    return {gauge["name"]: GaugeView(**gauge) for gauge in listed}


def waits_for(ring: Ring) -> tuple[str, float, str]:
    free = ring.next_free()
    assert free is not None
    key, seconds, why = free
    return key.name, round(seconds, 3), why


@pytest.mark.parametrize(
    ("quota", "size", "why"),
    [
        (Quota(requests_per_minute=1), RequestSize(), "requests/min"),
        (Quota(tokens_per_minute=100), RequestSize(30, 30), "tokens/min"),
        (Quota(input_tokens_per_minute=100), RequestSize(60, 0), "input tokens/min"),
        (Quota(output_tokens_per_minute=100), RequestSize(0, 60), "output tokens/min"),
    ],
)
async def test_each_quota_by_the_minute_holds_and_is_named(
    quota: Quota, size: RequestSize, why: str, waiters: Waiters
) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, quota=quota), clocks=clocks)
    await now(ring, size)
    waiting = await waiters.wait(ring, size)
    assert not waiting.done() and waits_for(ring) == ("a", 61.5, why)
    gauge = gauges(ring)[why]
    assert gauge.used in (1, 60) and not gauge.of_group and not gauge.learned
    clocks.pass_by(61.5)
    ring.look_again()
    assert (await asyncio.wait_for(waiting, 20)).key.name == "a"


async def test_a_group_and_its_keys_each_have_quotas_of_their_own(waiters: Waiters) -> None:
    keys = (KeyConfig(name="a", group="g", quota=Quota(tokens_per_minute=50)), KeyConfig(name="b", group="g"))
    ring = Ring(endpoint(*keys, groups={"g": Quota(tokens_per_minute=100)}), clocks=Clocks())
    size = RequestSize(40, 0)
    loans = [await now(ring, size) for _ in range(2)]
    assert [loan.key.name for loan in loans] == ["a", "b"]
    ring.used(loans[1], None, usage=Usage(40, 0))
    await waiters.wait(ring, size)
    assert waits_for(ring)[2] == "tokens/min of group g"
    shown = gauges(ring)
    assert (shown["tokens/min"].used, shown["tokens/min"].limit, shown["tokens/min"].of_group) == (80, 100, True)


async def test_a_reply_corrects_the_tokens_that_were_expected(waiters: Waiters) -> None:
    ring = Ring(endpoint(A, quota=Quota(tokens_per_minute=1000)), clocks=Clocks())
    first = await now(ring, RequestSize(500, 400))
    waiting = await waiters.wait(ring, RequestSize(500, 400))
    assert not waiting.done()
    ring.used(first, None, usage=Usage(50, 40))
    second = await asyncio.wait_for(waiting, 20)
    ring.used(second, None, usage=Usage(2000, 100))
    assert gauges(ring)["tokens/min"].used == 2190


async def test_what_was_never_sent_counts_for_nothing_but_what_was_refused_counts_by_the_minute() -> None:
    ring = Ring(endpoint(A, quota=Quota(requests_per_minute=10, requests_per_day=10)), clocks=Clocks())
    ring.used(await now(ring), Failure(FailureKind.NETWORK, "no such name", never_sent=True))
    assert [gauge.used for gauge in gauges(ring).values()] == [0, 0]
    ring.used(await now(ring), Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=0.001))
    assert [gauge.used for gauge in gauges(ring).values()] == [1, 0]


async def test_a_request_larger_than_the_quota_goes_alone_and_this_is_told_once(waiters: Waiters) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, quota=Quota(input_tokens_per_minute=1000)), clocks=clocks)
    ring.used(await now(ring, RequestSize(10, 0)), None, usage=Usage(10, 0))
    waiting = await waiters.wait(ring, RequestSize(5000, 0))
    assert not waiting.done()
    clocks.pass_by(62)
    ring.look_again()
    await asyncio.wait_for(waiting, 20)
    clocks.pass_by(62)
    await now(ring, RequestSize(5000, 0))
    (told,) = ring.told
    assert "key a" in told and "5,000 input tokens" in told and "1,000 input tokens/min" in told


async def test_a_person_may_change_any_quota_of_a_key_or_group_by_name(waiters: Waiters) -> None:
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = Ring(endpoint(*keys, groups={"g": Quota(tokens_per_minute=10)}), clocks=Clocks())
    size = RequestSize(10, 0)
    first = await now(ring, size)
    waiting = await waiters.wait(ring, size)
    assert not waiting.done()
    ring.set_limits(Limits(tokens_per_minute={"g": 20}, requests_per_day={"b": 1}, concurrency=5))
    assert (await asyncio.wait_for(waiting, 20)).key.name == "b"
    assert gauges(ring, "b")["requests/day"].used == 1 and ring.throttled[0].most == 5
    ring.used(first, None, usage=Usage(10, 0))
    await waiters.wait(ring, size)
    assert waits_for(ring)[2] == "tokens/min of group g"
    ring.set_limits(Limits(requests_per_minute={"a": 1}))
    assert "requests/min" in gauges(ring, "a") and gauges(ring, "a")["requests/min"].used == 1
    assert gauges(ring)["tokens/min"].limit == 10


async def test_a_day_that_is_used_up_parks_the_key_until_midnight_there_and_brings_it_back(waiters: Waiters) -> None:
    clocks = at("2026-11-21T23:00:00")
    ring = Ring(endpoint(A, quota=Quota(requests_per_day=2), day_resets="America/Los_Angeles"), clocks=clocks)
    for _ in range(2):
        ring.used(await now(ring), None)
    waiting = await waiters.wait(ring)
    assert waits_for(ring) == ("a", 3600.0, "requests/day")
    (shown,) = ring.published()
    assert shown["state"] == "parked" and shown["until"] == clocks.time + 3600
    assert gauges(ring)["requests/day"].resets_at == clocks.time + 3600
    (told,) = ring.told
    assert "all 2 requests of its day" in told
    clocks.pass_by(3599)
    ring.look_again()
    assert not waiting.done()
    clocks.pass_by(1)
    ring.look_again()
    await asyncio.wait_for(waiting, 20)
    assert ring.published()[0]["state"] == "ok"


async def test_an_endpoint_that_says_the_day_is_used_up_is_asked_again_after_midnight(waiters: Waiters) -> None:
    clocks = at("2026-11-21T20:00:00")
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = Ring(endpoint(*keys, day_resets="America/Los_Angeles"), clocks=clocks)
    first, second = await now(ring), await now(ring)
    told = ring.used(first, BY_DAY)
    assert "key a, b is parked until" in told and "PerDay" in told and ring.used(second, BY_DAY) == ""
    waiting = await waiters.wait(ring)
    assert waits_for(ring)[1:] == (4 * 3600, "requests/day") and ring.why_out() == ""
    assert {each["state"] for each in ring.published()} == {"parked"}
    clocks.pass_by(4 * 3600)
    ring.look_again()
    await asyncio.wait_for(waiting, 20)


async def test_just_after_midnight_a_used_up_day_may_be_yesterdays(waiters: Waiters) -> None:
    clocks = at("2026-11-21T23:59:50")
    ring = Ring(endpoint(A, day_resets="America/Los_Angeles"), clocks=clocks)
    sent_yesterday = await now(ring)
    clocks.pass_by(20)
    assert ring.used(sent_yesterday, BY_DAY) == "" and ring.published()[0]["state"] == "ok"
    ring.used(await now(ring), BY_DAY)
    await waiters.wait(ring)
    assert waits_for(ring)[1] == YOUNG_DAY_S


async def test_a_long_wait_parks_with_its_time_and_no_funds_parks_until_a_person_resumes(waiters: Waiters) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, B), clocks=clocks)
    loans = {loan.key.name: loan for loan in [await now(ring), await now(ring)]}
    ring.used(loans["a"], Failure(FailureKind.QUOTA_EXHAUSTED, "later", retry_after_s=7200))
    assert "until" not in ring.used(loans["b"], Failure(FailureKind.QUOTA_EXHAUSTED, "no funds"))
    waiting = await waiters.wait(ring)
    assert waits_for(ring) == ("a", 7200.0, "requests/day") and not waiting.done()
    assert [(each["state"], each["until"]) for each in ring.published()] == [
        ("parked", clocks.time + 7200),
        ("parked", None),
    ]
    ring.revive()
    assert (await asyncio.wait_for(waiting, 20)).key.name in ("a", "b")


async def test_keys_that_all_cool_down_or_wait_for_tomorrow_are_waited_for_and_never_given_up(
    waiters: Waiters,
) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, B), clocks=clocks)
    loans = {loan.key.name: loan for loan in [await now(ring), await now(ring)]}
    ring.used(loans["a"], Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=80_000))
    ring.used(loans["b"], BY_DAY)
    waiting = await waiters.wait(ring)
    assert not waiting.done() and ring.why_out() == ""
    loans["a"].key.out, loans["a"].key.reason = "off", "wrong"
    ring.look_again()
    assert not waiting.done() and waits_for(ring)[0] == "b"
    loans["b"].key.out, loans["b"].key.reason = "off", "wrong"
    ring.look_again()
    with pytest.raises(NoKeyLeft, match="a is off: wrong; b is off: wrong"):
        await asyncio.wait_for(waiting, 20)


async def test_a_group_that_was_told_none_remain_waits_for_the_reset_while_others_go_on(waiters: Waiters) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, B), clocks=clocks)
    loans = {loan.key.name: loan for loan in [await now(ring), await now(ring)]}
    ring.used(loans["a"], None, allowances=[Allowance(Unit.TOKENS, 1000, 0, 40.0)])
    size = RequestSize(10, 10)
    assert [(await now(ring, size)).key.name for _ in range(3)] == ["b"] * 3
    shown = gauges(ring)["tokens/min"]
    assert (shown.used, shown.limit, shown.learned, shown.resets_at) == (1000, 1000, True, clocks.time + 40)
    loans["b"].key.out = "off"
    waiting = await waiters.wait(ring, size)
    assert waits_for(ring) == ("a", 40.0, "the endpoint told that no more tokens remain")
    clocks.pass_by(40)
    ring.look_again()
    assert (await asyncio.wait_for(waiting, 20)).key.name == "a"


async def test_a_told_quota_that_is_long_in_coming_back_is_shown_as_one_by_the_day() -> None:
    ring = Ring(endpoint(A), clocks=Clocks())
    ring.used(await now(ring), None, allowances=[Allowance(Unit.REQUESTS, 14_400, 14_370, 180.0)])
    (gauge,) = gauges(ring).values()
    assert (gauge.name, gauge.used, gauge.limit, gauge.learned) == ("requests/day", 30, 14_400, True)


async def test_no_more_start_than_the_endpoint_told_remain(waiters: Waiters) -> None:
    ring = Ring(endpoint(A), clocks=Clocks())
    first, _second = await now(ring), await now(ring)
    ring.used(first, None, allowances=[Allowance(Unit.REQUESTS, 100, 3, 30.0)])
    newest = [await now(ring) for _ in range(2)][-1]
    waiting = await waiters.wait(ring)
    assert not waiting.done()
    ring.used(newest, None, allowances=[Allowance(Unit.REQUESTS, 100, 50, 30.0)])
    await asyncio.wait_for(waiting, 20)


async def test_the_throttle_hears_how_requests_end_and_whether_others_waited_for_it(waiters: Waiters) -> None:
    ring = Ring(endpoint(A), clocks=Clocks())
    (throttle,) = ring.throttled
    endings: list[Failure | None] = [
        None,
        Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=0.0),
        Failure(FailureKind.SERVER, "broke"),
        Failure(FailureKind.TIMEOUT, "late"),
        Failure(FailureKind.CANCELLED, "by a person"),
        Failure(FailureKind.REFUSED, "no"),
    ]
    for ending in endings:
        ring.used(await now(ring), ending)
    ring.give_back(await now(ring))
    assert throttle.heard == ["succeeded", "rate limited", "failed", "failed", "cancelled", "succeeded", "cancelled"]
    throttle.heard.clear()
    throttle.slots = 1
    loan = await now(ring)
    waiting = await waiters.wait(ring)
    assert waits_for(ring)[1:] == (float("inf"), "holding: 16 at once so far")
    ring.used(loan, None)
    await asyncio.wait_for(waiting, 20)
    ring.restart_gently()
    assert throttle.heard == ["succeeded, saturated", "restarted"]
    assert [name for name, _state in ring.throttles(0.0)] == ["a"]


async def test_what_engines_before_this_one_used_counts_against_its_quotas(waiters: Waiters) -> None:
    clocks = Clocks()
    ring = Ring(endpoint(A, quota=Quota(requests_per_minute=3, requests_per_day=50)), clocks=clocks)
    uses = tuple((clocks.time - age, RequestSize(100, 10)) for age in (50, 20))
    ring.count([KeyUse("a", uses, 40), KeyUse("gone", uses, 40)])
    shown = gauges(ring)
    assert (shown["requests/min"].used, shown["requests/day"].used) == (2, 40)
    await now(ring)
    await waiters.wait(ring)
    _key, seconds, why = waits_for(ring)
    assert seconds == pytest.approx(11.5) and why == "requests/min"


async def test_work_is_spread_over_keys_that_have_as_much_to_do() -> None:
    ring = Ring(endpoint(A, B), clocks=Clocks())
    names = []
    for _ in range(6):
        loan = await now(ring)
        names.append(loan.key.name)
        ring.used(loan, None)
    assert names == ["a", "b"] * 3
