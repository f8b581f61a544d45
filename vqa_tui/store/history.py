"""The past of a run: failures over time, the log of events and actions page by page, what the tokens were."""

from collections.abc import Collection

from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.course import (
    FailureCount,
    FailureCourse,
    FailuresUntil,
    LogCursor,
    LogEntry,
    LogPage,
    Spending,
)
from vqa_tui.store.db import Database, Row

_BEYOND_ALL_IDS = 2**62
ACTION_LEVEL = "action"


async def log_page(
    database: Database,
    run_id: int,
    *,
    most: int,
    older_than: LogCursor | None = None,
    levels: Collection[str] = (),
    until: float | None = None,
) -> LogPage:
    """Return at most `most` entries, newest first; `levels` narrows, none means all.

    `until` leaves out what came after that Unix time. Pages go by key: an event or an action that comes in meanwhile
    moves none of them.
    """
    cursor = older_than or LogCursor(_BEYOND_ALL_IDS, _BEYOND_ALL_IDS)
    async with database.snapshot():
        events = await _events(database, run_id, cursor, levels, until, most)
        actions = await _actions(database, run_id, cursor, levels, until, most)
    merged: list[LogEntry] = []
    while len(merged) < most and (events or actions):
        newest_is_event = bool(events) and (not actions or events[0].at >= actions[0].at)
        merged.append((events if newest_is_event else actions).pop(0))
    event_ids = [entry.id for entry in merged if entry.level != ACTION_LEVEL]
    action_ids = [entry.id for entry in merged if entry.level == ACTION_LEVEL]
    older = LogCursor(min(event_ids, default=cursor.event_id), min(action_ids, default=cursor.action_id))
    return LogPage(tuple(merged), older if len(merged) == most else None)


async def _events(
    database: Database, run_id: int, cursor: LogCursor, levels: Collection[str], until: float | None, most: int
) -> list[LogEntry]:
    wanted = [level for level in levels if level != ACTION_LEVEL]
    if levels and not wanted:
        return []
    narrowed = f"AND level IN ({', '.join('?' * len(wanted))}) " if wanted else ""
    before = "AND at <= ? " if until is not None else ""
    rows = await database.read(
        f"SELECT id, at, level, message FROM event WHERE run_id = ? AND id < ? {narrowed}{before}"
        "ORDER BY id DESC LIMIT ?",
        (run_id, cursor.event_id, *wanted, *(() if until is None else (until,)), most),
    )
    return [LogEntry(row["id"], row["at"], row["level"], row["message"]) for row in rows]


async def _actions(
    database: Database, run_id: int, cursor: LogCursor, levels: Collection[str], until: float | None, most: int
) -> list[LogEntry]:
    if levels and ACTION_LEVEL not in levels:
        return []
    before = "AND at <= ? " if until is not None else ""
    rows = await database.read(
        "SELECT id, at, who, verb, old_value, new_value FROM action WHERE run_id = ? AND id < ? "
        f"{before}ORDER BY id DESC LIMIT ?",
        (run_id, cursor.action_id, *(() if until is None else (until,)), most),
    )
    return [
        LogEntry(row["id"], row["at"], ACTION_LEVEL, row["verb"], row["who"], row["old_value"], row["new_value"])
        for row in rows
    ]


async def neighbour_time(database: Database, run_id: int, at: float, *, later: bool) -> float | None:
    """Return the Unix time of the event or action that comes next after `at`, or last before it."""
    nearest, sign = ("min", ">") if later else ("max", "<")
    row = await database.read_one(
        f"SELECT {nearest}(at) AS at FROM (SELECT at FROM event WHERE run_id = :run AND at {sign} :at UNION ALL "
        f"SELECT at FROM action WHERE run_id = :run AND at {sign} :at)",
        {"run": run_id, "at": at},
    )
    return None if row is None else row["at"]


async def value_before(database: Database, run_id: int, verb: str, at: float) -> str | None:
    """Return what a setting was at `at`, from the first action with `verb` after it; None where it was not changed."""
    row = await database.read_one(
        "SELECT old_value FROM action WHERE run_id = ? AND verb = ? AND at > ? ORDER BY id LIMIT 1", (run_id, verb, at)
    )
    return None if row is None else str(row["old_value"])


async def failures_until(database: Database, run_id: int, at: float) -> FailuresUntil:
    """Return what had failed up to `at`: attempts by the time they were made, pictures by the time they failed."""
    async with database.snapshot():
        attempts = await database.read(
            "SELECT kind, count(*) AS n FROM attempt WHERE run_id = ? AND kind <> 'ok' AND started_at <= ? "
            "GROUP BY kind",
            (run_id, at),
        )
        pictures = await database.read(
            "SELECT last_kind AS kind, count(*) AS n FROM task WHERE run_id = ? AND status = 'failed' "
            "AND finished_at <= ? GROUP BY last_kind",
            (run_id, at),
        )
    return FailuresUntil(_numbers(attempts), _numbers(pictures))


def _numbers(rows: list[Row]) -> dict[str, int]:
    return {row["kind"]: row["n"] for row in rows}


async def failure_course(database: Database, run_id: int, *, every_s: int) -> FailureCourse:
    """Return the failures of a run by kind, in steps of `every_s` seconds, oldest first."""
    async with database.snapshot():
        attempts = await database.read(
            "SELECT CAST(started_at AS INTEGER) / :every * :every AS at, kind, count(*) AS n FROM attempt "
            "WHERE run_id = :run AND kind <> 'ok' GROUP BY 1, 2 ORDER BY 1",
            {"run": run_id, "every": every_s},
        )
        pictures = await database.read(
            "SELECT CAST(finished_at AS INTEGER) / :every * :every AS at, last_kind AS kind, count(*) AS n FROM task "
            "WHERE run_id = :run AND status = 'failed' GROUP BY 1, 2 ORDER BY 1",
            {"run": run_id, "every": every_s},
        )
    return FailureCourse(every_s, _counts(attempts), _counts(pictures))


def _counts(rows: list[Row]) -> tuple[FailureCount, ...]:
    return tuple(FailureCount(row["at"], row["kind"], row["n"]) for row in rows)


async def spending(database: Database, run_id: int) -> Spending:
    """Return what tokens and money went for, from the tally; microseconds at any size."""
    row = await database.read_one(
        "SELECT coalesce(sum(input_tokens), 0) AS input, coalesce(sum(cached_input_tokens), 0) AS cached, "
        "coalesce(sum(image_tokens), 0) AS image, coalesce(sum(output_tokens), 0) AS output, "
        "coalesce(sum(cost_nano), 0) AS spent, coalesce(sum(n), 0) AS requests, "
        "coalesce(sum(cost_nano) FILTER (WHERE kind <> 'ok'), 0) AS wasted FROM attempt_tally WHERE run_id = ?",
        (run_id,),
    )
    if row is None:
        return Spending()
    return Spending(
        row["input"],
        row["cached"],
        row["image"],
        row["output"],
        to_dollars(row["spent"]),
        to_dollars(row["wasted"]),
        row["requests"],
    )
