"""Noticing that the engine stood still: the computer slept, or the process was stopped for a while."""

import time
from collections.abc import Callable

from vqa_tui.engine.clock import elapsed_time

LEAST_GAP_S = 5.0
_MOST_BUSY = 0.5
"""Share of a gap that this process may have computed; beyond it, it was busy and did not stand still."""


class Standstill:
    """Looked at several times a second; a look that comes far too late is a gap, and so is the first one after it.

    A request that was under way over a gap and then fails has not really been tried: its connection may have died of
    old age meanwhile, or its time was up before its reply could be read.
    """

    def __init__(
        self,
        noticed: Callable[[float], None],
        *,
        clock: Callable[[], float] = elapsed_time,
        busy: Callable[[], float] = time.process_time,
    ) -> None:
        """`noticed` is told the seconds of each gap; `clock` and `busy` return seconds of time and of computing."""
        self._noticed = noticed
        self._clock = clock
        self._busy = busy
        self._seen: float | None = None
        self._computed = 0.0
        self._woke_at = float("-inf")

    def look(self) -> None:
        """Notice a gap that has just ended. The first look only begins the watch."""
        now, computed = self._clock(), self._busy()
        gap = 0.0 if self._seen is None else now - self._seen
        stood_still = gap > LEAST_GAP_S and computed - self._computed < gap * _MOST_BUSY
        self._seen, self._computed = now, computed
        if stood_still:
            self._woke_at = now
            self._noticed(gap)

    def fell_into(self, started: float) -> bool:
        """Tell whether a gap began after `started` (of `elapsed_time`)."""
        # After a gap a failure may come to light before the next regular look.
        self.look()
        return started < self._woke_at
