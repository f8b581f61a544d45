"""The suspicion that an endpoint limits the requests in flight, not their rate: they fail at one and the same level."""

_RARE = 0.2
"""Share of the accepted requests that may have been at the level of a rejected one, or above, for it to be a record."""
_ALIKE = 0.1
"""By how much of itself a level may differ and still be the same."""
_LEAST_SEEN = 10


class Levels:
    """How many were in flight with each accepted request since the newest cut, itself included.

    Where the rate is limited, requests are turned away at any level; where their number is, at a record one and, burst
    after burst, at the same.
    """

    def __init__(self) -> None:
        self._accepted: dict[int, int] = {}
        self._record = 0
        self.tried_per_s = 0.0
        """The highest pace that was in force while requests failed at the same level."""

    def accepted(self, level: int) -> None:
        self._accepted[level] = self._accepted.get(level, 0) + 1

    def rejected(self, level: int, pace: float) -> bool:
        """Begin anew with a cut at `level`; return whether the number in flight is to blame for it."""
        seen = sum(self._accepted.values())
        at_or_above = sum(count for other, count in self._accepted.items() if other >= level)
        self._accepted = {}
        same = abs(level - self._record) <= int(_ALIKE * level)
        record = at_or_above <= _RARE * seen
        self._record = level if record else 0
        self.tried_per_s = max(self.tried_per_s, pace) if same else pace
        return record and same and seen >= max(_LEAST_SEEN, 2 * level)
