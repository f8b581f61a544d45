"""The quotas of one key or of one group: limits by the minute and the day, and what has been taken of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vqa_tui.config.endpoint import Quota
from vqa_tui.domain.quota import MINUTE_S, UNITS, Amounts, ArrivalMargin, DayCount, Slice, SlidingWindow
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.ration import QUIET_S, Ration, Sharing, rest_of_epoch
from vqa_tui.domain.run import Limits

PER_MINUTE = tuple(f"{unit}/min" for unit in UNITS)
PER_DAY = "requests/day"
CONCURRENCY = "concurrency"
SHARED = "its share of the room that several runs have"
LATE = SHARED + " (seeing what they use takes longer than a share lasts: a slow disk or a busy computer)"
ENDED = math.inf
"""Waits for a request in flight to end: nobody knows how long."""

Gauge = dict[str, object]


@dataclass(slots=True, eq=False)
class Hold:
    """What was counted for one request: the minute's slice, and the day."""

    slice: Slice
    day: float


class Quotas:
    """The quotas of one key or one group, and what has been taken of them.

    Two clocks: `now` does not run backwards (time.monotonic), `wall` is Unix time, for days.
    """

    def __init__(self, name: str, quota: Quota, zone: ZoneInfo, margin: ArrivalMargin) -> None:
        self.name = name
        self.window = SlidingWindow(margin)
        self.day = DayCount(zone)
        self.in_flight = 0
        self._quota = quota
        self.limits: tuple[int | None, ...] = ()
        """Of each of UNITS, by the minute."""
        self.is_limited = False
        """Whether a minute or a day has a limit."""
        self.told_day = float("-inf")
        """The end of the day of which it was told that it is used up."""
        self._ration: Ration | None = None
        self._why_shared = SHARED
        self._elsewhere: dict[float, list[tuple[Slice, Amounts]]] = {}
        """What was counted for requests under way elsewhere, by their start as Unix time; two may have the same."""
        self.set_limits(Limits())

    def set_limits(self, limits: Limits) -> None:
        """Apply what a person wants of this name; what is not named is the endpoint's again."""
        quota, name = self._quota, self.name
        self.limits = (
            limits.requests_per_minute.get(name, quota.requests_per_minute),
            limits.tokens_per_minute.get(name, quota.tokens_per_minute),
            limits.input_tokens_per_minute.get(name, quota.input_tokens_per_minute),
            limits.output_tokens_per_minute.get(name, quota.output_tokens_per_minute),
        )
        self.window.limit(self.limits)
        self.day.limit = limits.requests_per_day.get(name, quota.requests_per_day)
        self.is_limited = self.day.limit is not None or any(limit is not None for limit in self.limits)

    def has_room(self, amounts: Amounts, now: float, wall: float) -> bool:
        """Whether a request that takes `amounts` may start."""
        most = self._quota.concurrency
        return (
            (most is None or self.in_flight < most)
            and self.window.has_room(amounts, now)
            and (self.day.limit is None or self.day.has_room(wall, self.in_flight))
            and (self._ration is None or self._ration.has_room(amounts, self.window.ever, self.day.used, now))
        )

    def waits(self, amounts: Amounts, now: float, wall: float) -> Iterator[tuple[float, str]]:
        """Yield the seconds to wait for each quota, infinite for one that waits for a request to end, and its name."""
        wait, unit = self.window.wait_s(amounts, now)
        yield wait, PER_MINUTE[unit]
        if not self.day.has_room(wall, self.in_flight):
            yield self.day.resets_at - wall, PER_DAY
        if self._ration is not None and not self._ration.has_room(amounts, self.window.ever, self.day.used, now):
            yield self._ration.wait_s(now), self._why_shared
        most = self._quota.concurrency
        if most is not None and self.in_flight >= most:
            yield ENDED, CONCURRENCY

    def share(self, sharing: Sharing, now: float, wall: float) -> None:
        """Take no more than one part of the room until the next look, where other engines take of it too."""
        self._ration = None
        if sharing.engines > 1 and self.is_limited:
            self.window.forget(now)
            self.day.turn(wall, self.in_flight)
            used = self.window.used
            room = [None if limit is None else limit - used[unit] for unit, limit in enumerate(self.limits)]
            day = None if self.day.limit is None else (self.day.limit - self.day.used, self.day.used)
            until = now + rest_of_epoch(sharing.looked_at) - (wall - sharing.looked_at) - QUIET_S
            self._ration = Ration(sharing, room, self.window.ever, day, until)
            self._why_shared = SHARED if now < until or now < self._ration.until else LATE

    def take(self, amounts: Amounts, now: float, wall: float) -> Hold:
        self.day.turn(wall, self.in_flight)
        self.in_flight += 1
        return Hold(self.window.take(amounts, now), self.day.take())

    def give_back(self, hold: Hold, amounts: Amounts) -> None:
        """Undo the counting of a request that was not sent."""
        self.window.give_back(hold.slice, amounts)
        self.day.give_back(hold.day)

    def count(self, use: KeyUse, now: float, wall: float) -> None:
        """Count requests that were made elsewhere; those older than our newest count as long as that one."""
        for started_at, size in use.newest:
            at = min(now - (wall - started_at), now)
            if now - at < MINUTE_S + ArrivalMargin.MOST_S:
                into = self.window.count(size.amounts, at, now)
                self._elsewhere.setdefault(started_at, []).append((into, size.amounts))
        for started_at, size in use.settled:
            if counted := self._elsewhere.get(started_at):
                into, expected = counted.pop()
                self.window.settle(into, expected, size.amounts)
        for started_at in use.unsent:
            if counted := self._elsewhere.get(started_at):
                self.window.give_back(*counted.pop())
        for started_at in [start for start, counted in self._elsewhere.items() if not _is_alive(counted)]:
            del self._elsewhere[started_at]
        self.day.turn(wall, self.in_flight)
        self.day.count(use.of_today)

    def gauges(self, now: float, wall: float, *, of_group: bool) -> list[Gauge]:
        """Return how much of each quota is used; times become Unix times."""
        self.window.forget(now)
        self.day.turn(wall, self.in_flight)
        shown: list[Gauge] = []
        for unit, limit in enumerate(self.limits):
            if limit is not None:
                used = self.window.used[unit]
                free_at = wall + self.window.wait_below(unit, limit - 1, now) if used >= limit else None
                shown.append(gauge(PER_MINUTE[unit], used, limit, of_group=of_group, resets_at=free_at))
        if (limit := self.day.limit) is not None:
            # Told before it is used up, too: what remains of a run may not fit into the day.
            shown.append(gauge(PER_DAY, self.day.used, limit, of_group=of_group, resets_at=self.day.resets_at))
        if (limit := self._quota.concurrency) is not None:
            shown.append(gauge(CONCURRENCY, self.in_flight, limit, of_group=of_group))
        return shown

    def too_large(self, amounts: Amounts) -> str:
        """Name the quota by the minute that one request of `amounts` passes all alone; '' where none."""
        for unit, limit in enumerate(self.limits):
            if limit is not None and amounts[unit] > limit:
                return f"about {amounts[unit]:,} {UNITS[unit]} at once, and {limit:,} {PER_MINUTE[unit]} are allowed"
        return ""


def _is_alive(counted: list[tuple[Slice, Amounts]]) -> bool:
    return any(into.alive for into, _amounts in counted)


def gauge(
    name: str, used: int, limit: int, *, of_group: bool, learned: bool = False, resets_at: float | None = None
) -> Gauge:
    """Return one gauge as it is published, with the fields of GaugeView."""
    return {
        "name": name,
        "used": used,
        "limit": limit,
        "of_group": of_group,
        "learned": learned,
        "resets_at": resets_at,
    }
