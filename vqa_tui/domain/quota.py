"""How much of a quota is used and when there is room again: sliding minutes and calendar days, told the time."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vqa_tui.domain.allowance import Unit

MINUTE_S = 60.0
_DAYS_KEPT = 2
_MERGED_S = 0.01
"""Requests that start this close together share one slice, so that a window of a million takes 6,000 slices."""

UNITS = tuple(Unit)
"""The order of amounts, limits and sums: requests, tokens, input tokens, output tokens."""
Amounts = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class RequestSize:
    """Tokens that one request is expected to take; settled by what its reply reports."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def amounts(self) -> Amounts:
        """What one request of this size takes of each of UNITS."""
        return 1, self.input_tokens + self.output_tokens, self.input_tokens, self.output_tokens


UNSIZED = RequestSize()


class ArrivalMargin:
    """How many seconds after its start the endpoint may have counted a request: the measured bound of that delay.

    The endpoint counts when a request arrives, which nobody sees here; but it arrived before its reply came. So the
    longest latency of the last minute bounds the delay of every request in the window, and a window that holds each
    start for 60 s and this margin is never above its limit on the endpoint's clock either. Replies take longer than
    uploads, so the margin stops at MOST_S, which costs a window 2.4 % of its throughput at the worst.
    """

    LEAST_S = 0.1
    """For clocks that tick apart and round."""
    MOST_S = 1.5
    _KEPT_S = MINUTE_S + MOST_S

    def __init__(self) -> None:
        self.seconds = self.MOST_S
        self._older = self.MOST_S
        self._newer = 0.0
        self._turns_at = float("-inf")

    def note(self, now: float, latency_s: float) -> None:
        """Take note of a request that took `latency_s` and ended at `now`."""
        if now >= self._turns_at:
            # A latency is kept for one to two turns: never shorter than the window has use for it.
            if self._turns_at != float("-inf"):
                self._older = self._newer
            self._newer, self._turns_at = 0.0, now + self._KEPT_S
        self._newer = max(self._newer, latency_s)
        self.seconds = min(max(self._older, self._newer) + self.LEAST_S, self.MOST_S)


class Slice:
    """What was taken within a few milliseconds."""

    __slots__ = ("alive", "amounts", "first", "last")

    def __init__(self, at: float) -> None:
        self.first = self.last = at
        self.amounts = [0, 0, 0, 0]
        self.alive = True


class SlidingWindow:
    """What was taken of each of UNITS in the last 60 s, and at most how much may be.

    No limit is exceeded in any 60 s, on our clock and on that of an endpoint that counts up to `margin.seconds` later.
    A request that is larger than a whole limit passes alone, when nothing else is in the window: it would wait for
    ever. Times are seconds of a clock that does not run backwards. Taking and asking take constant time, amortised.
    """

    def __init__(self, margin: ArrivalMargin | None = None) -> None:
        self._margin = margin or ArrivalMargin()
        self._slices: deque[Slice] = deque()
        self._bounds: tuple[tuple[int, int], ...] = ()
        self.used = [0, 0, 0, 0]
        """Within the window, of each of UNITS; call `forget` first."""
        self.ever = [0, 0, 0, 0]
        """Since the beginning, of each of UNITS."""

    def limit(self, limits: Sequence[int | None]) -> None:
        """Set the limit of each of UNITS; None is unlimited. What was taken so far counts against a new limit, too."""
        self._bounds = tuple((unit, limit) for unit, limit in enumerate(limits) if limit is not None)

    def has_room(self, amounts: Amounts, now: float) -> bool:
        """Whether `amounts` may be taken now."""
        if self._bounds:
            self.forget(now)
            used = self.used
            for unit, limit in self._bounds:
                if 0 < used[unit] > limit - amounts[unit]:
                    return False
        return True

    def wait_s(self, amounts: Amounts, now: float) -> tuple[float, int]:
        """Return the seconds until `amounts` may be taken and the place in UNITS of what they wait for; (0, 0): now."""
        waits = ((self.wait_below(unit, limit - amounts[unit], now), unit) for unit, limit in self._bounds)
        return max(waits, default=(0.0, 0), key=lambda wait: wait[0])

    def wait_below(self, unit: int, most: int, now: float) -> float:
        """Return the seconds until at most `most` of one unit is in the window (below 0: nothing)."""
        self.forget(now)
        left, most = self.used[unit], max(most, 0)
        if left <= most:
            return 0.0
        for each in self._slices:
            left -= each.amounts[unit]
            if left <= most:
                return max(each.last + MINUTE_S + self._margin.seconds - now, 0.0)
        return 0.0

    def take(self, amounts: Amounts, now: float) -> Slice:
        """Count `amounts` at `now`, for which the caller has seen room; return what the next methods want to know."""
        slices = self._slices
        if slices and 0 <= now - slices[-1].first <= _MERGED_S:
            into = slices[-1]
            into.last = now
        else:
            self.forget(now)
            into = Slice(now)
            slices.append(into)
        self._add(into, amounts)
        return into

    def count(self, amounts: Amounts, at: float, now: float) -> Slice:
        """Count what was taken elsewhere at `at`, at the earliest with the newest taking here; return its slice."""
        if self._slices:
            at = max(at, self._slices[-1].last)
        into = self.take(amounts, at)
        self.forget(now)
        return into

    def give_back(self, taken: Slice, amounts: Amounts) -> None:
        """Undo a taking: what it was for did not happen."""
        requests, tokens, inputs, outputs = amounts
        self._add(taken, (-requests, -tokens, -inputs, -outputs))

    def settle(self, taken: Slice, expected: Amounts, actual: Amounts) -> None:
        """Replace what a request was expected to take by what it took, at the time when it was taken."""
        if expected != actual:
            self._add(taken, (0, actual[1] - expected[1], actual[2] - expected[2], actual[3] - expected[3]))

    def forget(self, now: float) -> None:
        """Drop what has left the window."""
        slices, edge = self._slices, now - MINUTE_S - self._margin.seconds
        while slices and slices[0].last <= edge:
            gone = slices.popleft()
            gone.alive = False
            for unit, amount in enumerate(gone.amounts):
                self.used[unit] -= amount

    def _add(self, into: Slice, amounts: Amounts) -> None:
        used, ever, sums = self.used, self.ever, into.amounts
        alive = into.alive
        for unit in (0, 1, 2, 3):
            if amount := amounts[unit]:
                ever[unit] += amount
                if alive:
                    sums[unit] += amount
                    used[unit] += amount


def next_midnight(at: float, zone: ZoneInfo) -> float:
    """Return the Unix time of the first midnight after the Unix time `at` in `zone`.

    Where summer time skips that midnight the day begins at the hour to which the clocks jump.
    """
    day = datetime.fromtimestamp(at, zone).date()
    while True:
        day += timedelta(days=1)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        if midnight > at:
            return midnight


def last_midnight(at: float, zone: ZoneInfo) -> float:
    """Return the Unix time of the newest midnight at or before the Unix time `at` in `zone`."""
    day = datetime.fromtimestamp(at, zone).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    if midnight > at:
        day -= timedelta(days=1)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    return midnight


class DayCount:
    """Requests since the newest midnight of a time zone, and at most how many there may be. Times are Unix times.

    A clock that is set forward and back again finds the days as they were, and what was taken meanwhile counts against
    the earlier of them as well: nobody knows which of the two the endpoint counted it against.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.limit: int | None = None
        self.used = 0
        self.began_at = float("inf")
        self.resets_at = float("-inf")
        self._carried = 0
        """Of what is used, what is counted in an earlier day too."""
        self._others: dict[float, tuple[int, int]] = {}
        """What was used and carried of the days before this one, in the order in which they were left, by their end."""

    def has_room(self, wall: float, in_flight: int) -> bool:
        """Whether one more request may start; `in_flight` are under way and may be counted in the new day."""
        self.turn(wall, in_flight)
        return self.limit is None or self.used < self.limit

    def turn(self, wall: float, in_flight: int) -> None:
        """Begin a new day when it has come, or go back to the one before where the clock was set back."""
        if self.began_at <= wall < self.resets_at:
            return
        is_first, was_set_back = self.resets_at == float("-inf"), wall < self.resets_at
        taken = self.used - self._carried if was_set_back else 0
        if not is_first:
            self._others[self.resets_at] = self.used, self.used if was_set_back else self._carried
        self.began_at, self.resets_at = last_midnight(wall, self.zone), next_midnight(wall, self.zone)
        if self.resets_at in self._others:
            self.used, self._carried = self._others.pop(self.resets_at)
            self.used += taken
        else:
            self.used = self._carried = in_flight
            if was_set_back:
                self.used, self._carried = max(taken, in_flight), 0
        for end in [*self._others][:-_DAYS_KEPT]:
            del self._others[end]

    def take(self) -> float:
        """Count one request and return the day, which `give_back` wants to know."""
        self.used += 1
        return self.resets_at

    def give_back(self, day: float) -> None:
        """Undo a taking: nothing was sent, or the endpoint refused to count it."""
        if day == self.resets_at:
            self.used = max(self.used - 1, 0)
        elif day in self._others:
            used, carried = self._others[day]
            self._others[day] = max(used - 1, 0), min(carried, max(used - 1, 0))

    def count(self, requests: int) -> None:
        """Count requests that were made elsewhere; below 0, as many of those counted earlier do not count after all."""
        self.used = max(self.used + requests, 0)
