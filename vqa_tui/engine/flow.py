"""What went through: requests sent and accepted over time, from which a limit on their rate is estimated."""

from collections import deque
from dataclasses import dataclass

_MARK_S = 0.25
_MARKS = 240
"""A minute of marks: quotas by the minute are the most common ones."""
_SHORTEST_SPAN_S = 0.05


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, and what had been sent and turned away before it."""

    at: float
    sent: int
    rejected: int


class Flow:
    """Requests sent and turned away, with marks over the last minute."""

    def __init__(self) -> None:
        self.sent = 0
        self.rejected = 0
        self._marks: deque[Mark] = deque(maxlen=_MARKS)

    def mark(self, now: float) -> Mark:
        """Return the present moment to count from."""
        return Mark(now, self.sent, self.rejected)

    def started(self, now: float) -> None:
        if not self._marks or now - self._marks[-1].at >= _MARK_S:
            self._marks.append(self.mark(now))
        self.sent += 1

    def forget(self) -> None:
        """Count from here on only: time in which nobody asked would look like a low limit."""
        self._marks.clear()

    def accepted(self, since: Mark, sent: int) -> int:
        """Return the requests accepted from `since` on, up to the one before which `sent` had been sent; 1 at least."""
        return max(sent - since.sent - (self.rejected - since.rejected), 1)

    def covers(self, seconds: float, until: float) -> bool:
        """Return whether the marks go back `seconds` from `until`."""
        return bool(self._marks) and until - self._marks[0].at >= seconds

    def back(self, until: float, seconds: float) -> Mark:
        """Return the newest mark that lies `seconds` before `until`, else the oldest there is."""
        for mark in reversed(self._marks):
            if mark.at <= until - seconds:
                return mark
        return self._marks[0] if self._marks else Mark(until, self.sent, self.rejected)

    def rate(self, since: Mark, until: float, sent: int, *, latency_s: float, idle_s: float = 0.0) -> float:
        """Return the requests accepted a second between `since` and `until`, less `idle_s` of that time."""
        span = max(until - since.at - idle_s, _SHORTEST_SPAN_S, latency_s)
        return self.accepted(since, sent) / span
