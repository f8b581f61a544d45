"""Several engines on one quota: what each may take between two looks at what the others have taken.

Engines see each other's requests when they look, once in every epoch, which begins with the second for all of them. An
epoch's ration is valid in that epoch, so no room is given away twice: in one epoch every engine may take an equal
part of the room; in the next, one of them in turn may take its part, or a single request that no part has room for.

A look may take longer than its epoch: a slow disk. So the part that was seen in either epoch of an engine's turn is its
own until the end of the one that follows. Seen in the epoch for all, it goes on in the one in which nobody else takes
anything; seen in that one, it is no more than what the others leave of the room in the next epoch for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

EPOCH_S = 1.0
QUIET_S = 0.1
"""Nothing is taken at the end of an epoch, so that all of it can be seen when the next begins."""
_UNSEEN_S = 0.25
"""Waits at least so long for a look that is overdue."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The engines at work on one endpoint, as one of them saw them at the Unix time `looked_at`."""

    engines: int
    place: int
    """Ours among them, from 0; each has another."""
    looked_at: float
    rests: bool = False
    """Whether not all of them can know of each other yet: then nothing is taken."""

    @property
    def is_our_turn(self) -> bool:
        """Whether nobody else takes anything in this epoch, or in the next where this one is for all."""
        return epoch_of(self.looked_at) // 2 % self.engines == self.place

    @property
    def is_for_all(self) -> bool:
        return epoch_of(self.looked_at) % 2 == 0


class Ration:
    """What one engine may take of a quota until its next look. Times are seconds of a clock that does not run back."""

    def __init__(
        self,
        sharing: Sharing,
        room: Sequence[int | None],
        ever: Sequence[int],
        day: tuple[int, int] | None,
        until: float,
    ) -> None:
        """`room` and `ever` are of each of UNITS: what may be taken (None: all one wants) and what has been; `day` is
        the room of the day and what is used of it. It holds `until` then, when the epoch of the look is about to end,
        or an epoch longer."""
        takes = not sharing.rests and (sharing.is_for_all or sharing.is_our_turn)
        self.until = until + EPOCH_S * sharing.is_our_turn if takes else -inf
        self._alone_until = until
        self._next_look = until + QUIET_S
        parts = sharing.engines
        self._most = tuple(
            (unit, ever[unit] + max(free, 0) // parts) for unit, free in enumerate(room) if free is not None
        )
        self._most_of_day = None if day is None else day[1] + max(day[0], 0) // parts
        self._one_after = None if sharing.is_for_all else ever[0]

    def has_room(self, amounts: Sequence[int], ever: Sequence[int], of_day: int, now: float) -> bool:
        """Whether `amounts` may be taken now, when `ever` has been taken of each unit and `of_day` of the day."""
        if now >= self.until:
            return False
        if ever[0] == self._one_after and now < self._alone_until:
            return True
        for unit, most in self._most:
            if ever[unit] + amounts[unit] > most:
                return False
        return self._most_of_day is None or of_day < self._most_of_day

    def wait_s(self, now: float) -> float:
        """Return the seconds until there may be a new one."""
        return max(self._next_look - now, _UNSEEN_S)


def epoch_of(wall: float) -> int:
    """Return the number of the epoch in which a Unix time lies."""
    return floor(wall / EPOCH_S)


def rest_of_epoch(wall: float) -> float:
    """Return the seconds from a Unix time until the next epoch begins."""
    return EPOCH_S - wall % EPOCH_S
