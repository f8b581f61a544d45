"""A simulated endpoint with a hidden limit, and a keyring before it, for the throttle: no clock, no I/O."""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from vqa_tui.engine.throttle import Throttle

TIMER_S = 0.001
"""How late a timer fires."""
JITTER_S = 0.005
"""Most seconds from here to the endpoint, different for each request."""


class Limit(Protocol):
    """Seconds until there would be room for a rejected request, None for an accepted one."""

    def ask(self, now: float, in_flight: int) -> float | None: ...


class Bucket:
    """A token bucket; with a burst of 1 it is a leaky bucket without a queue."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self._burst = self._tokens = max(burst, 1.0)
        self._at = 0.0

    def tighten(self, rate: float) -> None:
        """Allow `rate` from here on, and save up one second of it at most."""
        self.rate = self._burst = self._tokens = rate

    def ask(self, now: float, in_flight: int) -> float | None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return None


class SlidingMinute:
    """At most so many in any 60 seconds, all at once if they like."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[float] = deque()

    def ask(self, now: float, in_flight: int) -> float | None:
        while self._taken and now - self._taken[0] >= 60:
            self._taken.popleft()
        if len(self._taken) >= self._most:
            return self._taken[0] + 60 - now
        self._taken.append(now)
        return None


class CalendarMinute:
    """At most so many from one full minute to the next; the simulation begins `offset` seconds into one."""

    def __init__(self, most: int, offset: float) -> None:
        self._most = most
        self._offset = offset
        self._minute = -1
        self._used = 0

    def ask(self, now: float, in_flight: int) -> float | None:
        minute = int((now + self._offset) // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        if self._used >= self._most:
            return (minute + 1) * 60 - now - self._offset
        self._used += 1
        return None


class InFlight:
    """At most so many at work at once."""

    def __init__(self, most: int) -> None:
        self._most = most

    def ask(self, now: float, in_flight: int) -> float | None:
        return None if in_flight < self._most else 1.0


class Chance:
    """Capacity that others use too: a share of the requests is turned away whatever their rate, beside `limit` if any.

    Who is turned away shall wait for `rest_s`.
    """

    def __init__(self, share: float, seed: int, limit: Limit | None = None, rest_s: float = 1.0) -> None:
        self._share = share
        self._chance = random.Random(seed)
        self._limit = limit
        self._rest_s = rest_s

    def ask(self, now: float, in_flight: int) -> float | None:
        if self._chance.random() < self._share:
            return self._rest_s
        return self._limit.ask(now, in_flight) if self._limit is not None else None


class Careless(Throttle):
    """Asks as often as it may: what obeying `retry-after` alone would reach."""

    rest_s = 0.0

    def wait_s(self, now: float, in_flight: int) -> float:
        return 0.0

    def started(self, now: float) -> None: ...

    def rate_limited(self, now: float, started_at: float) -> None: ...

    def succeeded(self, now: float, started_at: float, *, saturated: bool) -> None: ...


@dataclass
class Course:
    """What happened: times of answers and of 429s."""

    throttle: Throttle
    answered: list[float] = field(default_factory=list)
    rejected: list[float] = field(default_factory=list)
    most_in_flight: int = 0

    def per_second(self, since: float, until: float) -> float:
        return sum(since <= at < until for at in self.answered) / (until - since)

    def share_rejected(self, since: float = 0.0, until: float = math.inf) -> float:
        rejected = sum(since <= at < until for at in self.rejected)
        return rejected / max(rejected + sum(since <= at < until for at in self.answered), 1)


@dataclass
class World:
    """An engine with `workers` workers that always have work, before an endpoint with `limit`.

    A 429 takes `rejection_s`; with `told` it says how long to wait. The keyring's part is played as it does it: the
    group rests for the longer of what it already rests and what is told, else for what the throttle proposes.
    """

    limit: Limit
    latency_s: float | Callable[[random.Random], float]
    workers: int = 256
    told: bool = False
    rejection_s: float = 0.05
    server_errors: float = 0.0
    pause: tuple[float, float] = (math.inf, math.inf)
    changes: tuple[tuple[float, Callable[[], None]], ...] = ()
    """What happens to the limit when, in order."""
    throttle: Callable[[int], Throttle] = Throttle

    def run(self, seconds: float, seed: int = 1) -> Course:
        """Let `seconds` pass; the same seed gives the same course."""
        chance, throttle = random.Random(seed), self.throttle(self.workers)
        course = Course(throttle)
        events: list[tuple[float, int, str, float, float]] = []
        now = cooling = 0.0
        held_up = cut_at = -math.inf
        in_flight = at_work = number = 0

        def later(at: float, what: str, started: float, wait: float = 0.0) -> None:
            nonlocal number
            number += 1
            heapq.heappush(events, (at, number, what, started, wait))

        changes = deque(self.changes)
        for at, _ in changes:
            later(at, "change", 0.0)
        while now < seconds:
            wake = math.inf
            if self.pause[0] <= now < self.pause[1]:
                wake = self.pause[1]
            while wake == math.inf and in_flight < self.workers:
                wait = max(throttle.wait_s(now, in_flight), cooling - now)
                if wait > 0:
                    held_up = now
                    wake = now + wait + TIMER_S
                    break
                throttle.started(now)
                in_flight += 1
                course.most_in_flight = max(course.most_in_flight, in_flight)
                later(now + JITTER_S * chance.random(), "arrives", now)
                now += 1e-6
            if not events or wake < events[0][0]:
                assert wake < math.inf, "nobody will ever go on"
                now = wake
                continue
            now, _, what, started, wait = heapq.heappop(events)
            if what == "change":
                changes.popleft()[1]()
            elif what == "arrives":
                refused = self.limit.ask(now, at_work)
                if refused is not None:
                    later(now + self.rejection_s, "429", started, refused)
                    continue
                at_work += 1
                takes = self.latency_s if isinstance(self.latency_s, int | float) else self.latency_s(chance)
                later(now + takes, "500" if chance.random() < self.server_errors else "answer", started)
            elif what == "429":
                in_flight -= 1
                course.rejected.append(now)
                throttle.rate_limited(now, started)
                if self.told:
                    cooling = max(cooling, now + wait)
                elif started > cut_at:
                    cut_at = now
                    cooling = max(cooling, now + throttle.rest_s)
            else:
                in_flight -= 1
                at_work -= 1
                course.answered.append(now)
                if what == "500":
                    throttle.failed(now, started)
                else:
                    throttle.succeeded(now, started, saturated=held_up >= started)
        return course


def lognormal(chance: random.Random) -> float:
    """Return seconds between 0.2 and 5, most of them about 1: how vision models answer."""
    return min(max(chance.lognormvariate(0.0, 0.7), 0.2), 5.0)
