"""The table of keys: state with countdown, gauges of the quotas, what went wrong, what it cost."""

from collections.abc import Sequence

from textual.content import Content

from vqa_tui.domain.run import EngineState, GaugeView, KeyView, RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.load import (
    binding_first,
    gauge_end,
    gauge_name,
    gauge_numbers,
    gauge_wait,
    gauge_words,
    sent_words,
    short_quota,
    throttles_words,
)
from vqa_tui.tui.present.numbers import count, countdown, known_money, milliseconds, money
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, key_state_label
from vqa_tui.tui.present.rows import Row, number, text

KEY_COLUMNS = (
    Column("Key", 4, 16),
    Column("Group", 5, 16, drop=3, soft=True),
    Column("State", 17, 48, grow=True),
    Column("Quota", 16, 36, optional=True),
    Column("Other quotas", 12, 60, drop=7, optional=True),
    Column("429", 3, 7, right=True),
    Column("Errors", 6, 7, right=True),
    Column("In flight", 9, 9, right=True, drop=9),
    Column("Requests", 8, 9, right=True, drop=8),
    Column("Mean", 6, 7, right=True, drop=4),
    Column("Spent", 7, 10, right=True),
)
_GAUGE_CELLS = 4
_KEY_ORDER = {"off": 0, "cooling": 1, "parked": 1, "ok": 3}


def key_rows(view: RunView, now: float) -> list[Row]:
    """Return the keys, those in trouble first. Without an engine no key cools or works: only what is off still is."""
    limited = any(key.gauges for key in view.keys)
    at_rest = view.engine.state in (EngineState.NONE, EngineState.LOST)
    ordered = sorted(view.keys, key=lambda key: 3 if at_rest and key.state != "off" else _KEY_ORDER.get(key.state, 2))
    return [key_row(key, now, limited=limited, at_rest=at_rest) for key in ordered]


def key_row(key: KeyView, now: float, *, limited: bool = True, at_rest: bool = False) -> Row:
    """Return one key. `limited`: some key of the run has a quota; `at_rest`: no engine uses the key."""
    quota, others = _quotas(key, now) if limited and not at_rest else (Content(""), Content(""))
    return Row(
        key.name,
        (
            text(key.name, "bold"),
            text(key.group, QUIET),
            key_state_label("").content() if at_rest and key.state != "off" else _key_state(key, now),
            quota,
            others,
            number(key.rate_limited, WARN),
            number(key.errors, BAD),
            number(0 if at_rest else key.in_flight),
            number(key.requests),
            Content(milliseconds(key.mean_latency_ms)),
            Content(known_money(key.spent, price_known=key.price_known)),
        ),
    )


def _key_state(key: KeyView, now: float) -> Content:
    parts = [key_state_label(key.state).content()]
    if key.until is not None and key.until > now:
        parts.append(Content(countdown(key.until - now)))
    if key.reason:
        parts.append(text(key.reason, QUIET))
    return Content(" ").join(parts)


def _quotas(key: KeyView, now: float) -> tuple[Content, Content]:
    """The quota that binds, or else the first, and the others."""
    if not key.gauges:
        return Content.styled("no limit", QUIET), Content("")
    first, *others = binding_first(key.gauges)
    among = key.gauges
    return _gauge(first, now, among), Content("  ").join(_gauge(each, now, among) for each in others)


def _gauge(gauge: GaugeView, now: float, among: Sequence[GaugeView]) -> Content:
    """`rpm 58/60 ▰▰▰▱`, with a countdown in place of the bar while it is used up: `rpm 60/60 free 0:12`.

    That one is told by the endpoint is said by `back` then, so that the countdown has room.
    """
    style = "$warning" if gauge.used >= gauge.limit else "$primary"
    wait = gauge_wait(gauge, now)
    return Content.assemble(
        text(short_quota(gauge.name) if wait and gauge.learned else gauge_name(gauge, among), QUIET),
        f" {gauge_numbers(gauge)} ",
        (f"{gauge_end(gauge)} {wait}", WARN)
        if wait
        else bars.gauge(gauge.used, gauge.limit, _GAUGE_CELLS, style=style),
    )


def key_text(key: KeyView, now: float) -> str:
    """Return all there is to say about one key, line by line."""
    left = f" for {countdown(key.until - now)}" if key.until is not None and key.until > now else ""
    quotas = []
    for gauge in key.gauges:
        remarks = [f"of group {key.group}"] if gauge.of_group else []
        remarks += ["told by the endpoint"] if gauge.learned else []
        quotas.append(gauge_words(gauge, now, key.gauges) + (f" ({', '.join(remarks)})" if remarks else ""))
    return "\n".join(
        (
            f"{key_state_label(key.state).word}{left}{f': {key.reason}' if key.reason else ''}",
            f"group {key.group}",
            f"{count(key.requests)} requests, {count(key.in_flight)} in flight",
            *(quotas or ["no quota"]),
            f"{count(key.rate_limited)} times rate limited, {count(key.errors)} errors, {_spent(key)}",
        )
    )


def _spent(key: KeyView) -> str:
    return f"{money(key.spent)} spent" if key.price_known else "price unknown"


def throttle_line(view: RunView, now: float) -> Content:
    """Return how fast pictures go out and what the throttles allow; empty where there is nothing to say."""
    sent = sent_words(view.bytes_per_s)
    parts = [f"↑ {sent}" if sent else "", throttles_words(view, now)]
    return Content(clean(" · ".join(part for part in parts if part), one_line=True, limit=300))
