"""Two keys that draw on one quota are found out; two with quotas of their own, however alike, are not."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig
from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.engine.shared_quota import SharedQuotaWatch

LIMIT = 300


class Sliding:
    """An endpoint's quota: at most LIMIT in the last minute, whole again a minute after the newest."""

    def __init__(self) -> None:
        self._at: deque[float] = deque()

    def take(self, now: float) -> None:
        self._at.append(now)

    def told(self, now: float) -> Allowance:
        while self._at and self._at[0] <= now - 60:
            self._at.popleft()
        return Allowance(Unit.REQUESTS, LIMIT, max(LIMIT - len(self._at), 0), 60.0)


class Fixed:
    """LIMIT in every minute of the clock."""

    def __init__(self) -> None:
        self._minute, self._used = -1, 0

    def take(self, now: float) -> None:
        if now // 60 != self._minute:
            self._minute, self._used = int(now // 60), 0
        self._used += 1

    def told(self, now: float) -> Allowance:
        return Allowance(Unit.REQUESTS, LIMIT, max(LIMIT - self._used, 0), 60 - now % 60)


class Bucket:
    """LIMIT at most, refilled all the time so that it takes a minute to fill: as OpenAI's headers tell it."""

    def __init__(self) -> None:
        self._used, self._at = 0.0, 0.0

    def take(self, now: float) -> None:
        self._used = max(self._used - (now - self._at) * LIMIT / 60, 0.0) + 1
        self._at = now

    def told(self, now: float) -> Allowance:
        return Allowance(Unit.REQUESTS, LIMIT, max(int(LIMIT - self._used), 0), max(self._used * 60 / LIMIT, 0.001))


Server = Sliding | Fixed | Bucket
Pace = Callable[[float], float]
"""Requests per second of both keys together at a time."""


def steady(now: float) -> float:
    return 12.0


def slow_start(now: float) -> float:
    return min(2 * 2 ** (now / 4), 14.0)


def bursts(now: float) -> float:
    return 30.0 if now % 20 < 5 else 2.0


def said(
    quotas: list[Server],
    pace: Pace,
    *,
    counts_at_reply: bool,
    latency_s: float,
    seed: int,
    strangers_per_s: float = 0.0,
) -> Iterator[str]:
    """Yield what the watch says while two keys are used by turns at random, `strangers_per_s` beside them."""
    chance, watch = random.Random(seed), SharedQuotaWatch([["a"], ["b"]])
    started, now, serial = [0, 0], 0.0, 0
    events: list[tuple[float, int, str, int, float, tuple[int, ...], Allowance | None]] = []
    while now < 240:
        now += chance.expovariate(pace(now) + strangers_per_s)
        while events and events[0][0] <= now:
            at, _serial, what, key, sent, then, word = heapq.heappop(events)
            if what == "arrives":
                quotas[key].take(at)
                took = latency_s * chance.uniform(0.5, 1.5)
                serial += 1
                heapq.heappush(events, (at + took, serial, "ends", key, sent, then, quotas[key].told(at)))
            else:
                word = quotas[key].told(at) if counts_at_reply else word
                assert word is not None
                yield watch.note(key, [word], at=sent, told_at=at, by_start=then, by_reply=tuple(started))
        if chance.random() < strangers_per_s / (pace(now) + strangers_per_s):
            quotas[0].take(now)
            continue
        key = chance.randrange(2)
        started[key] += 1
        serial += 1
        arrival = now + chance.uniform(0.01, 0.15)
        heapq.heappush(events, (arrival, serial, "arrives", key, now, tuple(started), None))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("counts_at_reply", [False, True], ids=["counted on arrival", "counted at the reply"])
@pytest.mark.parametrize("pace", [steady, slow_start, bursts])
@pytest.mark.parametrize("kind", [Sliding, Fixed, Bucket])
def test_keys_with_quotas_of_their_own_are_never_said_to_share_one(
    kind: Callable[[], Server], pace: Pace, counts_at_reply: bool, seed: int
) -> None:
    for latency_s in (0.3, 6.0):
        quotas = [kind(), kind()]
        told = [*said(quotas, pace, counts_at_reply=counts_at_reply, latency_s=latency_s, seed=seed)]
        assert told and not any(told)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pace", [steady, slow_start])
@pytest.mark.parametrize("kind", [Sliding, Fixed, Bucket])
def test_keys_that_share_a_quota_are_found_out_and_this_is_told_once(
    kind: Callable[[], Server], pace: Pace, seed: int
) -> None:
    one = kind()
    told = [each for each in said([one, one], pace, counts_at_reply=False, latency_s=0.5, seed=seed) if each]
    assert len(told) == 1
    assert "a and b seem to share one quota" in told[0]
    assert "{name: a, …, group: shared}, {name: b, …, group: shared}" in told[0]


@pytest.mark.parametrize("kind", [Sliding, Fixed, Bucket])
def test_another_program_that_uses_one_of_the_keys_is_not_taken_for_the_other_key(kind: Callable[[], Server]) -> None:
    for seed in range(5):
        quotas = [kind(), kind()]
        told = said(quotas, steady, counts_at_reply=False, latency_s=0.5, seed=seed, strangers_per_s=6.0)
        assert not any(told)


async def test_a_keyring_tells_of_it() -> None:
    clocks, quota = Clocks(), Fixed()
    clocks.now = 600.0
    ring = Ring(endpoint(KeyConfig(name="a"), KeyConfig(name="b")), clocks=clocks)
    for _ in range(240):
        loan = await ring.borrow()
        quota.take(clocks.now)
        clocks.pass_by(0.1)
        ring.used(loan, None, allowances=[quota.told(clocks.now)])
    assert len(ring.told) == 1 and "share one quota" in ring.told[0]
