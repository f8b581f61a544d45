"""Keys and quota groups: who may ask now, who must wait for what, and who is out."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.allowance import Allowance
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.quota import UNSIZED, RequestSize, SlidingWindow

DEFAULT_COOLDOWN_S = 5.0
LONGEST_GUESS_S = 300.0
"""Longest cooldown where the endpoint does not say how long to wait."""


class NoKeyLeft(Exception):
    """Every key is parked or off; `reason` says why in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotNow(Exception):
    """The wait for a key was called off because the run pauses or stops."""


@dataclass(slots=True, eq=False)
class _Group:
    """Keys of one account, sharing one quota and its cooldowns."""

    name: str
    window: SlidingWindow | None
    concurrency: int | None
    in_flight: int = 0
    cooling_until: float = 0.0
    streak: int = 0
    """Bursts of rate limits in a row without a success, for the default cooldown."""
    cooled_at: float = float("-inf")
    """When the newest of these bursts began."""


@dataclass(slots=True, eq=False)
class Key:
    """One key at work. `value` never leaves the engine process."""

    name: str
    value: SecretStr = field(repr=False)
    group: _Group
    window: SlidingWindow | None
    concurrency: int | None
    out: str = ""
    """`parked` or `off`; '' while usable."""
    reason: str = ""
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Loan:
    """A key lent for one request, counted against its quotas at `taken_at`."""

    key: Key
    taken_at: float


class Keyring:
    """Hands out keys in order of load, within every quota. Times are of time.monotonic."""

    def __init__(
        self,
        endpoint: Endpoint,
        values: Mapping[str, SecretStr],
        overrides: Mapping[str, int],
        missing: Mapping[str, str],
    ) -> None:
        self._groups: dict[str, _Group] = {}
        self._group_rpm: dict[str, int | None] = {}
        self.keys = [self._key(config, endpoint, values.get(config.name, SecretStr(""))) for config in endpoint.keys]
        for key in self.keys:
            if key.name in missing:
                key.out, key.reason = "off", missing[key.name]
        self._own_rpm = {c.name: c.quota.requests_per_minute if c.quota else None for c in endpoint.keys}
        self._waiting: deque[asyncio.Future[Loan]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.set_overrides(overrides)

    def _key(self, config: KeyConfig, endpoint: Endpoint, value: SecretStr) -> Key:
        name = endpoint.group_of(config)
        quota = endpoint.groups.get(name, endpoint.quota)
        group = self._groups.setdefault(name, _Group(name, _window(quota), quota.concurrency))
        self._group_rpm[name] = quota.requests_per_minute
        own = config.quota or Quota()
        return Key(config.name, value, group, _window(own), own.concurrency)

    def set_overrides(self, requests_per_minute: Mapping[str, int]) -> None:
        """Apply a person's requests a minute by name of a key or group; who is not named has the endpoint's again.

        A key that stands alone is a group of its own name, so its override may also lift the endpoint's quota.
        """
        for key in self.keys:
            key.window = _resized(key.window, requests_per_minute.get(key.name, self._own_rpm[key.name]))
        for group in self._groups.values():
            group.window = _resized(group.window, requests_per_minute.get(group.name, self._group_rpm[group.name]))
        self._pump()

    async def borrow(self, size: RequestSize = UNSIZED) -> Loan:
        """Wait for a key and count one request of `size` against its quotas.

        Raises NoKeyLeft when all are out, NotNow when `call_off` is called meanwhile.
        """
        future: asyncio.Future[Loan] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._pump()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give_back(future.result())
            raise

    def give_back(self, loan: Loan) -> None:
        """Return a key that was borrowed and not used: nothing was sent."""
        for window in (loan.key.window, loan.key.group.window):
            if window is not None:
                window.give_back(loan.taken_at)
        self._release(loan.key)

    def used(
        self, loan: Loan, failure: Failure | None, *, usage: Usage | None = None, allowances: Sequence[Allowance] = ()
    ) -> str:
        """Return a key after its request, with how that ended: `usage` corrects what was counted against the tokens,
        `allowances` are what the endpoint told about its quotas.

        Returns a sentence worth an event when the key is out for good, else ''.
        """
        told, key = "", loan.key
        if failure is None:
            if loan.taken_at > key.group.cooled_at:
                key.group.streak = 0
        elif failure.kind is FailureKind.RATE_LIMITED:
            self._cool(loan, failure.retry_after_s)
        elif failure.kind is FailureKind.QUOTA_EXHAUSTED:
            told = self._take_out(key.group.name, "parked", failure.message)
        elif failure.kind is FailureKind.AUTH and not key.out:
            key.out, key.reason = "off", failure.message
            told = f"key {key.name} is off: {failure.message}"
        self._release(key)
        return told

    def _cool(self, loan: Loan, retry_after_s: float | None) -> None:
        """Let the group of a rate-limited request rest.

        Requests sent before the cooldown in force began belong to the same burst: they may extend it by what the
        endpoint tells, but they do not count as being limited again.
        """
        group, now = loan.key.group, time.monotonic()
        if loan.taken_at > group.cooled_at:
            group.streak += 1
            group.cooled_at = now
        elif retry_after_s is None:
            return
        guess = min(DEFAULT_COOLDOWN_S * 2 ** min(group.streak - 1, 10), LONGEST_GUESS_S)
        wait = guess if retry_after_s is None else retry_after_s
        group.cooling_until = max(group.cooling_until, now + max(wait, 0.0))

    def revive(self) -> None:
        """Try every key again: a person who resumes may have mended what was wrong."""
        for key in self.keys:
            if key.value.get_secret_value():
                key.out = key.reason = ""
        self._pump()

    def call_off(self) -> None:
        """Send everybody who waits for a key away with NotNow."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(NotNow())

    @property
    def waiting(self) -> int:
        return sum(not future.done() for future in self._waiting)

    def next_free(self) -> tuple[Key, float, str] | None:
        """Return the key that will be usable first, in how many seconds, and what it waits for; None if none will."""
        now = time.monotonic()
        usable = [(*_wait(key, now), key) for key in self.keys if not key.out]
        if not usable:
            return None
        wait, why, key = min(usable, key=lambda entry: entry[0])
        return key, wait, why

    def why_out(self) -> str:
        """Say why no key is left, or ''."""
        if any(not key.out for key in self.keys):
            return ""
        return "no key is left: " + "; ".join(f"{key.name} is {key.out}: {key.reason}" for key in self.keys)

    def published(self) -> list[dict[str, object]]:
        """Return what faces may know of each key; times become Unix times."""
        now, wall = time.monotonic(), time.time()
        return [_published(key, now, wall) for key in self.keys]

    def _take_out(self, group: str, how: str, reason: str) -> str:
        names = [key.name for key in self.keys if key.group.name == group and not key.out]
        for key in self.keys:
            if key.name in names:
                key.out, key.reason = how, reason
        return f"key {', '.join(names)} is {how}: {reason}" if names else ""

    def _release(self, key: Key) -> None:
        key.in_flight -= 1
        key.group.in_flight -= 1
        self._pump()

    def _pump(self) -> None:
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
                continue
            if reason := self.why_out():
                for future in self._waiting:
                    if not future.done():
                        future.set_exception(NoKeyLeft(reason))
                self._waiting.clear()
                return
            now = time.monotonic()
            ready = [key for key in self.keys if not key.out and _wait(key, now)[0] == 0]
            if not ready:
                self._wake_later(now)
                return
            key = min(ready, key=lambda each: each.in_flight)
            for window in (key.window, key.group.window):
                if window is not None:
                    window.take(now)
            key.in_flight += 1
            key.group.in_flight += 1
            self._waiting.popleft().set_result(Loan(key, now))

    def _wake_later(self, now: float) -> None:
        waits = [_wait(key, now)[0] for key in self.keys if not key.out]
        soonest = min((wait for wait in waits if wait != float("inf")), default=None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if soonest is not None:
            self._timer = asyncio.get_running_loop().call_later(soonest + 0.001, self._pump)


def _resized(window: SlidingWindow | None, limit: int | None) -> SlidingWindow | None:
    """Return a window with this limit that remembers what was taken; None for no limit."""
    if limit is None:
        return None
    if window is None:
        return SlidingWindow(limit)
    window.limit = limit
    return window


def _window(quota: Quota) -> SlidingWindow | None:
    return SlidingWindow(quota.requests_per_minute) if quota.requests_per_minute else None


def _wait(key: Key, now: float) -> tuple[float, str]:
    """Return the seconds until a key may be used (infinite: until a request of its own ends) and what it waits for."""
    waits = (
        (max(key.group.cooling_until - now, 0.0), "the endpoint asked it to wait"),
        (key.window.wait_s(now) if key.window else 0.0, "requests/min"),
        (key.group.window.wait_s(now) if key.group.window else 0.0, f"requests/min of group {key.group.name}"),
        (_full(key.in_flight, key.concurrency), "its own concurrency"),
        (_full(key.group.in_flight, key.group.concurrency), f"the concurrency of group {key.group.name}"),
    )
    return max(waits, key=lambda entry: entry[0])


def _full(in_flight: int, concurrency: int | None) -> float:
    return float("inf") if concurrency is not None and in_flight >= concurrency else 0.0


def _published(key: Key, now: float, wall: float) -> dict[str, object]:
    cooling = key.group.cooling_until - now
    state = key.out or ("cooling" if cooling > 0 else "ok")
    windows = [window for window in (key.window, key.group.window) if window is not None]
    tightest = min(windows, key=lambda window: window.limit - window.used(now), default=None)
    return {
        "name": key.name,
        "group": key.group.name,
        "state": state,
        "reason": key.reason or ("the endpoint asked it to wait" if state == "cooling" else ""),
        "until": wall + cooling if state == "cooling" else None,
        "in_flight": key.in_flight,
        "used_this_minute": tightest.used(now) if tightest else 0,
        "requests_per_minute": tightest.limit if tightest else None,
    }
