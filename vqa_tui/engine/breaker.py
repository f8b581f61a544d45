"""The breaker: pauses a run when failures are frequent beyond doubt, never because of a short unlucky streak."""

from collections import Counter, deque
from math import sqrt

WINDOW = 200
LEAST_OUTCOMES = 50
LIMIT = 0.5
_Z = 1.96


def wilson_lower_bound(failures: int, total: int, z: float = _Z) -> float:
    """Return the lower end of Wilson's score interval for a share (E. B. Wilson, JASA 22, 1927); 0 for no data."""
    if total == 0:
        return 0.0
    share = failures / total
    spread = z * sqrt((share * (1 - share) + z * z / (4 * total)) / total)
    return max((share + z * z / (2 * total) - spread) / (1 + z * z / total), 0.0)


class Breaker:
    """Watches the last WINDOW outcomes; each is '' for a success or the kind of a failure that counts."""

    def __init__(self) -> None:
        self._outcomes: deque[str] = deque(maxlen=WINDOW)

    def note(self, kind: str) -> None:
        self._outcomes.append(kind)

    def reset(self) -> None:
        self._outcomes.clear()

    def verdict(self) -> str:
        """Return why the run should pause, in words, or '' while it should not."""
        total = len(self._outcomes)
        failures = Counter(kind for kind in self._outcomes if kind)
        count = failures.total()
        if total < LEAST_OUTCOMES or wilson_lower_bound(count, total) <= LIMIT:
            return ""
        kind, most = failures.most_common(1)[0]
        return f"{count} of the last {total} requests failed, {most} of them as {kind.replace('_', ' ')}"
