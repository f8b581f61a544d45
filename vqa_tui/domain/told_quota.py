"""What an endpoint told last about one of its quotas, and how much may be started until it tells more."""

from vqa_tui.domain.allowance import Allowance
from vqa_tui.domain.quota import MINUTE_S, UNITS, SlidingWindow

LONGEST_TRUST_S = MINUTE_S
"""A word holds requests back for no longer; then one of them tries, and its reply brings a newer word."""
_CONTRADICTIONS = 3
"""So often in a row may "none remaining" prove wrong before it is no longer believed."""


class ToldQuota:
    """The newest word about one unit of one group's quota. Times are seconds of a clock that does not run backwards.

    Endpoints count a request when it arrives, so a word tells of everything that was started well before the request
    whose reply carries it; what was started after it, in flight or not, and what it may have overtaken on the way, is
    held against what remained. Within a quota by the minute what we took earlier comes back as it leaves the last 60 s;
    beyond, nothing is taken for granted.
    """

    def __init__(self, unit: int) -> None:
        self.unit = unit
        """The place in UNITS."""
        self.limit: int | None = None
        self.remaining: int | None = None
        self.resets_at: float | None = None
        self.is_long = False
        """Whether it takes longer than a minute to be whole again."""
        self._serial = -1
        self._until = float("-inf")
        self._cut_short = False
        self._most_used: int | None = None
        self._most_ever = 0
        self._ever_when_used_up: int | None = None
        self._contradictions = 0

    def tell(
        self,
        word: Allowance,
        now: float,
        *,
        serial: int,
        used: int,
        ever: int,
        ever_now: int,
        overtaken: int = 0,
        refused: bool = False,
    ) -> None:
        """Take note of a word.

        The request that brought it was the `serial`th to start; `used` and `ever` are the window's of that moment, the
        request itself included, and `ever_now` is that of now. `overtaken` was taken before it and may have arrived
        after it. It was `refused` by a quota, or went through. Words of earlier requests than that of the word in force
        are old news.
        """
        if serial < self._serial and now < self._until:
            return
        self.limit = word.limit or self.limit
        if word.remaining is None or word.resets_in_s is None:
            return
        self._serial = serial
        self.remaining, self.resets_at = word.remaining, now + word.resets_in_s
        if word.remaining or refused:
            self._contradictions, self._ever_when_used_up = 0, None
        else:
            self._doubt(used, ever, ever_now)
        if not word.remaining and self._contradictions >= _CONTRADICTIONS:
            self._until, self._cut_short = now, False
            return
        by_the_minute = word.resets_in_s <= MINUTE_S
        left = word.remaining - overtaken
        self._most_ever, self._most_used = ever + left, None
        if by_the_minute and self.limit is not None:
            # What the endpoint has stopped counting leaves our own window later, and then makes no room a second time.
            uncounted = max(used - (self.limit - word.remaining), 0)
            self._most_used = used + left - uncounted
        self.is_long = self._cut_short = not by_the_minute
        self._until = now + min(word.resets_in_s, LONGEST_TRUST_S)

    def has_room(self, amount: int, window: SlidingWindow, now: float) -> bool:
        """Whether `amount` more may be started as far as the endpoint has told; `window` has forgotten up to `now`."""
        ever, amount = window.ever[self.unit], max(amount, 1)
        if now >= self._until:
            if not self._cut_short:
                return True
            self._most_used, self._most_ever = None, ever + amount
            self._until = now + LONGEST_TRUST_S
        if ever + amount <= self._most_ever:
            return True
        return self._most_used is not None and window.used[self.unit] + amount <= self._most_used

    def wait_s(self, amount: int, window: SlidingWindow, now: float) -> float:
        """Return the seconds until `amount` more may be started; 0: now."""
        window.forget(now)
        if self.has_room(amount, window, now):
            return 0.0
        wait = max(self._until - now, 0.0)
        if self._most_used is None or self._most_used < amount:
            return wait
        return min(wait, window.wait_below(self.unit, self._most_used - amount, now))

    @property
    def name(self) -> str:
        return f"the endpoint told that no more {UNITS[self.unit]} remain"

    def _doubt(self, used: int, ever: int, ever_now: int) -> None:
        """Count how often "none remaining" is told again with a request that went through after it was told, although
        we took little of the quota ourselves."""
        before, self._ever_when_used_up = self._ever_when_used_up, ever_now
        if before is not None and ever > before:
            self._contradictions += used <= (2 if self.limit is None else self.limit // 2)
