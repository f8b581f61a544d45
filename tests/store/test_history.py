"""The past of a run in the store: the log by pages, failures over time, settings as they were."""

from decimal import Decimal

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.course import FailureCount, LogCursor
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store import history
from vqa_tui.store.db import Database
from vqa_tui.store.queue import TaskQueue


@pytest.fixture
async def run_id(builder: Builder) -> int:
    return await builder.run(await builder.dataset(6))


async def write_log(database: Database, run_id: int) -> None:
    """Events at even seconds, actions at odd ones."""
    async with database.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, ?, ?)",
            [(run_id, 2.0 * n, ("info", "warning", "error")[n % 3], f"event {n}") for n in range(50)],
        )
        await transaction.execute_many(
            "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (?, ?, 'ann', 'set budget', ?, ?)",
            [(run_id, 2.0 * n + 1, str(n), str(n + 1)) for n in range(20)],
        )


async def test_pages_give_every_entry_once_newest_first(database: Database, run_id: int, builder: Builder) -> None:
    await write_log(database, run_id)
    await write_log(database, await builder.run(1, name="other"))
    found: list[float] = []
    cursor: LogCursor | None = None
    for _ in range(20):
        page = await history.log_page(database, run_id, most=7, older_than=cursor)
        found += [entry.at for entry in page.entries]
        if (cursor := page.older) is None:
            break
    assert found == sorted([*(2.0 * n for n in range(50)), *(2.0 * n + 1 for n in range(20))], reverse=True)


async def test_what_comes_in_between_two_pages_moves_none(database: Database, run_id: int) -> None:
    await write_log(database, run_id)
    first = await history.log_page(database, run_id, most=10)
    async with database.write() as transaction:
        await transaction.execute(
            "INSERT INTO event (run_id, at, level, message) VALUES (?, 999, 'info', 'x')", (run_id,)
        )
    second = await history.log_page(database, run_id, most=10, older_than=first.older)
    assert [entry.at for entry in (*first.entries, *second.entries)] == [2.0 * n for n in range(49, 29, -1)]


async def test_levels_and_a_moment_narrow_the_log(database: Database, run_id: int) -> None:
    await write_log(database, run_id)
    errors = await history.log_page(database, run_id, most=99, levels=("error", "warning"))
    assert {entry.level for entry in errors.entries} == {"error", "warning"}
    actions = await history.log_page(database, run_id, most=99, levels=("action",), until=10.0)
    assert [(entry.at, entry.who, entry.old_value, entry.new_value) for entry in actions.entries] == [
        (9.0, "ann", "4", "5"), (7.0, "ann", "3", "4"), (5.0, "ann", "2", "3"), (3.0, "ann", "1", "2"),
        (1.0, "ann", "0", "1"),
    ]  # fmt: skip
    until = await history.log_page(database, run_id, most=4, until=7.5)
    assert [entry.at for entry in until.entries] == [7.0, 6.0, 5.0, 4.0]


async def test_the_nearest_event_or_action_on_either_side_is_told(database: Database, run_id: int) -> None:
    await write_log(database, run_id)
    assert await history.neighbour_time(database, run_id, 4.0, later=True) == 5.0
    assert await history.neighbour_time(database, run_id, 5.0, later=True) == 6.0
    assert await history.neighbour_time(database, run_id, 4.0, later=False) == 3.0
    assert await history.neighbour_time(database, run_id, 0.0, later=False) is None
    assert await history.neighbour_time(database, run_id, 98.0, later=True) is None


async def test_a_setting_was_what_the_first_change_after_a_moment_replaced(database: Database, run_id: int) -> None:
    await write_log(database, run_id)
    assert await history.value_before(database, run_id, "set budget", 4.0) == "2"
    assert await history.value_before(database, run_id, "set budget", 39.0) is None
    assert await history.value_before(database, run_id, "set concurrency", 4.0) is None


async def settle_failures(builder: Builder, run_id: int) -> None:
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(4, now=0, pilot_only=False)
    kinds = (("server", 100.5), ("server", 100.9), ("refused", 130.0), ("ok", 131.0))
    for task, (kind, at) in zip(tasks, kinds, strict=True):
        status = {"refused": TaskStatus.FAILED, "ok": TaskStatus.DONE}.get(kind, TaskStatus.PENDING)
        usage = Usage(900, 30, cached_input_tokens=100, image_tokens=800) if kind != "server" else Usage()
        attempt = AttemptRecord("a", at, 5.0, kind, usage=usage, cost_nano=0 if kind == "server" else 7_000)
        failed = kind if status is TaskStatus.FAILED else None
        await queue.settle([TaskOutcome(task.id, status, attempt, True, kind=failed, problem="no" if failed else None)])
    async with builder.database.write() as transaction:
        await transaction.execute("UPDATE task SET finished_at = 131 WHERE status = 'failed'")


async def test_failures_are_told_as_of_a_moment_and_over_time(builder: Builder, run_id: int) -> None:
    await settle_failures(builder, run_id)
    database = builder.database
    early = await history.failures_until(database, run_id, 100.7)
    assert (early.attempts, early.pictures) == ({"server": 1}, {})
    late = await history.failures_until(database, run_id, 131.0)
    assert (late.attempts, late.pictures) == ({"server": 2, "refused": 1}, {"refused": 1})
    course = await history.failure_course(database, run_id, every_s=10)
    assert course.attempts == (FailureCount(100, "server", 2), FailureCount(130, "refused", 1))
    assert course.pictures == (FailureCount(130, "refused", 1),)


async def test_spending_is_told_by_what_it_was_for(builder: Builder, run_id: int) -> None:
    assert (await history.spending(builder.database, run_id)).requests == 0
    await settle_failures(builder, run_id)
    spent = await history.spending(builder.database, run_id)
    assert (spent.input_tokens, spent.cached_input_tokens, spent.image_tokens, spent.output_tokens) == (
        1800,
        200,
        1600,
        60,
    )
    assert spent.requests == 4
    assert (spent.spent, spent.spent_on_failures) == (Decimal("0.000014"), Decimal("0.000007"))


async def test_failed_attempts_are_found_by_an_index_that_holds_no_other(builder: Builder, run_id: int) -> None:
    for condition in ("AND started_at <= 5 GROUP BY kind", ""):
        plan = await builder.database.read(
            f"EXPLAIN QUERY PLAN SELECT kind, count(*) FROM attempt WHERE run_id = 1 AND kind <> 'ok' {condition}"
        )
        assert any("COVERING INDEX attempt_failed" in row["detail"] for row in plan), [row["detail"] for row in plan]
