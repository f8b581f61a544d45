"""The throttle of one quota group: how many requests may be in flight, and how fast they may follow each other."""

import math
from collections import deque
from dataclasses import dataclass

from vqa_tui.engine.background import Background
from vqa_tui.engine.climb import SHORTEST_HOLD_S, Climb
from vqa_tui.engine.flow import Flow, Mark
from vqa_tui.engine.levels import Levels

FIRST_SLOTS = 2
_CUT = 0.92
"""What is left of a pace that was too fast, or of the rate that was accepted meanwhile."""
_CERTAIN = 0.8
"""Share of a pace that must have been accepted for the accepted rate to be taken for the limit."""
_FEW = 4
"""Where fewer are accepted between two rate limits, it is in doubt whether the best rate is still borne."""
_DOUBT = 0.97
"""What is left of the best rate then."""
_FORGET = 0.95
"""What is left of it when a careful step beyond the hold is turned away."""
_APART = 0.84
"""Share of the best rate to which a second rate limit at a pace that had been borne takes it: see Background."""
_LEAST_OF_BEST = 0.05
"""Share of the best rate below which the pace falls by little, unless requests alone were turned away."""
_SLOW = 0.25
"""The same in requests a second, however slow the best was."""
_LEAST_CUT = 0.98
_ENOUGH_ACCEPTED = 16
_ENOUGH_S = 3.0
_MINUTE_S = 60.0
_SLACK_S = 0.02
"""How late a start may be and still be made up for: timers are coarse, and the event loop has other things to do."""
_CLOSE_S = 0.01
"""Requests that follow each other more closely may start together after a delay; others keep half their distance."""
_REST_S = 1.0
_LONGEST_REST_S = 20.0
_LONGEST_HOLD_S = 120.0
_DEBT = 4
"""Replies that count towards no growth after a failure which is not a rate limit."""
_IDLE_S = 5.0
_SILENCE_S = 2.0
"""After so long without a word slow start goes on: answers may take a minute, but a rate limit is told at once."""
_SLOWEST = 0.02
"""Requests a second below which no pace falls: the rests after rate limits take over."""


@dataclass(frozen=True, slots=True)
class ThrottleState:
    """What the throttle has learned, for faces."""

    slots: int
    """Most in flight at once."""
    per_second: float | None
    """Most requests started a second; None while no rate limit was met."""
    state: str
    """`slow start`, `growing`, `holding` or `cut back`."""
    cut_at: float | None
    """When the newest cut was, on the clock that the throttle is told."""
    cuts: int


@dataclass(slots=True)
class _Start:
    """Requests in flight that started at one moment."""

    level: int
    """In flight with the newest of them."""
    sent: int
    """Requests sent before the first of them."""
    held_by: str
    """What the first of them waited for: `slots`, `pace` or ''."""
    count: int = 1


class Throttle:
    """Slots in flight and, once a rate limit was met, a pace of starts; both learned from replies alone.

    Pure: every method is told the time (seconds of a clock that does not run backwards).
    """

    def __init__(self, most: int) -> None:
        self._most = max(most, 1)
        self._slots = Climb(min(FIRST_SLOTS, self._most), least=1.0, least_grain=1.0, step_s=2.0, is_rate=False)
        self._ramp_to = math.inf
        """Slow start goes up to here; 0 once it is over."""
        self._pace: Climb | None = None
        self._due = -math.inf
        """When the next request is due by the pace."""
        self._starts: dict[float, _Start] = {}
        self._level = 1
        self._held_by = ""
        self._full_at = -math.inf
        self._last_start = -math.inf
        self._latency = 0.0
        self._debt = 0
        self._flow = Flow()
        self._levels = Levels()
        self._background = Background()
        self._borne = False
        """Whether the newest rate limit changed nothing, as so many come whatever the pace."""
        self._borne_at: float | None = None
        """When that was, until the next request starts."""
        self._spent: Mark | None = None
        """When the limit was last met; None when it may have recovered in a pause since."""
        self._met: deque[Mark] = deque()
        """When the limit was met, of about the last minute."""
        self._surprises = 0
        """Cuts in a row at a pace that had been borne."""
        self._opened: Mark | None = None
        """When requests went through again after that, or first."""
        self._gap = 0.0
        """Seconds without an accepted request after the newest cut."""
        self._paused = False
        """Whether nobody asked for a part of that time."""
        self._cut_at = -math.inf
        self._cuts = 0
        self._open = True
        """Whether requests may follow each other, not only one alone to see whether the limit is over."""
        self._scout_at: float | None = None
        self._misses = 0
        """Requests alone that were turned away in a row."""
        self._resume_at = -math.inf
        self._rejection_s = 0.0
        """How long the endpoint took to turn a request away, which is less than an answer takes."""

    def set_most(self, most: int) -> None:
        """Change the most requests in flight that a person allows."""
        self._most = max(most, 1)

    def wait_s(self, now: float, in_flight: int) -> float:
        """Return the seconds until one more request may start beside `in_flight` others: 0 now, infinite: until one of
        them ends."""
        self._level = in_flight + 1
        if in_flight >= self._most:
            return math.inf
        if in_flight and in_flight >= int(self._slots.value):
            self._held_by = "slots"
            self._full_at = now
            if not self._ramp_to or self._debt:
                return math.inf
            return max(self._last_start + _SILENCE_S - now, 0.0)
        if self._pace is None:
            return 0.0
        if not self._open and (wait := self._until_open(now)) > 0:
            return wait
        wait = self._due - now
        if wait <= 0:
            return 0.0
        self._held_by = "pace"
        return wait

    def _until_open(self, now: float) -> float:
        """Return the seconds to wait after a cut: first one request alone, then the others if it is not turned away."""
        if self._scout_at is None:
            return self._resume_at - now
        wait = self._scout_at + 1.5 * self._rejection_s + 0.05 - now
        if wait <= 0:
            self._reopen(self._scout_at)
        return wait

    def started(self, now: float) -> None:
        """Note that a request starts."""
        idle = max(_IDLE_S, 3 * self._latency, 3 / self._pace.value if self._pace else 0.0)
        if self._open and now - self._last_start > idle:
            self._forget()
        self._last_start = now
        if self._ramp_to and self._level > int(self._slots.value):
            self._slots.value = min(2 * self._slots.value, self._ramp_to, self._most)
        if self._opened is None:
            self._opened = self._flow.mark(now)
        start = self._starts.get(now)
        if start is None:
            self._starts[now] = _Start(self._level, self._flow.sent, self._held_by)
        else:
            start.count += 1
            start.level = self._level
        self._flow.started(now)
        self._held_by = ""
        if self._pace is not None:
            if self._borne_at is not None:
                self._pace.rested(now - self._borne_at)
                self._borne_at = None
            spacing = 1 / self._pace.value
            slack = _SLACK_S if spacing < _CLOSE_S else min(spacing / 2, _SLACK_S)
            self._due = max(self._due, now - slack) + spacing
            if not self._open and self._scout_at is None:
                self._scout_at = now

    def cancelled(self, started_at: float) -> None:
        """Undo the start at `started_at`: nothing was sent."""
        self._ended(started_at)
        self._flow.sent -= 1
        if started_at == self._scout_at and not self._open:
            self._scout_at = None

    def succeeded(self, now: float, started_at: float, *, saturated: bool) -> None:
        """Note a reply; `saturated` tells whether requests waited for this group meanwhile."""
        start = self._ended(started_at)
        self._latency += (now - started_at - self._latency) * 0.1
        if self._pace is not None:
            self._levels.accepted(start.level)
            if not self._open and started_at > self._cut_at:
                self._reopen(started_at)
        if self._debt:
            self._debt -= 1
        elif not saturated:
            return
        elif self._pace is not None and start.held_by == "pace":
            self._pace.heard(now, started_at, sent=self._flow.sent)
        elif self._full_at >= started_at and self._slots.value < self._most and self._open:
            self._more_slots(now, started_at)

    def _more_slots(self, now: float, started_at: float) -> None:
        slots = self._slots
        if not self._ramp_to:
            slots.heard(now, started_at, sent=self._flow.sent, replies_needed=int(slots.value))
        else:
            slots.value = min(slots.value + 1, self._ramp_to)
            if slots.value >= self._ramp_to:
                self._ramp_to = 0
        slots.value = min(slots.value, self._most)

    def rate_limited(self, now: float, started_at: float) -> None:
        """Note a 429 without regard to how long the endpoint asks to wait, which is the keyring's matter.

        Requests that started before the newest cut belong to the burst that it answered, and change nothing.
        """
        start = self._ended(started_at)
        if started_at > self._cut_at:
            self._rejection_s = now - started_at
            self._borne = self._open and self._is_background(now)
            if self._borne:
                self._borne_at = now if self._borne_at is None else self._borne_at
            elif self._open:
                self._cut(now, started_at, start)
            else:
                self._misses += 1
                self._resume_at = now + self.rest_s / 4
            self._scout_at = None
        self._flow.rejected += 1

    def _is_background(self, now: float) -> bool:
        """Return whether a rate limit has nothing to do with the pace, which then goes back to where it was borne."""
        if (pace := self._pace) is None:
            return False
        safe = None if pace.ceiling == math.inf else not pace.probing
        verdict = self._background.judge(self._flow.sent, pace.value, pace.best, safe=safe)
        if verdict == "resume":
            pace.resume(now, pace.best)
        return verdict != "cut"

    def failed(self, now: float, started_at: float) -> None:
        """Note any other failure: growth stops for a while, nothing shrinks."""
        self._ended(started_at)
        self._debt = min(self._debt + _DEBT, _DEBT + int(self._slots.value))

    def _cut(self, now: float, started_at: float, start: _Start) -> None:
        pace = self._pace
        blamed = self._levels.rejected(start.level, pace.value if pace else 0.0)
        if blamed:
            self._slots.cut(now, start.level * 0.9, start.level)
        elif start.level < self._slots.ceiling:
            # Turned away below the level that was blamed: it is not the number in flight.
            self._slots.ceiling = math.inf
        self._ramp_to = 0
        since = self._spent or self._flow.back(started_at, max(1.0, 2 * self._latency))
        if pace is None:
            per_s = self._flow.rate(since, started_at, start.sent, latency_s=self._latency)
            self._pace = Climb(per_s * _CUT, least=_SLOWEST, least_grain=0.0, step_s=5.0, is_rate=True)
        else:
            value, ceiling = self._estimate(pace, since, started_at, start.sent)
            if blamed:
                ceiling = max(ceiling, self._levels.tried_per_s)
            surprising = not blamed and not pace.probing and pace.value <= pace.best
            self._note_best(pace, started_at, start.sent)
            self._surprises = self._surprises + 1 if surprising else 0
            if self._surprises > 1:
                # Fall so far below what was borne that one more rate limit tells: it is none of the pace's fault.
                value, ceiling = min(value, _APART * pace.best), min(ceiling, _APART * pace.best)
            if self._flow.accepted(self._opened or since, start.sent) < _FEW:
                pace.best *= _DOUBT
            least = 0.0 if self._misses else min(max(_LEAST_OF_BEST * pace.best, _SLOW), _LEAST_CUT * pace.value)
            pace.cut(now, value * _CUT, ceiling, least=least)
        self._met.append(Mark(started_at, start.sent, self._flow.rejected))
        self._spent = Mark(started_at, start.sent, self._flow.rejected)
        self._due = max(self._due, now)
        self._cut_at = self._resume_at = now
        self._cuts += 1
        self._misses = 0
        self._open = False
        self._borne_at = None

    def _note_best(self, pace: Climb, until: float, sent: int) -> None:
        """Note the rate that was accepted between rate limits of about the last minute.

        Over so long, and from one to another, nothing that an endpoint saves up for bursts makes it look higher.
        """
        if pace.probing:
            pace.best *= _FORGET
        met, flow = self._met, self._flow
        while len(met) > 1 and until - met[0].at > _MINUTE_S + _LONGEST_REST_S:
            met.popleft()
        if met and flow.accepted(met[0], sent) >= _ENOUGH_ACCEPTED and until - met[0].at >= _ENOUGH_S:
            pace.best = max(pace.best, flow.rate(met[0], until, sent, latency_s=0.0))
        if self._background.share and flow.covers(_MINUTE_S - 5, until):
            pace.best = max(pace.best, flow.rate(flow.back(until, _MINUTE_S), until, sent, latency_s=0.0))

    def _estimate(self, pace: Climb, since: Mark, until: float, sent: int) -> tuple[float, float]:
        """Return the rate that is surely borne, and the highest that may be, from what was accepted until a rejection.

        Whatever an endpoint saves up for bursts is spent when it turns a request away. So between two such moments it
        accepts what it allows, or less where it threw away what was saved; and the pace in force was too fast.
        """
        flow, latency_s = self._flow, self._latency
        span = until - since.at
        idle_s = self._gap / 2 if self._gap < 0.2 * span else 0.0
        borne = min(flow.rate(since, until, sent, latency_s=latency_s, idle_s=idle_s), pace.value)
        minute = 0.0
        if flow.covers(_MINUTE_S - 5, until):
            # A window of a minute gives back only what was taken a minute ago: its limit shows over a minute alone.
            minute = flow.rate(flow.back(until, _MINUTE_S), until, sent, latency_s=latency_s)
        enough = flow.accepted(since, sent) >= _ENOUGH_ACCEPTED and span - self._gap >= _ENOUGH_S
        if enough and borne >= _CERTAIN * pace.value:
            return borne, max(borne, minute, pace.under if pace.probing else 0.0)
        value = max(borne, 0.5 * pace.value)
        return min(value, max(minute, borne)) if minute else value, max(pace.value, minute)

    def _reopen(self, started_at: float) -> None:
        """Let requests follow each other again: one that started at `started_at` was not turned away."""
        self._open = True
        self._scout_at = None
        # A pause in which nobody asked says nothing about how long the endpoint turned requests away.
        self._gap = 0.0 if self._paused else started_at - self._cut_at
        self._paused = False
        pace = self._pace
        assert pace is not None
        pace.hold_s = self._slots.hold_s = max(SHORTEST_HOLD_S, min(15 * self._gap, _LONGEST_HOLD_S))
        if self._opened is not None and self._spent is not None:
            busy = self._spent.at - self._opened.at
            if pace.ceiling == math.inf and busy < _MINUTE_S and _IDLE_S <= self._gap <= _MINUTE_S + _LONGEST_REST_S:
                # Perhaps a quota by the minute, used up early: then the whole cycle tells the rate.
                per_s = self._flow.accepted(self._opened, self._flow.sent) / (busy + self._gap)
                if per_s < pace.value:
                    pace.cut(started_at, per_s, per_s)
                    pace.hold_s = SHORTEST_HOLD_S
        self._opened = self._flow.mark(started_at)

    @property
    def rest_s(self) -> float:
        """Seconds to rest after a rate limit where the endpoint does not tell: twice as long for each try in vain, and
        none after one that is no fault of the pace."""
        if self._borne:
            return 0.0
        return min(_REST_S * 2.0 ** min(self._misses, 10), _LONGEST_REST_S)

    def restart_gently(self, now: float) -> None:
        """Begin anew with few requests: the run was paused, the computer slept, or the endpoint was gone."""
        if self._slots.value > FIRST_SLOTS:
            self._ramp_to = max(self._ramp_to, self._slots.value)
            self._slots.value = FIRST_SLOTS
        if self._pace is not None:
            self._pace.rest(now)
        self._paused = not self._open
        self._forget()

    def _forget(self) -> None:
        """Forget when the limit was met: in a pause an endpoint saves up, and nothing is learned about its limit."""
        self._spent = self._opened = None
        self._met.clear()
        self._borne_at = None
        self._gap = 0.0
        self._flow.forget()

    def state(self, now: float) -> ThrottleState:
        """Return what is known at `now`."""
        slots = min(int(self._slots.value), self._most)
        per_second = None if self._pace is None else self._pace.value
        cut_at = self._cut_at if self._cuts else None
        return ThrottleState(slots, per_second, self._word(now), cut_at, self._cuts)

    def _word(self, now: float) -> str:
        if self._ramp_to:
            return "slow start" if self._slots.value < self._most else "holding"
        if not self._open or now - self._cut_at < _IDLE_S:
            return "cut back"
        grows = self._pace is not None and self._pace.value != self._pace.under
        return "growing" if grows else "holding"

    def _ended(self, started_at: float) -> _Start:
        start = self._starts[started_at]
        start.count -= 1
        if not start.count:
            del self._starts[started_at]
        return start
