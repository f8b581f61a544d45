"""A key, the group whose quotas it shares, and what either waits for."""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from vqa_tui.config.endpoint import Quota
from vqa_tui.domain.allowance import Allowance
from vqa_tui.domain.failure import Failure
from vqa_tui.domain.quota import UNITS, Amounts, ArrivalMargin, RequestSize, last_midnight, next_midnight
from vqa_tui.domain.token_ratio import UNPROVEN_IN_FLIGHT, TokenRatio
from vqa_tui.domain.told_quota import ToldQuota
from vqa_tui.engine.quotas import CONCURRENCY, ENDED, PER_DAY, PER_MINUTE, Gauge, Hold, Quotas, gauge
from vqa_tui.engine.throttle import Throttle

YOUNG_DAY_S = 600.0
"""So long after midnight "used up for today" may be said of yesterday, as clocks differ: it is tried again then."""
_OVERTAKEN_S = 0.5
"""How much later a request may start than another and arrive before it."""
_STEP_S = 0.05


class QuotaGroup(Quotas):
    """Keys of one account: they share quotas, cooldowns, what the endpoint tells, and one throttle."""

    def __init__(self, name: str, quota: Quota, zone: ZoneInfo, margin: ArrivalMargin, throttle: Throttle) -> None:
        super().__init__(name, quota, zone, margin)
        self.throttle = throttle
        self._margin = margin
        self._newest: deque[tuple[float, int]] = deque()
        self.ratio = TokenRatio()
        self.open: set[Loan] = set()
        """Of requests under way."""
        self.keys: list[Key] = []
        self.told: list[ToldQuota] = []
        self.cooling_until = 0.0
        self.cooled_at = float("-inf")
        """When the newest burst of rate limits began."""
        self.parked_until = 0.0
        """Unix time at which a used-up quota is tried again."""
        self.parked_why = ""
        self._parked_for = 0.0
        self._parked_by_day = False
        self.held_up_at = float("-inf")
        """When a request last waited for the throttle alone."""

    @property
    def alone(self) -> bool:
        """Whether it is the group of a single key, which nobody thinks of as a group."""
        return len(self.keys) == 1

    @property
    def waits_for_proof(self) -> bool:
        """Whether tokens are limited and no reply has shown yet how many a request takes."""
        if self.ratio.is_proven or self.in_flight < UNPROVEN_IN_FLIGHT:
            return False
        limited = [self.limits, *(key.own.limits for key in self.keys if key.own is not None)]
        return any(limit is not None for limits in limited for limit in limits[1:])

    def is_ready(self, amounts: Amounts, now: float, wall: float, *, in_turn: bool = True) -> bool:
        """Whether a request that takes `amounts` may start, as far as the group is concerned.

        `in_turn`: it waits if not; nothing is noted of one that would not.
        """
        if self.cooling_until > now or (self.parked_until > wall and self.unparked_at(wall) > wall):
            return False
        if not self.has_room(amounts, now, wall) or self.waits_for_proof:
            return False
        if self.told:
            self.window.forget(now)
            for told in self.told:
                if not told.has_room(amounts[told.unit], self.window, now):
                    return False
        if self.throttle.wait_s(now, self.in_flight) > 0:
            if in_turn:
                self.held_up_at = now
            return False
        return True

    def just_before(self, now: float) -> int:
        """Return how many requests started so shortly before `now` that one that starts now may overtake them."""
        ever, newest = self.window.ever[0], self._newest
        if not newest or now - newest[-1][0] >= _STEP_S:
            newest.append((now, ever))
        edge = now - min(self._margin.seconds, _OVERTAKEN_S)
        while len(newest) > 1 and newest[1][0] <= edge:
            newest.popleft()
        return ever - newest[0][1]

    def waits(self, amounts: Amounts, now: float, wall: float) -> Iterator[tuple[float, str]]:
        yield self.cooling_until - now, "the endpoint asked it to wait"
        yield self.unparked_at(wall) - wall, PER_DAY
        if self.waits_for_proof:
            yield ENDED, "the first reply, which shows how many tokens a request takes"
        of_group = "" if self.alone else f" of group {self.name}"
        for wait, name in super().waits(amounts, now, wall):
            yield wait, f"the {name}{of_group}" if name == CONCURRENCY else name + of_group
        for told in self.told:
            yield told.wait_s(amounts[told.unit], self.window, now), told.name
        yield self.throttle.wait_s(now, self.in_flight), self._throttled(now)

    def tell(self, words: Sequence[Allowance], now: float, loan: "Loan", *, refused: bool) -> None:
        """Take note of what the endpoint told with the reply to `loan`, which a quota refused or not."""
        started_before = self.in_flight - 1 - (self.window.ever[0] - loan.ever[0])
        overtaken = max(min(started_before, loan.just_before), 0)
        for word in words:
            unit = UNITS.index(word.unit)
            told = next((each for each in self.told if each.unit == unit), None)
            if told is None:
                told = ToldQuota(unit)
                self.told.append(told)
            told.tell(
                word,
                now,
                serial=loan.serial,
                used=loan.used[unit],
                ever=loan.ever[unit],
                ever_now=self.window.ever[unit],
                # Where a person told the limit, our own window already counts what is on the way.
                overtaken=overtaken * loan.amounts[unit] if self.limits[unit] is None else 0,
                refused=refused,
            )

    def gauges(self, now: float, wall: float, *, of_group: bool) -> list[Gauge]:
        shown = super().gauges(now, wall, of_group=of_group)
        for told in self.told:
            # Nobody told for how long it counts: what takes long to be whole again is taken for a quota by the day.
            is_by_day = told.is_long and not told.unit
            known = self.day.limit if is_by_day else self.limits[told.unit]
            if told.limit is None or told.remaining is None or known is not None:
                continue
            name = PER_DAY if is_by_day else PER_MINUTE[told.unit]
            fresh = told.resets_at is not None and now < told.resets_at
            used = told.limit - told.remaining if fresh else min(self.window.used[told.unit], told.limit)
            until = wall + told.resets_at - now if told.resets_at is not None and fresh and not told.remaining else None
            shown.append(gauge(name, used, told.limit, of_group=of_group, learned=True, resets_at=until))
        return shown

    def cool(self, taken_at: float, retry_after_s: float | None, now: float) -> None:
        """Rest after a rate-limited request that was taken at `taken_at`.

        Requests sent before the cooldown in force began belong to the same burst: they may extend it by what the
        endpoint tells, but they do not count as being limited again. Where it tells nothing, the throttle knows how
        long: a second, and twice as long for each try in vain.
        """
        if taken_at > self.cooled_at:
            self.cooled_at = now
        elif retry_after_s is None:
            return
        wait = self.throttle.rest_s if retry_after_s is None else retry_after_s
        self.cooling_until = max(self.cooling_until, now + max(wait, 0.0))

    def exhausted(self, failure: Failure, started_at: float, wall: float) -> str:
        """Park the keys: the quota of a request that started at the Unix time `started_at` is used up.

        Returns a sentence worth an event, or ''.
        """
        if failure.by_day:
            midnight = last_midnight(wall, self.day.zone)
            if started_at < midnight:
                # It was sent yesterday and speaks of yesterday.
                return ""
            self.day.turn(wall, self.in_flight)
            until = wall + YOUNG_DAY_S if wall - midnight < YOUNG_DAY_S else self.day.resets_at
        elif failure.retry_after_s is not None:
            until = wall + failure.retry_after_s
        else:
            keys = [key for key in self.keys if not key.out]
            for key in keys:
                key.out, key.reason = "parked", failure.message
            return f"key {', '.join(key.name for key in keys)} is parked: {failure.message}" if keys else ""
        is_new = self.unparked_at(wall) <= wall
        if until >= self.parked_until:
            self.parked_until, self._parked_for, self._parked_by_day = until, until - wall, failure.by_day
        self.parked_why = failure.message
        names = ", ".join(key.name for key in self.keys)
        return f"key {names} is parked until {local_time(self.parked_until)}: {failure.message}" if is_new else ""

    def unparked_at(self, wall: float) -> float:
        """Return the Unix time at which a used-up quota is tried again; a clock that was set back puts it off to the
        next midnight there at most."""
        if self.parked_until - wall > self._parked_for:
            until = wall + self._parked_for
            self.parked_until = min(until, next_midnight(wall, self.day.zone)) if self._parked_by_day else until
        return self.parked_until

    def learn(self, loan: "Loan", actual: Amounts) -> None:
        """Take note of the tokens that a request took, and hold more for those under way if it took more."""
        if self.ratio.note(loan.asked, actual):
            for other in self.open:
                other.grow(self.ratio.sized(other.asked))

    def _throttled(self, now: float) -> str:
        state = self.throttle.state(now)
        if state.per_second is not None:
            return f"the pace that the endpoint allows ({state.per_second:.3g} requests/s learned)"
        return f"{state.state}: {state.slots} at once so far"


@dataclass(slots=True, eq=False)
class Key:
    """One key at work. `value` never leaves the engine process."""

    name: str
    value: SecretStr = field(repr=False)
    group: QuotaGroup
    own: Quotas | None
    """Quotas of its own beside the group's; None for a key that is its group."""
    out: str = ""
    """`parked` or `off` until a person resumes; '' while usable, be it later."""
    fresh: Callable[[], Awaitable[SecretStr]] | None = field(default=None, repr=False)
    """Gives the value of a key that changes, in place of `value`."""
    reason: str = ""
    in_flight: int = 0
    lent: int = 0

    def is_ready(self, amounts: Amounts, now: float, wall: float) -> bool:
        """Whether it may be lent, provided that its group is ready."""
        return not self.out and (self.own is None or self.own.has_room(amounts, now, wall))

    def wait(self, amounts: Amounts, now: float, wall: float) -> tuple[float, str]:
        """Return the seconds until it may be lent (infinite: until a request ends) and what it waits for."""
        waits = list(self.group.waits(amounts, now, wall))
        if self.own is not None:
            own = self.own.waits(amounts, now, wall)
            waits += [(wait, f"its own {name}" if name == CONCURRENCY else name) for wait, name in own]
        wait, why = max(waits, key=lambda entry: entry[0])
        return (wait, why) if wait > 0 else (0.0, "")

    def published(self, now: float, wall: float) -> dict[str, object]:
        """Return what faces may know; times become Unix times."""
        state, reason, until = self._state(now, wall)
        gauges = self.own.gauges(now, wall, of_group=False) if self.own is not None else []
        return {
            "name": self.name,
            "group": self.group.name,
            "state": state,
            "reason": reason,
            "until": until,
            "in_flight": self.in_flight,
            "gauges": gauges + self.group.gauges(now, wall, of_group=not self.group.alone),
        }

    def _state(self, now: float, wall: float) -> tuple[str, str, float | None]:
        if self.out:
            return self.out, self.reason, None
        if (until := self.group.unparked_at(wall)) > wall:
            return "parked", self.group.parked_why, until
        for quotas in (self.own, self.group):
            if quotas is not None and not quotas.day.has_room(wall, quotas.in_flight):
                return "parked", f"the {quotas.day.limit:,} requests of its day are used up", quotas.day.resets_at
        if self.group.cooling_until > now:
            return "cooling", "the endpoint asked it to wait", wall + self.group.cooling_until - now
        return "ok", "", None


@dataclass(slots=True, eq=False)
class Loan:
    """A key lent for one request, counted against its quotas at `taken_at`."""

    key: Key
    taken_at: float
    asked: Amounts
    """What its request was thought to take."""
    amounts: Amounts
    """What is held for it, by what requests like it have taken."""
    hold: Hold
    own_hold: Hold | None
    serial: int
    """The how-many-eth loan it is."""
    used: tuple[int, ...]
    """Of the group's window right after it was taken, of each of UNITS; so is `ever`."""
    ever: tuple[int, ...]
    just_before: int
    """Requests that its group had started shortly before."""
    started: tuple[int, ...]
    """Requests that each group had started by then."""

    @property
    def expected(self) -> RequestSize:
        """Tokens that are held for its request."""
        return RequestSize(self.amounts[2], self.amounts[3])

    def settle(self, actual: Amounts) -> None:
        """Count what its request took instead of what was held for it."""
        self.key.group.window.settle(self.hold.slice, self.amounts, actual)
        if self.key.own is not None and self.own_hold is not None:
            self.key.own.window.settle(self.own_hold.slice, self.amounts, actual)

    def grow(self, amounts: Amounts) -> None:
        """Hold at least `amounts`."""
        held = self.amounts
        more = (held[0], max(held[1], amounts[1]), max(held[2], amounts[2]), max(held[3], amounts[3]))
        self.settle(more)
        self.amounts = more


def local_time(at: float) -> str:
    """Return a Unix time as date and time of this computer's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
