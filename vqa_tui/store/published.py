"""What the engine publishes about keys and throttles, as JSON in `run_state`, read back into views.

An engine of another version may have written it, so whatever is missing or of another type is left out.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.run import GaugeView, KeyView, ThrottleView
from vqa_tui.store.db import Row

V = TypeVar("V")


def key_views(published: str, attempts: Sequence[Row], *, price_known: bool = True) -> tuple[KeyView, ...]:
    """Return the keys with what `attempt_tally` says of each."""
    return tuple(_each(_parsed(published), lambda key: _key(key, attempts, price_known)))


def throttle_views(published: str) -> tuple[ThrottleView, ...]:
    """Return the throttles, one per quota group."""
    return tuple(_each(_parsed(published), _throttle))


def keys_at_rest(published: str) -> str:
    """Return the published keys without what only the engine that published them knew: they stay known by name."""
    keys = _each(
        _parsed(published), lambda key: {"name": str(key["name"]), "group": str(key.get("group") or key["name"])}
    )
    return json.dumps(list(keys))


def _parsed(published: str) -> object:
    try:
        return json.loads(published)
    except ValueError:
        return None


def _each(entries: object, read: Callable[[dict[str, Any]], V]) -> Iterator[V]:
    """Read each entry of a list, leaving out those without what they cannot be shown without."""
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            try:
                view = read(entry)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
            yield view


def _key(key: dict[str, Any], attempts: Sequence[Row], price_known: bool) -> KeyView:
    name = str(key["name"])
    mine = [row for row in attempts if row["key_name"] == name]
    answered = [row for row in mine if row["kind"] == "ok" and row["n"]]
    total_ok = sum(row["n"] for row in answered)
    return KeyView(
        name=name,
        group=str(key.get("group") or name),
        state=str(key.get("state", "")),
        reason=str(key.get("reason") or ""),
        until=_number(key.get("until")),
        requests=sum(row["n"] for row in mine),
        errors=sum(row["n"] for row in mine if row["kind"] not in ("ok", "rate_limited")),
        rate_limited=sum(row["n"] for row in mine if row["kind"] == "rate_limited"),
        spent=to_dollars(sum(row["cost_nano"] for row in mine)),
        in_flight=int(key.get("in_flight") or 0),
        mean_latency_ms=sum(row["latency_ms"] for row in answered) / total_ok if total_ok else None,
        gauges=tuple(_each(key.get("gauges"), _gauge)),
        price_known=price_known,
    )


def _gauge(gauge: dict[str, Any]) -> GaugeView:
    return GaugeView(
        name=str(gauge["name"]),
        used=int(gauge["used"]),
        limit=int(gauge["limit"]),
        of_group=bool(gauge.get("of_group")),
        learned=bool(gauge.get("learned")),
        resets_at=_number(gauge.get("resets_at")),
    )


def _throttle(throttle: dict[str, Any]) -> ThrottleView:
    return ThrottleView(
        group=str(throttle["group"]),
        slots=int(throttle["slots"]),
        per_second=_number(throttle.get("per_second")),
        state=str(throttle.get("state", "")),
        cut_at=_number(throttle.get("cut_at")),
        cuts=int(throttle.get("cuts") or 0),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
