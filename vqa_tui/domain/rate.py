"""Windowed rates and what follows from them; never an average over a whole lifetime."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WINDOW_S = 60
_LONGEST_STEP_S = 3
"""Points come once a second while work goes on; a longer step means that nobody worked in between."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run had come at one second of one engine session."""

    at: int
    finished: int
    in_flight: int


def rate_per_second(progress: Sequence[Progress], *, window_s: int = WINDOW_S) -> float | None:
    """Return finished tasks per working second over the last `window_s` seconds, or None when nothing can be said.

    Seconds in which nothing was in flight and nothing finished (a pause) do not count, so the rate is right again as
    soon as work goes on.
    """
    if len(progress) < 2:
        return None
    newest = progress[-1].at
    finished, working_s = 0, 0
    for before, after in pairwise(progress):
        if after.at <= newest - window_s:
            continue
        gained = max(after.finished - before.finished, 0)
        if gained or after.in_flight or before.in_flight:
            finished += gained
            step_s = after.at - before.at
            working_s += step_s if step_s <= _LONGEST_STEP_S else 1
    return finished / working_s if working_s else None


def history_per_second(progress: Sequence[Progress]) -> tuple[float, ...]:
    """Return finished tasks per second between neighbouring points, oldest first."""
    return tuple(
        max(after.finished - before.finished, 0) / max(after.at - before.at, 1) for before, after in pairwise(progress)
    )


def eta_s(remaining: int, rate: float | None) -> float | None:
    """Return seconds until `remaining` tasks are finished at `rate`, or None when that cannot be said."""
    if remaining == 0:
        return 0.0
    return remaining / rate if rate else None
