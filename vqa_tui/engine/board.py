"""What the engine is doing at this moment, in numbers; the pulse publishes it."""

from collections import deque
from dataclasses import dataclass, field

_LATENCIES = 500


@dataclass(slots=True)
class Board:
    """Shared by the workers of one engine; changed only on its event loop."""

    busy: int = 0
    """Tasks in the hands of a worker, from taking to handing over."""
    preparing: int = 0
    preparers: int = 0
    """How many pictures are prepared at once at most; 0 where that is not known."""
    asking: int = 0
    waiting_for_key: int = 0
    waiting_for_budget: int = 0
    sent_bytes: int = 0
    """Of requests, from the start of this engine."""
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def percentile_ms(self, share: float) -> float | None:
        """Return the latency below which `share` of the recent answered requests lie; None before the first."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
