"""Old metrics are thinned without losing the picture; the queue's queries stay on their indexes; totals are exact."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store import reads, runs
from vqa_tui.store.db import Database, Row, Transaction
from vqa_tui.store.metrics import recent_metrics, record_metric, thin_metrics
from vqa_tui.store.queue import TaskQueue


async def _metrics(builder: Builder, run_id: int, seconds: Sequence[int]) -> None:
    session_id = await builder.session(run_id)
    async with builder.database.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO metric VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL, NULL, NULL)",
            [(run_id, at, session_id) for at in seconds],
        )


async def _seconds(builder: Builder, run_id: int) -> list[int]:
    return [metric.at for metric in await recent_metrics(builder.database, run_id, since=0)]


async def test_thinning_keeps_every_second_of_ten_minutes_then_tens_then_minutes(builder: Builder) -> None:
    dataset = await builder.dataset(1)
    run_id, other = await builder.run(dataset), await builder.run(dataset, name="other")
    start, end = 100_003, 110_807
    await _metrics(builder, run_id, range(start, end))
    await _metrics(builder, other, range(start, start + 100))
    for at in range(start, end, 60):
        await thin_metrics(builder.database, run_id, now=at + 60, since=at)
    last = start + -(-(end - start) // 60) * 60
    assert await _seconds(builder, run_id) == [
        at
        for at in range(start, end)
        if at >= last - 600 or (at % 10 == 0 and at >= last - 7200) or (at % 60 == 0 and at < last - 7200)
    ]
    assert await _seconds(builder, other) == list(range(start, start + 100))


async def test_thinning_looks_at_no_row_twice_and_at_none_too_early(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    await _metrics(builder, run_id, [1001, 1399, 1400, 1401, 1460])
    await thin_metrics(builder.database, run_id, now=2000, since=2000)
    assert await _seconds(builder, run_id) == [1001, 1399, 1400, 1401, 1460]
    await thin_metrics(builder.database, run_id, now=2060, since=2000)
    assert await _seconds(builder, run_id) == [1001, 1399, 1400, 1460]


async def test_a_metric_holds_the_committed_totals_and_the_second_one_of_a_second_wins(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(3))
    session_id = await builder.session(run_id)
    queue = TaskQueue(builder.database, run_id, session_id)
    first, second, third = await queue.claim(3, now=0, pilot_only=False)
    await queue.settle(
        [
            TaskOutcome(first.id, TaskStatus.DONE, _attempt("ok", cost=5), True),
            TaskOutcome(second.id, TaskStatus.FAILED, _attempt("refused", cost=3), True, kind="refused", problem="no"),
            TaskOutcome(third.id, TaskStatus.PENDING, _attempt("rate_limited", cost=0)),
        ]
    )
    for in_flight in (9, 2):
        await record_metric(
            builder.database,
            run_id,
            at=50,
            session_id=session_id,
            in_flight=in_flight,
            slots=4,
            p50_ms=1.5,
            p95_ms=None,
            throttle_groups={"team": 3, "own": 1} if in_flight == 2 else None,
        )
    (metric,) = await recent_metrics(builder.database, run_id, since=50)
    assert (metric.done, metric.failed, metric.rate_limited, metric.spent_nano) == (1, 1, 1, 8)
    assert (metric.input_tokens, metric.output_tokens, metric.in_flight, metric.p50_ms) == (300, 60, 2, 1.5)
    assert metric.group_slots == {"team": 3, "own": 1}
    assert await recent_metrics(builder.database, run_id, since=51) == []


async def test_a_run_that_ended_long_ago_keeps_the_plot_of_its_end_and_has_no_rate(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(300))
    session_id = await builder.session(run_id)
    queue = TaskQueue(builder.database, run_id, session_id)
    for at in range(1_000, 1_300):
        (task,) = await queue.claim(1, now=0, pilot_only=False)
        await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, _attempt("ok", cost=5), True)])
        await record_metric(
            builder.database, run_id, at=at, session_id=session_id, in_flight=1, slots=1, p50_ms=1.5, p95_ms=2.5
        )
    at_its_end = await reads.run_view(builder.database, run_id, now=1_300.0, flights=[])
    next_day = await reads.run_view(builder.database, run_id, now=90_000.0, flights=[])
    assert at_its_end is not None and next_day is not None
    assert next_day.rate.history == at_its_end.rate.history == (1.0,) * 240
    assert next_day.rate.per_second is None


async def test_a_run_at_rest_keeps_the_latencies_of_its_last_work(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(3))

    async def latencies() -> tuple[float | None, float | None]:
        view = await reads.run_view(builder.database, run_id, now=90_000.0, flights=[])
        assert view is not None
        return view.latency.p50_ms, view.latency.p95_ms

    session_id = await builder.session(run_id)
    for at, p50 in ((1_000, 9.0), (1_001, 1.5)):
        await record_metric(
            builder.database, run_id, at=at, session_id=session_id, in_flight=1, slots=1, p50_ms=p50, p95_ms=2.5
        )
    await runs.set_phase(builder.database, run_id, Phase.RUNNING, "")
    assert await latencies() == (None, None)
    for phase in (Phase.DONE, Phase.STOPPED, Phase.PAUSED):
        await runs.set_phase(builder.database, run_id, phase, "")
        assert await latencies() == (1.5, 2.5)
    await builder.session(run_id)
    await runs.set_phase(builder.database, run_id, Phase.FAILED, "no key")
    assert await latencies() == (1.5, 2.5)


def _attempt(kind: str, *, cost: int, uncertain: int = 0, reserved: int = 0) -> AttemptRecord:
    return AttemptRecord(
        "a", 1.0, 2.0, kind, usage=Usage(100, 20), cost_nano=cost, uncertain_nano=uncertain, reserved_nano=reserved
    )


async def test_a_new_session_starts_from_what_was_spent_uncertain_and_underestimated(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(3))
    assert await reads.attempt_totals(builder.database, run_id) == reads.AttemptTotals(0, 0, 1.0, False)
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(3, now=0, pilot_only=False)
    made = (
        _attempt("ok", cost=40, reserved=100),
        _attempt("ok", cost=250, reserved=100),
        _attempt("network", cost=0, uncertain=70),
    )
    await queue.settle([TaskOutcome(task.id, TaskStatus.PENDING, each) for task, each in zip(tasks, made, strict=True)])
    assert await reads.attempt_totals(builder.database, run_id) == reads.AttemptTotals(290, 70, 2.5, True)


async def test_what_was_wrong_with_a_reply_is_remembered_while_its_key_waits(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    outcomes = (
        TaskOutcome(0, TaskStatus.PENDING, _attempt("bad_reply", cost=1), True, kind="bad_reply", problem="no list"),
        TaskOutcome(0, TaskStatus.PENDING, _attempt("rate_limited", cost=0)),
        TaskOutcome(0, TaskStatus.PENDING),
    )
    for outcome in outcomes:
        (task,) = await queue.claim(1, now=0, pilot_only=False)
        await queue.settle([TaskOutcome(task.id, *_after_id(outcome))])
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    assert (task.last_kind, task.last_problem, task.attempts_spent) == (FailureKind.BAD_REPLY, "no list", 1)


def _after_id(outcome: TaskOutcome) -> tuple[Any, ...]:
    return (
        outcome.status,
        outcome.attempt,
        outcome.spends_attempt,
        outcome.not_before,
        outcome.kind,
        outcome.problem,
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Every query on the way to the file, with its values."""
    noted: list[tuple[str, Any]] = []
    of_transaction, execute, of_database = Transaction.rows, Transaction.execute, Database.read

    async def rows(self: Transaction, sql: str, parameters: Any = ()) -> list[Row]:
        noted.append((sql, parameters))
        return await of_transaction(self, sql, parameters)

    async def changed(self: Transaction, sql: str, parameters: Any = ()) -> int:
        noted.append((sql, parameters))
        return await execute(self, sql, parameters)

    async def read(self: Database, sql: str, parameters: Any = ()) -> list[Row]:
        if not sql.startswith("EXPLAIN"):
            noted.append((sql, parameters))
        return await of_database(self, sql, parameters)

    monkeypatch.setattr(Transaction, "rows", rows)
    monkeypatch.setattr(Transaction, "execute", changed)
    monkeypatch.setattr(Database, "read", read)
    return noted


@pytest.mark.parametrize(
    ("pilot_only", "indexes"), [(False, {"task_fresh", "task_later"}), (True, {"task_pilot"})], ids=["all", "pilot"]
)
async def test_claiming_searches_its_indexes_and_never_walks_the_tasks(
    builder: Builder, asked: list[tuple[str, Any]], pilot_only: bool, indexes: set[str]
) -> None:
    run_id = await builder.run(await builder.dataset(50), pilot=10)
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    asked.clear()
    assert len(await queue.claim(10, now=5.0, pilot_only=pilot_only)) == 10
    await queue.next_due(pilot_only=pilot_only)
    # Sorting is allowed to the pilot alone: it is small.
    noted = [(sql, values) for sql, values in asked if "task" in sql]
    assert len(noted) >= 5
    used: set[str] = set()
    for sql, values in noted:
        plan = [row["detail"] for row in await builder.database.read(f"EXPLAIN QUERY PLAN {sql}", values)]
        steps = [step for step in plan if "json_each" not in step and "LIST SUBQUERY" not in step]
        assert steps and not any(step.startswith("SCAN") for step in steps), (sql, plan)
        assert pilot_only or "ORDER BY not_before" not in sql or not any("TEMP B-TREE" in step for step in steps), plan
        used |= {
            name for name in ("task_fresh", "task_later", "task_pilot") if any(f"INDEX {name} " in s for s in steps)
        }
    assert used == indexes
