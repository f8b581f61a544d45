"""Keys and groups: never past a quota, never to a key that is out, and always a reason."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.quota import SlidingWindow
from vqa_tui.engine.keyring import DEFAULT_COOLDOWN_S, Keyring, NoKeyLeft, NotNow


def endpoint(*keys: KeyConfig, quota: Quota | None = None, groups: dict[str, Quota] | None = None) -> Endpoint:
    return Endpoint(
        name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=keys, quota=quota or Quota(), groups=groups or {}
    )


def keyring(used: Endpoint, **overrides: int) -> Keyring:
    return Keyring(used, {key.name: SecretStr("x") for key in used.keys}, overrides, {})


@given(
    st.integers(1, 20),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_a_window_never_admits_more_than_its_limit_in_any_span(limit: int, gaps: list[float]) -> None:
    window, now, taken = SlidingWindow(limit), 0.0, []
    for gap in gaps:
        now += gap
        wait = window.wait_s(now)
        now += wait
        assert window.wait_s(now) == 0 or window.wait_s(now) < 1e-6
        now += window.wait_s(now)
        window.take(now)
        taken.append(now)
    for start in taken:
        assert sum(start <= at < start + 60 for at in taken) <= limit


@given(st.integers(1, 5), st.integers(0, 30))
def test_a_window_lets_its_whole_limit_through_at_once(limit: int, more: int) -> None:
    window = SlidingWindow(limit)
    admitted = 0
    for _ in range(limit + more):
        if window.wait_s(100.0) == 0:
            window.take(100.0)
            admitted += 1
    assert admitted == limit
    assert window.used(100.0) == limit and window.used(160.0) == 0


def test_giving_back_frees_the_very_same_moment() -> None:
    window = SlidingWindow(2)
    window.take(0.0)
    window.take(50.0)
    window.give_back(0.0)
    window.take(50.5)
    # With the takings at 50 and 50.5 nothing may go before 110.
    assert window.wait_s(61.0) == pytest.approx(49.0)


async def test_keys_of_one_group_share_its_quota() -> None:
    ring = keyring(
        endpoint(
            KeyConfig(name="a", group="g"),
            KeyConfig(name="b", group="g"),
            groups={"g": Quota(requests_per_minute=3)},
        )
    )
    lent = [await asyncio.wait_for(ring.borrow(), 1) for _ in range(3)]
    assert {loan.key.name for loan in lent} == {"a", "b"}
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    free = ring.next_free()
    assert free is not None and free[2] == "requests/min of group g" and 58 < free[1] <= 60
    assert not waiting.done()
    waiting.cancel()


async def test_keys_without_a_group_each_have_the_quota() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), KeyConfig(name="b"), quota=Quota(requests_per_minute=2)))
    names = [(await asyncio.wait_for(ring.borrow(), 1)).key.name for _ in range(4)]
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
    again = await asyncio.wait_for(ring.borrow(), 5)
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
        await asyncio.wait_for(waiting, 1)
    ring.revive()
    assert (await asyncio.wait_for(ring.borrow(), 1)).key.name in ("a", "b")


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
    assert ring.published()[0]["used_this_minute"] == 1


async def test_a_cancelled_wait_gives_its_key_back() -> None:
    ring = keyring(endpoint(KeyConfig(name="a", quota=Quota(concurrency=1))))
    loan = await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    ring.used(loan, None)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await asyncio.wait_for(ring.borrow(), 1)).key.name == "a"


async def test_a_person_may_change_requests_a_minute_while_it_works() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=100)), a=1)
    await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.set_overrides({"a": 2})
    await asyncio.wait_for(waiting, 1)
    ring.set_overrides({})
    for _ in range(10):
        await asyncio.wait_for(ring.borrow(), 1)


async def test_a_burst_of_rate_limits_counts_once_and_an_old_success_does_not_end_it() -> None:
    ring = keyring(endpoint(KeyConfig(name="a")))
    loans = [await ring.borrow() for _ in range(33)]
    for loan in loans[:-1]:
        ring.used(loan, Failure(FailureKind.RATE_LIMITED, "slow"))
    free = ring.next_free()
    assert free is not None and DEFAULT_COOLDOWN_S - 1 < free[1] <= DEFAULT_COOLDOWN_S
    ring.used(loans[-1], None)
    group = ring.keys[0].group
    assert group.streak == 1
    group.cooling_until = 0.0
    again = await asyncio.wait_for(ring.borrow(), 1)
    ring.used(again, Failure(FailureKind.RATE_LIMITED, "slow"))
    free = ring.next_free()
    assert free is not None and DEFAULT_COOLDOWN_S < free[1] <= 2 * DEFAULT_COOLDOWN_S


async def test_an_override_may_lift_the_quota_of_a_lone_key_and_of_a_named_group() -> None:
    ring = keyring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=3)), a=100)
    for _ in range(50):
        await asyncio.wait_for(ring.borrow(), 1)
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = keyring(endpoint(*keys, groups={"g": Quota(requests_per_minute=3)}), g=100)
    for _ in range(50):
        await asyncio.wait_for(ring.borrow(), 1)


async def test_the_concurrency_of_a_group_holds_over_its_keys() -> None:
    keys = (KeyConfig(name="a", group="g"), KeyConfig(name="b", group="g"))
    ring = keyring(endpoint(*keys, groups={"g": Quota(concurrency=2)}))
    first = await ring.borrow()
    await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    assert not waiting.done()
    ring.used(first, None)
    await asyncio.wait_for(waiting, 1)
