"""One row a second per working run, thinned as it ages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from vqa_tui.domain.course import CoursePoint
from vqa_tui.domain.rate import Progress
from vqa_tui.store.db import Database, Query, Row

_THINNING = ((600, 10), (7200, 60))
"""(age in seconds, seconds between the rows kept beyond that age)."""


async def record_metric(
    database: Database,
    run_id: int,
    *,
    at: int,
    session_id: int,
    in_flight: int,
    slots: int,
    p50_ms: float | None,
    p95_ms: float | None,
    sent_bytes: int = 0,
    throttle_slots: int | None = None,
    throttle_per_s: float | None = None,
    throttle_groups: Mapping[str, int] | None = None,
) -> None:
    """Store the state of this second; the totals come from the tallies, so they are what is committed.

    `throttle_groups` are the slots that each quota group is allowed, where there are several groups.
    """
    async with database.write() as transaction:
        await transaction.execute(
            """
            INSERT OR REPLACE INTO metric (run_id, at, session_id, done, failed, in_flight, slots, rate_limited,
              input_tokens, output_tokens, spent_nano, p50_ms, p95_ms, sent_bytes, throttle_slots, throttle_per_s,
              throttle_groups)
            SELECT :run, :at, :session,
              coalesce((SELECT sum(n) FROM tally WHERE run_id = :run AND status = 'done'), 0),
              coalesce((SELECT sum(n) FROM tally WHERE run_id = :run AND status = 'failed'), 0),
              :in_flight, :slots,
              coalesce(sum(n) FILTER (WHERE kind = 'rate_limited'), 0),
              coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cost_nano), 0), :p50, :p95,
              :sent_bytes, :throttle_slots, :throttle_per_s, :throttle_groups
            FROM attempt_tally WHERE run_id = :run
            """,
            {
                "run": run_id,
                "at": at,
                "session": session_id,
                "in_flight": in_flight,
                "slots": slots,
                "p50": p50_ms,
                "p95": p95_ms,
                "sent_bytes": sent_bytes,
                "throttle_slots": throttle_slots,
                "throttle_per_s": throttle_per_s,
                "throttle_groups": json.dumps(throttle_groups) if throttle_groups else None,
            },
        )


async def thin_metrics(database: Database, run_id: int, *, now: int, since: int) -> None:
    """Drop rows that have aged past a thinning step since the last call at `since`."""
    async with database.write() as transaction:
        for age, spacing in _THINNING:
            await transaction.execute(
                "DELETE FROM metric WHERE run_id = ? AND at >= ? AND at < ? AND at % ? <> 0",
                (run_id, since - age, now - age, spacing),
            )


async def recent_metrics(database: Database, run_id: int, *, since: int) -> list[CoursePoint]:
    rows = await database.read(
        "SELECT at, session_id, done, failed, in_flight, slots, rate_limited, input_tokens, output_tokens, spent_nano, "
        "p50_ms, p95_ms, sent_bytes, throttle_slots, throttle_per_s, throttle_groups "
        "FROM metric WHERE run_id = ? AND at >= ? ORDER BY at",
        (run_id, since),
    )
    return [CoursePoint._make(row) for row in rows]


@dataclass(frozen=True, slots=True)
class RecentCourse:
    """What the last rows of one engine session say, oldest first."""

    progress: list[Progress]
    sent: list[tuple[int, int]]
    """(Unix time, bytes sent by the session until then)."""
    throttle_slots: tuple[int, ...]
    newest_at: int | None = None
    """Unix time; None where there is no row."""
    p50_ms: float | None = None
    """As of the newest row of any session: one that has asked nothing yet takes nothing from what is known."""
    p95_ms: float | None = None


def recent_course_query(run_id: int, *, within_s: int) -> Query:
    """Return the query for what `recent_course` reads: the last `within_s` seconds that the newest session recorded.

    Columns come as one text each: hundreds of rows take several times as long to fetch, and every look does.
    """
    return (
        "SELECT group_concat(at) AS at, group_concat(done + failed) AS finished, group_concat(in_flight) AS in_flight, "
        "group_concat(sent_bytes) AS sent, group_concat(throttle_slots) AS throttle_slots, "
        "max(at) AS newest_at, "
        "(SELECT p50_ms FROM metric WHERE run_id = ?1 ORDER BY at DESC LIMIT 1) AS p50_ms, "
        "(SELECT p95_ms FROM metric WHERE run_id = ?1 ORDER BY at DESC LIMIT 1) AS p95_ms "
        "FROM (SELECT * FROM metric WHERE run_id = ?1 "
        "AND at >= (SELECT max(at) FROM metric WHERE run_id = ?1) - ?2 "
        "AND session_id = (SELECT session_id FROM run_state WHERE run_id = ?1) ORDER BY at)",
        (run_id, within_s),
    )


def recent_course(row: Row) -> RecentCourse:
    """Return the course in the one row that `recent_course_query` finds."""
    at = _numbers(row["at"])
    return RecentCourse(
        list(map(Progress, at, _numbers(row["finished"]), _numbers(row["in_flight"]))),
        list(zip(at, _numbers(row["sent"]), strict=True)),
        tuple(_numbers(row["throttle_slots"])),
        row["newest_at"],
        row["p50_ms"],
        row["p95_ms"],
    )


def _numbers(joined: str | None) -> list[int]:
    return list(map(int, joined.split(","))) if joined else []
