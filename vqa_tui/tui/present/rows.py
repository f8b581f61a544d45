"""Rows of the live tables: runs, keys, requests in flight, events."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.run import EngineState, EventView, KeyView, RunView, SlotView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import (
    UNKNOWN,
    clock,
    count,
    countdown,
    duration,
    milliseconds,
    moment,
    money,
    rate,
    share,
    short_age,
)
from vqa_tui.tui.present.phases import (
    BAD,
    QUIET,
    WARN,
    key_state_label,
    level_label,
    phase_label,
    state_content,
)
from vqa_tui.tui.present.seen import RunLine

_CELL_LIMIT = 400
"""Longest text of a cell in characters; what does not fit into the column is cut when it is drawn."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `id` keeps the cursor in place when rows move."""

    id: Hashable
    cells: tuple[Content, ...]

    def same_as(self, other: "Row") -> bool:
        """Whether text and styles are the same; `==` of Content compares the text alone."""
        return (
            self.id == other.id
            and len(self.cells) == len(other.cells)
            and all(mine.is_same(theirs) for mine, theirs in zip(self.cells, other.cells, strict=True))
        )


def text(value: str, style: str = "") -> Content:
    """Return text that we did not write as one safe line."""
    return Content.styled(clean(value, one_line=True, limit=_CELL_LIMIT), style)


def _number(value: int, style: str = "") -> Content:
    return Content.styled(count(value), style if value else QUIET)


RUN_COLUMNS = (
    Column("Run", 12, 30, grow=True),
    Column("Dataset → recipe @ endpoint", 20, 70, drop=4, grow=True),
    Column("State", 9, 31),
    Column("Progress", 18, 18),
    Column("Rate", 6, 8, right=True, drop=7),
    Column("ETA", 7, 8, right=True, drop=6),
    Column("Cost", 5, 10, right=True),
    Column("Failed", 6, 8, right=True),
    Column("Since", 5, 10, right=True, drop=9),
)


def run_row(line: RunLine, now: float) -> Row:
    """Return one run of the list."""
    run, view = line.summary, line.view
    state = state_content(view) if view is not None else phase_label(run.phase, run.engine).content()
    works = line.at_work
    percent = share(run.counts.finished, run.counts.total)
    bar = bars.line(run.counts.finished, run.counts.total, 10, style="$success" if run.counts.total else QUIET)
    source = Content.assemble(text(run.dataset), (" → ", QUIET), text(run.recipe), (" @ ", QUIET), text(run.endpoint))
    return Row(
        run.id,
        (
            text(run.name, "bold"),
            source,
            state,
            Content.assemble(f"{percent:>7} ", bar),
            Content(rate(view.rate.per_second) if works and view else UNKNOWN),
            Content(duration(view.eta_s) if works and view else UNKNOWN),
            Content(money(run.spent)),
            _number(run.counts.failed, BAD),
            Content.styled(moment(run.created_at, now), QUIET),
        ),
    )


KEY_COLUMNS = (
    Column("Key", 4, 16),
    Column("Group", 5, 16, drop=4, soft=True),
    Column("State", 17, 400, grow=True),
    Column("Per minute", 10, 24, optional=True),
    Column("429", 3, 7, right=True),
    Column("Errors", 6, 7, right=True),
    Column("In flight", 9, 9, right=True, drop=9),
    Column("Requests", 8, 9, right=True, drop=8),
    Column("Mean", 6, 7, right=True, drop=3),
    Column("Spent", 5, 10, right=True),
)


_KEY_ORDER = {"off": 0, "cooling": 1, "parked": 1, "ok": 3}


def key_rows(view: RunView, now: float) -> list[Row]:
    """Return the keys, those in trouble first. Without an engine no key cools or works: only what is off still is."""
    limited = any(key.requests_per_minute is not None for key in view.keys)
    at_rest = view.engine.state in (EngineState.NONE, EngineState.LOST)
    ordered = sorted(view.keys, key=lambda key: 3 if at_rest and key.state != "off" else _KEY_ORDER.get(key.state, 2))
    return [key_row(key, now, limited=limited, at_rest=at_rest) for key in ordered]


def key_row(key: KeyView, now: float, *, limited: bool = True, at_rest: bool = False) -> Row:
    """Return one key: state with its countdown, use of its minute, what went wrong, what it cost.

    `limited`: some key of the run has a limit for the minute; `at_rest`: no engine uses the key.
    """
    return Row(
        key.name,
        (
            text(key.name, "bold"),
            text(key.group, QUIET),
            Content.styled("– at rest", QUIET) if at_rest and key.state != "off" else _key_state(key, now),
            _minute_use(key) if limited and not at_rest else Content(""),
            _number(key.rate_limited, WARN),
            _number(key.errors, BAD),
            _number(0 if at_rest else key.in_flight),
            _number(key.requests),
            Content(milliseconds(key.mean_latency_ms)),
            Content(money(key.spent)),
        ),
    )


def _key_state(key: KeyView, now: float) -> Content:
    parts = [key_state_label(key.state).content()]
    if key.until is not None and key.until > now:
        parts.append(Content(countdown(key.until - now)))
    if key.reason:
        parts.append(text(key.reason, QUIET))
    return Content(" ").join(parts)


def _minute_use(key: KeyView) -> Content:
    used, limit = key.used_this_minute, key.requests_per_minute
    if limit is None:
        return Content.assemble(f"{count(used):>3}", (" no limit", QUIET))
    style = "$warning" if used >= limit else "$primary"
    gauge = bars.gauge(used, limit, 5, style=style)
    return Content.assemble(f"{count(used):>3}", (f"/{count(limit):<3} ", QUIET), gauge)


def key_text(key: KeyView, now: float) -> str:
    """Return all there is to say about one key, line by line."""
    limit = "no limit" if key.requests_per_minute is None else f"of {count(key.requests_per_minute)} a minute"
    left = f" for {countdown(key.until - now)}" if key.until is not None and key.until > now else ""
    return "\n".join(
        (
            f"{key_state_label(key.state).word}{left}{f': {key.reason}' if key.reason else ''}",
            f"group {key.group}",
            f"{count(key.requests)} requests, {count(key.in_flight)} in flight, {count(key.used_this_minute)} {limit}",
            f"{count(key.rate_limited)} times rate limited, {count(key.errors)} errors, {money(key.spent)} spent",
        )
    )


SLOT_COLUMNS = (
    Column("Item", 8, 60, grow=True, keep_end=True),
    Column("Key", 3, 16),
    Column("Age", 5, 7, right=True),
)


def slot_row(slot: SlotView) -> Row:
    """Return one request in flight; old ones stand out by a mark, not only by colour."""
    old = slot.age_s >= 30
    age = Content.styled(("! " if old else "") + short_age(slot.age_s), WARN if old else "")
    return Row(slot.task_id, (text(slot.item_key), text(slot.key_name, QUIET), age))


EVENT_COLUMNS = (
    Column("Time", 8, 8),
    Column("", 1, 1),
    Column("Event", 10, 400, grow=True),
)


def event_row(event: EventView) -> Row:
    """Return one event; its kind is a glyph, its message one line."""
    label = level_label(event.level)
    return Row(
        (event.level == "action", event.id),
        (
            Content.styled(clock(event.at), QUIET),
            Content.styled(label.glyph, label.style),
            text(event.message, "" if event.level in ("info", "action") else label.style),
        ),
    )


def widest(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Return the widest cell of each column over `rows`, in cells."""
    return [max((row.cells[index].cell_length for row in rows), default=0) for index in range(len(columns))]
