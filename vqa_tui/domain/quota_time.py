"""The least time that quotas in force leave for what remains of a run, from what its engine publishes of each key."""

import math
from collections.abc import Iterable, Iterator, Sequence

from vqa_tui.domain.run import GaugeView, KeyView

_MINUTE_S, _DAY_S = 60.0, 86_400.0
_PER_DAY = "requests/day"
_UNUSABLE = frozenset({"off"})


def least_s(
    remaining: int, keys: Sequence[KeyView], *, input_tokens: float, output_tokens: float, now: float
) -> float | None:
    """Return the seconds below which `remaining` tasks cannot be finished, or None where no quota bounds them.

    A task takes one request of so many tokens, 0 where that is not known; what is in flight is counted already.
    Quotas that the endpoint told are left out: nobody told for how long they count. A kind of quota bounds the run
    only if every group of keys has one. `now` is a Unix time.
    """
    each = {
        "requests/min": 1.0,
        "tokens/min": input_tokens + output_tokens,
        "input tokens/min": input_tokens,
        "output tokens/min": output_tokens,
        _PER_DAY: 1.0,
    }
    usable = [key for key in keys if key.state not in _UNUSABLE]
    tasks = max(remaining - sum(key.in_flight for key in usable), 0)
    bounds = [
        _bound(name, tasks * size, quotas, now)
        for name, size in each.items()
        if size and (quotas := _over_groups(usable, name))
    ]
    return max(bounds, default=None)


def _bound(name: str, amount: float, quotas: Sequence[GaugeView], now: float) -> float:
    """Return the least seconds for `amount` beyond what is free of `quotas`, one for each group."""
    limit = sum(quota.limit for quota in quotas)
    beyond = amount - sum(max(quota.limit - quota.used, 0) for quota in quotas)
    if beyond <= 0 or limit <= 0:
        return 0.0
    waits = [quota.resets_at - now for quota in quotas if quota.resets_at is not None]
    first = max(min(waits), 0.0) if len(waits) == len(quotas) else 0.0
    if name == _PER_DAY:
        return first + (math.ceil(beyond / limit) - 1) * _DAY_S
    return max(beyond / limit * _MINUTE_S, first)


def _over_groups(keys: Sequence[KeyView], name: str) -> list[GaugeView]:
    """Return the quota `name` of every group of `keys`; none where one of them has no such quota."""
    groups: dict[str, list[KeyView]] = {}
    for key in keys:
        groups.setdefault(key.group, []).append(key)
    found = [_of_group(members, name) for members in groups.values()]
    quotas = [quota for quota in found if quota is not None]
    return quotas if len(quotas) == len(found) else []


def _of_group(keys: Sequence[KeyView], name: str) -> GaugeView | None:
    """Return the group's quota, or its keys' own together where that is less."""
    shared = _tightest(_named(keys, name, of_group=True))
    own = [_tightest(_named([key], name, of_group=False)) for key in keys]
    known = [quota for quota in own if quota is not None]
    together = _together(known) if known and len(known) == len(own) else None
    return _tightest(quota for quota in (shared, together) if quota is not None)


def _named(keys: Sequence[KeyView], name: str, *, of_group: bool) -> Iterator[GaugeView]:
    for key in keys:
        for gauge in key.gauges:
            if gauge.name == name and gauge.of_group is of_group and not gauge.learned:
                yield gauge


def _tightest(quotas: Iterable[GaugeView]) -> GaugeView | None:
    return min(quotas, key=lambda quota: quota.limit, default=None)


def _together(quotas: Sequence[GaugeView]) -> GaugeView:
    waits = [quota.resets_at for quota in quotas if quota.resets_at is not None]
    return GaugeView(
        quotas[0].name,
        sum(min(quota.used, quota.limit) for quota in quotas),
        sum(quota.limit for quota in quotas),
        resets_at=min(waits) if len(waits) == len(quotas) else None,
    )
