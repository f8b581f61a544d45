"""Keys and groups: never past a quota, never to a key that is out, and always a reason."""

import asyncio
import math
import time

import pytest

from tests.engine.rings import Ring, endpoint
from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.run import Limits
from vqa_tui.engine.keyring import NoKeyLeft, NotNow


def keyring(used: Endpoint, **overrides: int) -> Ring:
    return Ring(used, Limits(requests_per_minute=overrides))


async def test_keys_of_one_group_share_its_quota() -> None:
    ring = keyring(
        endpoint(
            KeyConfig(name="a", group="g"),
            KeyConfig(name="b", group="g"),
            groups={"g": Quota(requests_per_minute=3)},
        )
    )
    lent = [await asyncio.wait_for(ring.borrow(), 20) for _ in range(3)]
    assert {loan.key.name for loan in lent} == {"a", "b"}
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    free = ring.next_free()
    assert free is not None and free[2] == "requests/min of group g" and 58 < free[1] <= 61.5
    assert not waiting.done()
    waiting.cancel()


async def test_keys_without_a_group_each_have_the_quota() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), KeyConfig(name="b"), quota=Quota(requests_per_minute=2)))
    names = [(await asyncio.wait_for(ring.borrow(), 20)).key.name for _ in range(4)]
    assert sorted(names) == ["a", "a", "b", "b"]


async def test_a_cooldown_is_the_longer_of_two_and_other_keys_go_on() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), KeyConfig(name="b")))
    first, second = await ring.borrow(), await ring.borrow()
    a = first if first.key.name == "a" else second
    b = second if a is first else first
    ring.used(a, Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=100))
    ring.used(b, None)
    again = await ring.borrow()
    assert again.key.name == "b"
    ring.used(a, Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=1))
    (shown,) = [key for key in ring.published() if key["name"] == "a"]
    assert shown["state"] == "cooling"
    until = shown["until"]
    assert isinstance(until, float) and 98 < until - time.time() <= 100


async def test_a_cooling_key_is_lent_again_by_itself_when_its_time_has_come() -> None:
    ring = keyring(endpoint(KeyConfig(name="a")))
    loan = await ring.borrow()
    ring.used(loan, Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=0.05))
    again = await asyncio.wait_for(ring.borrow(), 20)
    assert again.key.name == "a"


async def test_a_refused_key_is_off_and_the_last_one_ends_the_wait_with_reasons() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), KeyConfig(name="b", quota=Quota(concurrency=1))))
    loans = {loan.key.name: loan for loan in [await ring.borrow(), await ring.borrow()]}
    assert "key a is off" in ring.used(loans["a"], Failure(FailureKind.AUTH, "wrong key"))
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.used(loans["b"], Failure(FailureKind.QUOTA_EXHAUSTED, "no funds"))
    with pytest.raises(NoKeyLeft, match=r"a is off: wrong key; b is parked: no funds"):
        await asyncio.wait_for(waiting, 20)
    ring.revive()
    assert (await asyncio.wait_for(ring.borrow(), 20)).key.name in ("a", "b")


async def test_exhausted_quota_parks_the_whole_group() -> None:
    ring = keyring(endpoint(KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"), KeyConfig(name="c")))
    loan = await ring.borrow()
    while loan.key.group.name != "g":
        loan = await ring.borrow()
    ring.used(loan, Failure(FailureKind.QUOTA_EXHAUSTED, "per day"))
    assert {str(key["name"]): key["state"] for key in ring.published()} == {"a": "parked", "b": "parked", "c": "ok"}


async def test_calling_off_sends_waiters_away_and_leaves_no_request_counted() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=1)))
    await ring.borrow()
    waiting = [asyncio.create_task(ring.borrow()) for _ in range(3)]
    await asyncio.sleep(0)
    ring.call_off()
    assert all(isinstance(each, NotNow) for each in await asyncio.gather(*waiting, return_exceptions=True))
    gauges = ring.published()[0]["gauges"]
    assert isinstance(gauges, list) and [gauge["used"] for gauge in gauges] == [1]


async def test_a_cancelled_wait_gives_its_key_back() -> None:
    ring = keyring(endpoint(KeyConfig(name="a", quota=Quota(concurrency=1))))
    loan = await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    ring.used(loan, None)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await asyncio.wait_for(ring.borrow(), 20)).key.name == "a"


async def test_a_person_may_change_requests_a_minute_while_it_works() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=100)), a=1)
    await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.set_limits(Limits(requests_per_minute={"a": 2}))
    await asyncio.wait_for(waiting, 20)
    ring.set_limits(Limits())
    for _ in range(10):
        await asyncio.wait_for(ring.borrow(), 20)


async def test_a_burst_of_rate_limits_without_a_word_rests_once_for_as_long_as_the_throttle_says() -> None:
    ring = keyring(endpoint(KeyConfig(name="a")))
    loans = [await ring.borrow() for _ in range(33)]
    for loan in loans:
        ring.used(loan, Failure(FailureKind.RATE_LIMITED, "slow"))
    free = ring.next_free()
    assert free is not None and 0 < free[1] <= ring.keys[0].group.throttle.rest_s


async def test_an_override_may_lift_the_quota_of_a_lone_key_and_of_a_named_group() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=3)), a=100)
    for _ in range(50):
        await asyncio.wait_for(ring.borrow(), 20)
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = keyring(endpoint(*keys, groups={"g": Quota(requests_per_minute=3)}), g=100)
    for _ in range(50):
        await asyncio.wait_for(ring.borrow(), 20)


async def test_the_concurrency_of_a_group_holds_over_its_keys() -> None:
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = keyring(endpoint(*keys, groups={"g": Quota(concurrency=2)}))
    first = await ring.borrow()
    await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.used(first, None)
    await asyncio.wait_for(waiting, 20)


async def test_the_requests_in_flight_are_bounded_over_all_groups_and_a_higher_bound_wakes_who_waits() -> None:
    ring = Ring(endpoint(*(KeyConfig(name=name) for name in "abc")), Limits(concurrency=4))
    loans = [await ring.borrow() for _ in range(4)]
    assert {loan.key.group.name for loan in loans} == {"a", "b", "c"}
    waiting = [asyncio.create_task(ring.borrow()) for _ in range(3)]
    await asyncio.sleep(0)
    free = ring.next_free()
    assert free is not None and free[1:] == (math.inf, "one of the requests in flight to end (at most 4 at once)")
    ring.set_limits(Limits(concurrency=1))
    for loan in loans[:3]:
        ring.used(loan, None)
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    ring.give_back(loans[3])
    await asyncio.wait_for(waiting[0], 20)
    assert not waiting[1].done() and ring.try_borrow() is None
    ring.set_limits(Limits(concurrency=2))
    await asyncio.wait_for(waiting[1], 20)
    assert not waiting[2].done()
    waiting[2].cancel()
