"""Windowed rates and what follows from them; never an average over a whole lifetime."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

WINDOW_S = 60
SENT_WINDOW_S = 10
"""Bytes are averaged over less time than pictures: a line that breaks in should show."""
_LONGEST_STEP_S = 3
"""Points come once a second while a run is in a working phase; a longer step is a pause, or a person's approval."""


class Progress(NamedTuple):
    """How far a run had come at one second of one engine session; hundreds are made with every look at a run."""

    at: int
    finished: int
    in_flight: int


def rate_per_second(progress: Sequence[Progress], *, window_s: int = WINDOW_S) -> float | None:
    """Return finished tasks per working second over the last `window_s` seconds, or None when nothing can be said.

    Seconds in which every request waits for a key or a quota count: a quota that is used up in a burst would else show
    the rate of the burst. Pauses do not count, so the rate is right again as soon as work goes on: no points come then.
    None also when nothing was in flight and nothing finished in all that time.
    """
    if len(progress) < 2:
        return None
    first = bisect_right(progress, progress[-1].at - window_s, key=lambda point: point.at)
    finished, working_s, worked = 0, 0, False
    for before, after in pairwise(progress[max(first - 1, 0) :]):
        gained = max(after.finished - before.finished, 0)
        worked = worked or bool(gained or after.in_flight or before.in_flight)
        finished += gained
        step_s = after.at - before.at
        working_s += step_s if step_s <= _LONGEST_STEP_S else 1
    return finished / working_s if worked and working_s else None


def history_per_second(progress: Sequence[Progress]) -> tuple[float, ...]:
    """Return finished tasks per second between neighbouring points, oldest first."""
    return tuple(
        [max(after - before, 0) / max(end - start, 1) for (start, before, _), (end, after, _) in pairwise(progress)]
    )


def bytes_per_second(sent: Sequence[tuple[int, int]], *, now: float, window_s: int = SENT_WINDOW_S) -> float | None:
    """Return bytes sent a second over the last `window_s` seconds before `now`.

    `sent` are Unix time and total of one engine session, oldest first. None without two of them in that time.
    """
    recent = [(at, total) for at, total in sent if now - at <= window_s]
    if len(recent) < 2:
        return None
    (first_at, first), (last_at, last) = recent[0], recent[-1]
    return max(last - first, 0) / max(last_at - first_at, 1)


def eta_s(remaining: int, rate: float | None, least_s: float | None = None) -> float | None:
    """Return seconds until `remaining` tasks are finished at `rate`, or None when that cannot be said.

    `least_s` is the time that quotas leave at the least; it stands alone where there is no rate.
    """
    if remaining == 0:
        return 0.0
    if not rate:
        return least_s or None
    return max(remaining / rate, least_s or 0.0)
