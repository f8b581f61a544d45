"""How many more tokens requests take than was expected of them, learned from what replies report."""

from collections import deque
from math import ceil

from vqa_tui.domain.quota import Amounts

KEPT = 200
"""A reply that took more than was expected of it raises the expectation of so many that follow."""
UNPROVEN_IN_FLIGHT = 2
"""Requests in flight at once, under a limit of tokens, before the first reply has shown what requests really take."""
_SILENT_REPLIES = 3
"""After so many replies without a report nobody will ever tell, and the estimate is all there is."""
_STEP = 32
"""Ratios are rounded up to a part of this, so that they seldom change."""


class TokenRatio:
    """The largest actual ÷ expected of the last KEPT replies, at least 1, of each of UNITS.

    What is held for a request is its expectation times this. So what can pass a limit of tokens is only what requests
    take beyond the ratio that was known when they started, and only of those in flight when a larger one is first seen.
    """

    def __init__(self) -> None:
        self.is_proven = False
        """Whether a reply has shown what requests take."""
        self._ratios = [1.0, 1.0, 1.0, 1.0]
        self._is_plain = True
        self._records: tuple[deque[tuple[int, float]], ...] = (deque(), deque(), deque(), deque())
        """Of each unit, number of the reply and ratio, falling: the first is the largest of those kept."""
        self._replies = 0
        self._silent = 0

    def sized(self, expected: Amounts) -> Amounts:
        """Return what to hold for a request that is expected to take `expected`."""
        if self._is_plain:
            return expected
        requests, tokens, inputs, outputs = expected
        _one, of_tokens, of_inputs, of_outputs = self._ratios
        return requests, ceil(tokens * of_tokens), ceil(inputs * of_inputs), ceil(outputs * of_outputs)

    def note(self, expected: Amounts, actual: Amounts) -> bool:
        """Take note of what a request took; return whether one like it is expected to take more than before."""
        self.is_proven = True
        self._replies += 1
        has_grown, is_plain = False, True
        for unit in (1, 2, 3):
            records, planned, took = self._records[unit], expected[unit], actual[unit]
            if records and records[0][0] <= self._replies - KEPT:
                records.popleft()
            if took > planned > 0:
                ratio = ceil(took * _STEP / planned) / _STEP
                while records and records[-1][1] <= ratio:
                    records.pop()
                records.append((self._replies, ratio))
            largest = records[0][1] if records else 1.0
            has_grown = has_grown or largest > self._ratios[unit]
            is_plain = is_plain and not records
            self._ratios[unit] = largest
        self._is_plain = is_plain
        return has_grown

    def note_silence(self) -> None:
        """Take note of a reply that did not report what its request took."""
        self._silent += 1
        self.is_proven = self.is_proven or self._silent >= _SILENT_REPLIES
