"""The suspicion that 429s come whatever our pace: from capacity that an endpoint shares among its customers."""

import math
from typing import Literal

Verdict = Literal["bear", "resume", "cut"]

_ENOUGH = 2
"""Cuts far below the best rate, less those while more was tried: one more such rate limit makes it a belief."""
_RELIEF = 0.5
"""By how much a cut while more was tried weighs against it."""
_FALLEN = 0.85
"""Share of the best rate that a pace may be, at most, to be far below it."""
_MOST = 0.3
"""Where more than this share is turned away it is a limit, and no chance."""
_LEAST = 0.001
"""A believed share that falls below is believed no longer."""
_MARGIN = 2.0
_MOST_MORE = 0.05
"""How much more than the believed share is borne for as long as it lasts, as a multiple and at most: a share learned
from few is not exact."""
_UNLIKELY = 1e-5
"""A run of rejections less likely than this is none of chance."""
_LONGEST_RUN = 10.0
_MEMORY = 24.0
"""Rate limits after which the older half of them counts half."""


class Background:
    """Which 429s have nothing to do with our rate.

    Below a limit on the rate nobody is turned away. So rate limits that go on at a pace far below one that was borne,
    one by one and at the same share of the requests, are not answered by cuts any more: only an excess over that share
    is, found by a cumulative sum (Page, Continuous Inspection Schemes, Biometrika 1954).
    """

    def __init__(self) -> None:
        self.share = 0.0
        """The share of requests turned away that is believed to come whatever the pace; 0: none."""
        self._suspicion = 0.0
        self._excess = 0.0
        self._sent = 0
        """Requests sent when the newest rate limit was noted."""
        self._requests = 0.0
        self._rejected = 0.0
        self._resumed = 0.0
        """The pace that was resumed last, until it has proved itself."""

    def judge(self, sent: int, pace: float, best: float, *, safe: bool | None) -> Verdict:
        """Note that a request was turned away when `sent` had been sent, at a pace of so many a second.

        `best` is the highest rate that was accepted over some time; `safe` tells whether the pace was below where the
        limit is believed, None where nothing is believed yet. Returns `bear` where the believed share explains the
        rejection, `resume` where the best rate may be resumed too, because the share has not fallen with the pace, and
        else `cut`.
        """
        since = max(sent - self._sent, 1)
        self._sent = sent
        far_below = bool(safe) and pace <= _FALLEN * best
        if far_below and (self._suspicion or self.share):
            self._requests += since
            self._rejected += 1
            if self._rejected > _MEMORY:
                self._requests /= 2
                self._rejected /= 2
        if self.share and self._is_borne(since, learns=far_below):
            return "bear"
        self._excess = 0.0
        if self.share and pace <= self._resumed:
            # What was borne at a lower pace is not at this one: it is a limit after all.
            self.share = 0.0
        self._resumed = 0.0
        if not far_below:
            if safe is False:
                self._suspicion = max(self._suspicion - _RELIEF, 0.0)
            return "cut"
        if not self._suspicion and not self.share:
            self._requests = self._rejected = 0.0
        elif self._suspicion >= _ENOUGH:
            self._suspicion = 0.0
            # The time until the last of so many is longer than usual: less one of them the share is without bias.
            share = (self._rejected - 1) / self._requests
            self.share = share if share <= _MOST else 0.0
            self._resumed = best
            return "resume" if self.share else "cut"
        self._suspicion += 1
        return "cut"

    def _is_borne(self, since: int, *, learns: bool) -> bool:
        if learns:
            self.share = self._observed()
        if not _LEAST <= self.share <= _MOST:
            self.share = 0.0
            return False
        tolerated = min(_MARGIN * self.share, self.share + _MOST_MORE)
        self._excess = max(self._excess - tolerated * since, 0.0) + 1
        return self._excess <= min(math.log(_UNLIKELY) / math.log(tolerated) + 1, _LONGEST_RUN)

    def _observed(self) -> float:
        return self._rejected / max(self._requests, 1.0)
