"""The search for a limit that nobody tells: back to just under where it was met, a long hold, careful steps beyond."""

import math

_LONGEST_BEAT_S = 10.0
"""Most seconds between two replies that count as time under load: a pause proves nothing about the limit."""
_USED = 0.7
"""Least share of a rate that must have been used for it to count as borne."""
_GRAIN = 0.02
"""How far under the ceiling the hold stays, and the first step beyond it, as a share of the ceiling."""
_STEP_REPLIES = 8
SHORTEST_HOLD_S = 30.0
_HOLD_REPLIES = 60
"""At 2 requests a second a minute of trying makes 120 of them, and one or two rate limits among these are enough."""
_FAR = 0.5
"""Below this share of the best that was borne growth waits for no number of replies: they would take too long."""


class Climb:
    """One limit that is not known, requests in flight or requests a second, and how it is felt out.

    In the spirit of CUBIC (RFC 9438): after a cut the value returns quickly to just under the ceiling at which the
    limit was met, stays there for long, and then goes beyond in steps that double as long as nothing happens. While no
    ceiling is known it doubles. Only replies to requests which this very limit had held back, and which started since
    the last step, count towards the next.
    """

    def __init__(self, value: float, *, least: float, least_grain: float, step_s: float, is_rate: bool) -> None:
        self.value = value
        self.ceiling = math.inf
        self.hold_s = SHORTEST_HOLD_S
        self.best = 0.0
        """The highest rate that was accepted over some time, less where that was long ago."""
        self._least = least
        self._least_grain = least_grain
        self._step_s = step_s
        self._is_rate = is_rate
        self._steps_beyond = 0
        self._step_at = -math.inf
        self._step_sent = 0
        self._heard_at = -math.inf
        self._rested = 0.0
        self._seconds = 0.0
        self._replies = 0

    @property
    def under(self) -> float:
        """Just under the ceiling: where the long hold is."""
        return max(self.ceiling - self._grain, self._least)

    @property
    def probing(self) -> bool:
        """Whether it goes beyond the hold under a known ceiling."""
        return self.value > self.under

    def cut(self, now: float, value: float, ceiling: float, *, least: float = 0.0) -> None:
        """Fall to `value`, but not below `least`; the limit is believed to be at `ceiling` at most."""
        self.ceiling = ceiling
        self.value = max(min(value, self.under), self._least, min(least, self.value))
        self._steps_beyond = 0
        self._begin_step(now, self._step_sent)

    def rest(self, now: float) -> None:
        """Go back under the ceiling and hold there anew: what was felt out lately may not stand any more."""
        self.cut(now, self.value, self.ceiling)

    def resume(self, now: float, value: float) -> None:
        """Go back up to `value`, and on beyond it step by step: the cuts since then were none of its fault."""
        self.value = max(value, self.value)
        while self.ceiling < math.inf and self._beyond() <= self.value:
            self._steps_beyond += 1
        self._begin_step(now, self._step_sent)

    def rested(self, seconds: float) -> None:
        """Note that nothing was asked for so long because the endpoint wanted a rest: that leaves no rate unused."""
        self._rested += seconds

    def heard(self, now: float, started_at: float, *, sent: int, replies_needed: int = 0) -> None:
        """Count a reply to a request that this limit had held back; `sent` is the number of requests ever started."""
        beat = now - self._heard_at
        self._heard_at = now
        if started_at < self._step_at:
            return
        self._seconds += min(beat, _LONGEST_BEAT_S)
        self._replies += 1
        seconds, replies = self._needed()
        if self._is_rate and self.value < _FAR * self.best:
            seconds, replies = min(seconds, SHORTEST_HOLD_S), min(replies, int(SHORTEST_HOLD_S * self.value))
        if self._seconds < seconds or self._replies < max(replies, replies_needed):
            return
        if not self._is_rate or sent - self._step_sent >= _USED * self.value * (now - self._step_at - self._rested):
            self.value = self._next()
        self._begin_step(now, sent)

    def _needed(self) -> tuple[float, int]:
        """Return the seconds and replies of the present step."""
        if self.ceiling == math.inf:
            return 0.0, _STEP_REPLIES // 2
        if self.value < self.under:
            return self._step_s / 2, _STEP_REPLIES
        if self.value == self.under:
            return self.hold_s, _HOLD_REPLIES
        return self._step_s, _STEP_REPLIES

    @property
    def _grain(self) -> float:
        return max(self.ceiling * _GRAIN, self._least_grain) if self.ceiling < math.inf else 0.0

    def _next(self) -> float:
        if self.ceiling == math.inf:
            return self.value * 2
        if self.value < self.under:
            halfway = max((self.value + self.under) / 2, self.value + self._grain)
            return min(self.under, halfway, self.value * 2)
        beyond = self._beyond()
        self._steps_beyond += 1
        return beyond

    def _beyond(self) -> float:
        return self.ceiling + self._grain * (2.0**self._steps_beyond - 1)

    def _begin_step(self, now: float, sent: int) -> None:
        self._step_at = now
        self._step_sent = sent
        self._heard_at = now
        self._rested = 0.0
        self._seconds = 0.0
        self._replies = 0
