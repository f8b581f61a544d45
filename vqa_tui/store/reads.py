"""The frozen views that faces draw, each read in one short transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from vqa_tui.domain.cost import IMPLAUSIBLE, to_dollars, to_nano
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.quota_time import least_s
from vqa_tui.domain.rate import WINDOW_S, bytes_per_second, eta_s, history_per_second, rate_per_second
from vqa_tui.domain.run import (
    CostView,
    Counts,
    EngineState,
    EngineView,
    EventView,
    Intent,
    LatencyView,
    Limits,
    Phase,
    PilotView,
    RateView,
    RunSummary,
    RunView,
    SlotView,
    TokensView,
)
from vqa_tui.domain.work import Flight
from vqa_tui.store.db import Database, Row
from vqa_tui.store.metrics import recent_course, recent_course_query
from vqa_tui.store.money import calibration_view, cost_view
from vqa_tui.store.published import key_views, throttle_views
from vqa_tui.store.rows import PART_COLUMNS, part_from_row

_HISTORY_S = 240
_EVENTS = 50
_WORKING = frozenset({Phase.PILOT, Phase.RUNNING})
_FOLLOWING = (
    "(SELECT name FROM run f WHERE f.id = r.follows AND f.id NOT IN (SELECT id FROM hidden_run)) AS follows, "
    "(SELECT json_group_array(name) FROM (SELECT name FROM run f WHERE f.follows = r.id "
    "AND f.id NOT IN (SELECT id FROM hidden_run) ORDER BY f.id)) AS followed_by"
)
_VIEWED = (
    # Recipe and endpoint are long, and two facts of theirs are all that is needed here.
    "SELECT r.id, r.name, r.recipe_name, r.endpoint_name, r.model, r.intent, r.created_at, r.limits, r.parts, "
    f"r.pilot_size, r.put_back, {_FOLLOWING}, "
    "coalesce(json_extract(r.recipe, '$.expected_output_tokens'), 0) AS expected_output_tokens, "
    "json_extract(r.endpoint, '$.prices') AS prices, "
    "coalesce((SELECT n FROM sample_tally WHERE run_id = r.id), 0) AS samples, d.name AS dataset, "
    "s.phase, s.phase_reason, s.started_at, s.ended_at, s.heartbeat_at, s.session_id, s.reserved_nano, "
    "s.why_idle, s.keys, s.throttles, e.pid, e.started_at AS session_started_at "
    "FROM run r JOIN dataset d ON d.id = r.dataset_id JOIN run_state s ON s.run_id = r.id "
    "LEFT JOIN session e ON e.id = s.session_id "
    "WHERE r.id = ? AND r.id NOT IN (SELECT id FROM hidden_run)"
)
_TALLY = "SELECT status, kind, n FROM tally WHERE run_id = ?"
# Negative ids keep actions apart from events in one list.
_NEWEST_EVENTS = (
    "SELECT * FROM (SELECT id, at, level, message, '' AS old_value, '' AS new_value FROM event WHERE run_id = :run "
    "ORDER BY id DESC LIMIT :most) UNION ALL SELECT * FROM (SELECT -id, at, 'action', who || ': ' || verb, "
    "old_value, new_value FROM action WHERE run_id = :run ORDER BY id DESC LIMIT :most)"
)
_LEASED = (
    f"SELECT t.id, i.key, {PART_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? "
    "AND t.status = 'leased' AND t.id IN (SELECT value FROM json_each(?))"
)
_PILOT_PROGRESS = (
    "SELECT count(*) AS size, count(finished_at) AS finished, max(finished_at) - min(asked_at) AS took_s FROM ("
    "SELECT t.finished_at, CASE WHEN t.finished_at IS NOT NULL THEN (SELECT min(started_at) FROM attempt a "
    "WHERE a.task_id = t.id) END AS asked_at FROM task t INDEXED BY task_pilot WHERE t.run_id = ? AND t.pilot = 1)"
)


async def run_summaries(database: Database) -> list[tuple[RunSummary, float | None]]:
    """Return all runs, newest first, each with the Unix time of its heartbeat; their engine state is left at NONE."""
    async with database.snapshot():
        rows = await database.read(
            "SELECT r.id, r.name, d.name AS dataset, r.recipe_name, r.endpoint_name, s.phase, s.phase_reason, "
            f"s.heartbeat_at, r.limits, r.created_at, r.archived_at, r.parts, {_FOLLOWING}, "
            "json_extract(r.endpoint, '$.prices') IS NOT NULL AS price_known, "
            "(SELECT coalesce(sum(cost_nano), 0) FROM attempt_tally WHERE run_id = r.id) AS spent "
            "FROM run r JOIN dataset d ON d.id = r.dataset_id JOIN run_state s ON s.run_id = r.id "
            "WHERE r.id NOT IN (SELECT id FROM hidden_run) ORDER BY r.id DESC"
        )
        tallies = await database.read("SELECT run_id, status, kind, n FROM tally")
    by_run: dict[int, list[Row]] = {}
    for tally in tallies:
        by_run.setdefault(tally["run_id"], []).append(tally)
    return [
        (
            RunSummary(
                id=row["id"],
                name=row["name"],
                dataset=row["dataset"],
                recipe=row["recipe_name"],
                endpoint=row["endpoint_name"],
                phase=Phase(row["phase"]),
                phase_reason=row["phase_reason"],
                counts=_counts(by_run.get(row["id"], [])),
                spent=to_dollars(row["spent"]),
                cap=Limits.model_validate_json(row["limits"]).budget_usd,
                engine=EngineState.NONE,
                created_at=row["created_at"],
                follows=row["follows"] or "",
                followed_by=tuple(json.loads(row["followed_by"])),
                archived_at=row["archived_at"],
                in_parts=row["parts"] != 1,
                price_known=bool(row["price_known"]),
            ),
            row["heartbeat_at"],
        )
        for row in rows
    ]


async def run_view(database: Database, run_id: int, *, now: float, flights: Sequence[Flight]) -> RunView | None:
    """Return one run with everything but the engine's liveness, or None when there is no such run.

    `flights` is the flight journal; requests in it that are answered, or whose task is no longer leased, are dropped.
    """
    flights = [flight for flight in flights if not flight.answered]
    found, tally, attempts, course_rows, event_rows, slot_rows, pilot_rows = await database.read_together(
        (_VIEWED, (run_id,)),
        (_TALLY, (run_id,)),
        ("SELECT * FROM attempt_tally WHERE run_id = ?", (run_id,)),
        recent_course_query(run_id, within_s=_HISTORY_S),
        (_NEWEST_EVENTS, {"run": run_id, "most": _EVENTS}),
        (_LEASED, (run_id, json.dumps([flight.task_id for flight in flights]))),
        (_PILOT_PROGRESS, (run_id,)),
    )
    if not found:
        return None
    row, course = found[0], recent_course(course_rows[0])
    counts = _counts(tally)
    limits = Limits.model_validate_json(row["limits"])
    phase = Phase(row["phase"])
    is_new = course.newest_at is not None and now - course.newest_at < WINDOW_S
    rate = rate_per_second(course.progress) if is_new else None
    ended, known = counts.done + counts.failed + row["put_back"], row["prices"] is not None
    cost = cost_view(attempts, counts, limits, reserved_nano=row["reserved_nano"], known=known, ended=ended)
    working = phase in _WORKING
    keys = key_views(row["keys"], attempts, price_known=known)
    remaining = counts.pending + counts.leased
    input_tokens, output_tokens = _tokens_each(attempts)
    least = least_s(remaining, keys, input_tokens=input_tokens, output_tokens=output_tokens, now=now)
    return RunView(
        id=row["id"],
        name=row["name"],
        dataset=row["dataset"],
        recipe=row["recipe_name"],
        endpoint=row["endpoint_name"],
        model=row["model"],
        phase=phase,
        phase_reason=row["phase_reason"],
        intent=Intent(row["intent"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        limits=limits,
        counts=counts,
        samples=row["samples"],
        cost=cost,
        tokens=TokensView(sum(a["input_tokens"] for a in attempts), sum(a["output_tokens"] for a in attempts)),
        rate=RateView(rate if working else None, history_per_second(course.progress)),
        # Of an engine that says nothing any more nobody knows how long it waits; one that rests has nothing newer.
        latency=LatencyView(course.p50_ms, course.p95_ms) if is_new or not working else LatencyView(),
        keys=keys,
        failures={r["kind"]: r["n"] for r in tally if r["status"] == "failed" and r["n"]},
        attempt_failures=_attempt_failures(attempts),
        eta_s=eta_s(remaining, rate, least) if working else None,
        why_idle=row["why_idle"],
        engine=EngineView(
            EngineState.NONE,
            row["pid"],
            None if row["heartbeat_at"] is None else max(now - row["heartbeat_at"], 0.0),
            row["session_started_at"],
        ),
        in_flight=_slots(slot_rows, flights, now),
        events=_events(event_rows),
        pilot=_pilot(row, pilot_rows[0], counts, cost, least),
        throttles=throttle_views(row["throttles"]),
        throttle_history=course.throttle_slots,
        bytes_per_s=bytes_per_second(course.sent, now=now),
        calibration=calibration_view(attempts, row["expected_output_tokens"]),
        follows=row["follows"] or "",
        followed_by=tuple(json.loads(row["followed_by"])),
        in_parts=row["parts"] != 1,
    )


async def run_counts(database: Database, run_id: int) -> Counts:
    """Return how many tasks of a run stand where; microseconds at any size."""
    return _counts(await database.read(_TALLY, (run_id,)))


@dataclass(frozen=True, slots=True)
class Standing:
    """In which phase a run is, and whose engine said so."""

    phase: Phase
    reason: str
    pid: int | None


async def standing(database: Database, run_id: int) -> Standing:
    """Return the phase of a run. Raises VqaError when there is no such run."""
    row = await database.read_one(
        "SELECT s.phase, s.phase_reason, e.pid FROM run_state s LEFT JOIN session e ON e.id = s.session_id "
        "WHERE s.run_id = ?",
        (run_id,),
    )
    if row is None:
        raise VqaError(f"there is no run {run_id}")
    return Standing(Phase(row["phase"]), row["phase_reason"], row["pid"])


def with_engine(view: RunView, state: EngineState) -> RunView:
    """Return the view with what the lock file says about the engine's life; without one nothing moves."""
    if state in (EngineState.ALIVE, EngineState.HUNG):
        return replace(view, engine=replace(view.engine, state=state))
    return replace(
        view,
        engine=replace(view.engine, state=state, pid=None),
        in_flight=(),
        throttles=(),
        bytes_per_s=None,
        rate=replace(view.rate, per_second=None),
        eta_s=None,
    )


def _counts(tally: Sequence[Row]) -> Counts:
    by_status: dict[str, int] = {}
    for row in tally:
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["n"]
    return Counts(**by_status)


def _tokens_each(attempts: Sequence[Row]) -> tuple[float, float]:
    """Return the mean input and output tokens of an answered request; 0 before the first."""
    answered = [row for row in attempts if row["kind"] == "ok" and row["n"]]
    number = max(sum(row["n"] for row in answered), 1)
    inputs, outputs = (sum(row[column] for row in answered) for column in ("input_tokens", "output_tokens"))
    return inputs / number, outputs / number


def _attempt_failures(attempts: Sequence[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in attempts:
        if row["kind"] != "ok":
            found[row["kind"]] = found.get(row["kind"], 0) + row["n"]
    return found


def _events(rows: Sequence[Row]) -> tuple[EventView, ...]:
    events = []
    for row in rows:
        change = f" {row['old_value']} → {row['new_value']}" if row["old_value"] or row["new_value"] else ""
        events.append(EventView(row["id"], row["at"], row["level"], row["message"] + change))
    return tuple(sorted(events, key=lambda event: event.at, reverse=True)[:_EVENTS])


def _slots(rows: Sequence[Row], flights: Sequence[Flight], now: float) -> tuple[SlotView, ...]:
    asked = {row["id"]: (row["key"], part_from_row(row)) for row in rows}
    slots = []
    for flight in flights:
        if flight.task_id in asked:
            key, part = asked[flight.task_id]
            slots.append(SlotView(flight.task_id, key, flight.key_name, max(now - flight.started_at, 0.0), part))
    return tuple(slots)


def _pilot(row: Row, progress: Row, counts: Counts, cost: CostView, least: float | None) -> PilotView | None:
    """Return what the pilot measured; `least` are the seconds that quotas leave for the rest."""
    if not row["pilot_size"]:
        return None
    finished, took_s = progress["finished"], progress["took_s"]
    answered = counts.done + counts.failed + row["put_back"]
    per_item: Decimal | None = None
    if cost.price_known and answered:
        per_item = to_dollars(to_nano(cost.spent or cost.uncertain) // answered)
    rate = finished / took_s if finished and took_s else None
    return PilotView(
        size=progress["size"] if row["parts"] != 1 else min(row["pilot_size"], counts.total),
        finished=finished,
        cost_per_item=per_item,
        projected_cost=cost.projected,
        projected_s=eta_s(counts.pending + counts.leased, rate, least),
    )


@dataclass(frozen=True, slots=True)
class AttemptTotals:
    """What the recorded attempts of a run add up to, in nano-dollars."""

    spent_nano: int
    uncertain_nano: int
    worst_ratio: float
    """Largest cost ÷ upper bound of one attempt, at least 1; without those that are beyond all reason."""
    answered: bool
    """Whether any attempt was answered, so that it is known what requests cost."""


async def attempt_totals(database: Database, run_id: int) -> AttemptTotals:
    totals = await database.read_one(
        "SELECT coalesce(sum(cost_nano), 0) AS spent, coalesce(sum(uncertain_nano), 0) AS uncertain "
        "FROM attempt_tally WHERE run_id = ?",
        (run_id,),
    )
    # What was set aside had been scaled by what earlier requests cost beyond their bounds: a ratio to that would shrink
    # with every restart. Attempts that are older than the bound's column have nothing else.
    worst = await database.read_one(
        "SELECT max(1.0 * cost_nano / nullif(coalesce(nullif(bound_nano, 0), reserved_nano), 0)) AS ratio, "
        "max(kind = 'ok' OR cost_nano > 0) AS answered "
        "FROM attempt WHERE run_id = ? AND (reserved_nano = 0 OR cost_nano <= reserved_nano * ?)",
        (run_id, IMPLAUSIBLE),
    )
    return AttemptTotals(
        totals["spent"] if totals else 0,
        totals["uncertain"] if totals else 0,
        max(worst["ratio"] or 1.0, 1.0) if worst else 1.0,
        bool(worst and worst["answered"]),
    )
