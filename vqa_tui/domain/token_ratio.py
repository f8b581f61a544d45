"""How many more tokens requests take than was expected of them, learned from what replies report."""

from collections import deque
from heapq import nlargest
from math import ceil

from vqa_tui.domain.cost import IMPLAUSIBLE
from vqa_tui.domain.quota import Amounts

KEPT = 200
"""A reply that took more than was expected of it raises the expectation of so many that follow."""
UNPROVEN_IN_FLIGHT = 2
"""Requests in flight at once, under a limit of tokens, before the first reply has shown what requests really take."""
_SILENT_REPLIES = 3
"""After so many replies without a report nobody will ever tell, and the estimate is all there is."""
_STEP = 32
"""Ratios are rounded up to a part of this, so that they seldom change."""
_FEW = 20
"""Among so few replies every one counts; among more, a single one that stands out does not."""


class TokenRatio:
    """The largest actual ÷ expected but one of the last KEPT replies, at least 1, of each of UNITS.

    What is held for a request is its expectation times this. So what can pass a limit of tokens is only what requests
    take beyond the ratio that was known when they started: those in flight when larger ones are first seen, and single
    ones that stand out. Were these to count, one reply of the length of the whole limit would let the next KEPT
    requests out one a minute. A report of IMPLAUSIBLE times the expectation is a mistake, and nothing is learned.
    """

    def __init__(self) -> None:
        self.is_proven = False
        """Whether a reply has shown what requests take."""
        self._ratios = [1.0, 1.0, 1.0, 1.0]
        self._is_plain = True
        self._kept: tuple[deque[float], ...] = tuple(deque[float](maxlen=KEPT) for _ in range(4))
        """Of each unit the ratios of the last replies."""
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
        has_grown = False
        for unit in (1, 2, 3):
            kept, planned, took = self._kept[unit], expected[unit], actual[unit]
            before = self._ratios[unit]
            ratio = ceil(took * _STEP / planned) / _STEP if planned < took < planned * IMPLAUSIBLE else 1.0
            forgotten = kept[0] if len(kept) == KEPT else 1.0
            kept.append(ratio)
            # Among equals in between, nothing changes: the two largest are looked for only when they may be others.
            if ratio > before or 1.0 < before <= forgotten or len(kept) == _FEW + 1:
                self._ratios[unit] = nlargest(2, kept)[-1] if len(kept) > _FEW else max(kept)
            has_grown = has_grown or self._ratios[unit] > before
        self._is_plain = self._ratios == [1.0] * 4
        return has_grown

    def note_silence(self) -> None:
        """Take note of a reply that did not report what its request took."""
        self._silent += 1
        self.is_proven = self.is_proven or self._silent >= _SILENT_REPLIES
