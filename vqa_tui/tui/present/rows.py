"""Rows of the live tables: runs, keys, requests in flight, events; and of the list of items."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.run import LIVE_PHASES, EngineState, EventView, KeyView, SlotView
from vqa_tui.domain.task import TaskRow
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
    kind_words,
    level_label,
    phase_label,
    status_label,
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
    Column("Run", 12, 30),
    Column("Dataset → recipe @ endpoint", 20, 70, drop=4),
    Column("State", 9, 16),
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
    label = phase_label(run.phase, run.engine)
    works = view is not None and run.engine is EngineState.ALIVE and run.phase in LIVE_PHASES
    percent = share(run.counts.finished, run.counts.total)
    bar = bars.line(run.counts.finished, run.counts.total, 10, style="$success" if run.counts.total else QUIET)
    source = Content.assemble(text(run.dataset), (" → ", QUIET), text(run.recipe), (" @ ", QUIET), text(run.endpoint))
    return Row(
        run.id,
        (
            text(run.name, "bold"),
            source,
            label.content(),
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
    Column("Group", 5, 16, drop=4),
    Column("State", 14, 60),
    Column("Per minute", 10, 24),
    Column("429", 3, 7, right=True),
    Column("Errors", 6, 7, right=True),
    Column("In flight", 9, 9, right=True, drop=9),
    Column("Requests", 8, 9, right=True, drop=8),
    Column("Mean", 6, 7, right=True, drop=3),
    Column("Spent", 5, 10, right=True),
)


def key_row(key: KeyView, now: float) -> Row:
    """Return one key: state with its countdown, use of its minute, what went wrong, what it cost."""
    return Row(
        key.name,
        (
            text(key.name, "bold"),
            text(key.group, QUIET),
            _key_state(key, now),
            _minute_use(key),
            _number(key.rate_limited, WARN),
            _number(key.errors, BAD),
            _number(key.in_flight),
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


TASK_COLUMNS = (
    Column("#", 4, 9, right=True, drop=7),
    Column("Item", 20, 300, grow=True, keep_end=True),
    Column("Status", 11, 11),
    Column("Last failure", 12, 17, drop=3),
    Column("Tries", 5, 5, right=True),
    Column("Pairs", 5, 5, right=True, drop=4),
    Column("Cost", 10, 11, right=True, drop=5),
    Column("Finished", 8, 8, right=True, drop=9),
)


def task_cells(row: TaskRow) -> tuple[Content, ...]:
    """Return the cells of one item."""
    kind_style = BAD if row.status == "failed" else QUIET
    return (
        Content.styled(str(row.id), QUIET),
        text(row.item_key),
        status_label(row.status).content(),
        Content.styled(kind_words(row.kind), kind_style) if row.kind else Content(""),
        _number(row.attempts),
        _number(row.samples),
        Content.styled(money(row.cost), "" if row.cost else QUIET),
        Content.styled(clock(row.finished_at) if row.finished_at is not None else "", QUIET),
    )


def unread_task_cells(task_id: int) -> tuple[Content, ...]:
    """Return the cells of an item whose row has not been read yet."""
    blank = Content("")
    return (Content.styled(str(task_id), QUIET), Content.styled("…", QUIET), *([blank] * (len(TASK_COLUMNS) - 2)))


def widest(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Return the widest cell of each column over `rows`, in cells."""
    return [max((row.cells[index].cell_length for row in rows), default=0) for index in range(len(columns))]
