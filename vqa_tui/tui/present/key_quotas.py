"""The quotas of one key and its group as rows: what holds, what is used of it, what the file says, what was told."""

from collections.abc import Sequence

from textual.content import Content

from vqa_tui.domain.run import GaugeView, KeyView
from vqa_tui.operations.limits import LimitInForce, LimitValue, limit_words
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.limit_rows import limit_about
from vqa_tui.tui.present.numbers import UNKNOWN, count
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import Row, text

QUOTA_COLUMNS = (
    Column("Quota", 14, 40, grow=True),
    Column("Now", 6, 14, right=True),
    Column("Used", 4, 12, right=True, drop=2),
    Column("File says", 9, 14, right=True),
    Column("Endpoint told", 13, 14, right=True, drop=1),
)
_SPELLED = {
    "rpm": "requests/min",
    "tpm": "tokens/min",
    "input_tpm": "input tokens/min",
    "output_tpm": "output tokens/min",
    "rpd": "requests/day",
}
"""Names of gauges by what stands before the dot of a limit."""


def of_key(limits: Sequence[LimitInForce], key: KeyView) -> list[LimitInForce]:
    """Return the quotas of the key, then those of its group."""
    found: list[LimitInForce] = []
    for owner in dict.fromkeys((key.name, key.group)):
        found += [limit for limit in limits if limit.name.partition(".")[2] == owner]
    return found


def quota_row(limit: LimitInForce, key: KeyView) -> Row:
    """Return one quota; what a person set stands out by a star."""
    mine, told = _gauge(limit, key, learned=False), _gauge(limit, key, learned=True)
    star = "* " if limit.overridden else ""
    now = text(f"{star}{_shown(limit.value)}", "bold" if limit.overridden else "" if limit.value else QUIET)
    return Row(
        limit.name,
        (
            text(limit.about),
            now,
            text(UNKNOWN if mine is None else count(mine.used), QUIET if mine is None else ""),
            text(_shown(limit.own), QUIET),
            text(UNKNOWN if told is None else count(told.limit), QUIET if told is None else ""),
        ),
    )


def quota_about(limit: LimitInForce, key: KeyView, *, editing: bool = False) -> Content:
    """Return what a quota takes, where what holds now comes from, and how to give it back."""
    told = _gauge(limit, key, learned=True)
    origin = f"* It was set for this run; the endpoint's file says {_shown(limit.own)}: `none` gives that back."
    if not limit.overridden:
        origin = f"It holds as the endpoint's file says: {_shown(limit.own)}."
    if told is not None:
        origin += f" The endpoint itself told {count(told.limit)}, which holds where it is less."
    return Content.assemble(limit_about(limit, editing=editing), "\n", (clean(origin, one_line=True, limit=300), QUIET))


def _gauge(limit: LimitInForce, key: KeyView, *, learned: bool) -> GaugeView | None:
    """The gauge of a quota. Of a key that stands alone, key and group are one."""
    quota, _dot, owner = limit.name.partition(".")
    of_group = owner == key.group and owner != key.name
    for gauge in key.gauges:
        fits = gauge.name == _SPELLED.get(quota) and gauge.learned == learned
        if fits and (learned or owner == key.name == key.group or gauge.of_group == of_group):
            return gauge
    return None


def _shown(value: LimitValue) -> str:
    return count(value) if isinstance(value, int) and not isinstance(value, bool) else limit_words(value)
