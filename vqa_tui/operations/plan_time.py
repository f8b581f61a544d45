"""The time of a plan: the least that quotas, and the concurrency at a known latency, allow."""

from collections.abc import Iterable
from math import ceil

from vqa_tui.config.endpoint import Endpoint, Quota
from vqa_tui.operations.plan import TimeBound

_MINUTE_S, _DAY_S = 60.0, 86_400.0
_QUOTAS = (
    ("requests/min", "requests_per_minute"),
    ("tokens/min", "tokens_per_minute"),
    ("input tokens/min", "input_tokens_per_minute"),
    ("output tokens/min", "output_tokens_per_minute"),
    ("requests/day", "requests_per_day"),
)


def time_bounds(
    endpoint: Endpoint,
    *,
    requests: float,
    input_tokens: float,
    output_tokens: float,
    concurrency: int,
    latency_ms: float | None,
) -> tuple[TimeBound, ...]:
    """Return the least seconds that each limit allows for `requests` of so many tokens each, the longest first.

    A kind of quota bounds the run only if every group of keys has one. A quota by the day takes a whole day for each
    midnight that must pass, and nothing where one day is enough.
    """
    each = {
        "requests/min": 1.0,
        "tokens/min": input_tokens + output_tokens,
        "input tokens/min": input_tokens,
        "output tokens/min": output_tokens,
        "requests/day": 1.0,
    }
    bounds = []
    for name, field in _QUOTAS:
        limit = _sum_over_groups(endpoint, field)
        if limit is None:
            continue
        spans = requests * each[name] / limit
        if name == "requests/day":
            bounds.append(TimeBound(name, (ceil(spans) - 1) * _DAY_S))
        else:
            bounds.append(TimeBound(name, spans * _MINUTE_S))
    if latency_ms:
        slots = min(concurrency, _sum_over_groups(endpoint, "concurrency") or concurrency)
        bounds.append(TimeBound("in flight", requests * latency_ms / 1000 / slots))
    return tuple(sorted((bound for bound in bounds if bound.seconds > 0), key=lambda bound: -bound.seconds))


def _sum_over_groups(endpoint: Endpoint, field: str) -> int | None:
    limits = [_of_group(endpoint, group, field) for group in {endpoint.group_of(key) for key in endpoint.keys}]
    return _sum(limits)


def _of_group(endpoint: Endpoint, group: str, field: str) -> int | None:
    """Return the group's limit, or its keys' own together where that is less."""
    own = _sum(_limit(key.quota, field) for key in endpoint.keys if endpoint.group_of(key) == group)
    shared = _limit(endpoint.groups.get(group, endpoint.quota), field)
    known = [limit for limit in (own, shared) if limit is not None]
    return min(known) if known else None


def _limit(quota: Quota | None, field: str) -> int | None:
    value = None if quota is None else getattr(quota, field)
    return value if isinstance(value, int) else None


def _sum(limits: Iterable[int | None]) -> int | None:
    """Return the sum; None when one of them has no limit."""
    known = list(limits)
    return None if None in known else sum(limit for limit in known if limit is not None)
