"""Times of many calls in two figures."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence


def percentiles(taken_ms: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Return median and 95th percentile of times in ms."""
    ordered = sorted(taken_ms)
    return {
        "p50_ms": round(statistics.median(ordered), digits),
        "p95_ms": round(ordered[len(ordered) * 95 // 100], digits),
    }


async def timed_ms(times: int, call: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Return median and 95th percentile of `times` calls, in ms."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - began) * 1000)
    return percentiles(taken)
