"""A run with very many attempts is deleted in transactions that are all small, with others writing in between."""

import asyncio
import time
from itertools import pairwise

import pytest

from tests.store.conftest import Builder
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import run_deletion
from vqa_tui.store.db import Database
from vqa_tui.store.run_deletion import MOST_ROWS, MOST_TASKS, empty_run, finish_deletion, mark_deleted

TASKS = 20_000
ATTEMPTS_EACH = 10


async def large_run(database: Database, builder: Builder, tasks: int, attempts_each: int) -> int:
    run_id = await builder.run(await builder.dataset(tasks), name="large")
    session_id = await builder.session(run_id)
    async with database.write() as transaction:
        await transaction.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, kind, raw_reply) "
            "SELECT run_id, task.id, i, ?, 'a', ? - i, 'ok', 'a reply' FROM task, n WHERE run_id = ?",
            (attempts_each, session_id, time.time(), run_id),
        )
        await transaction.execute(
            "INSERT INTO sample (run_id, task_id, ordinal, question, answer) SELECT run_id, id, 0, 'q', 'a' FROM task"
        )
    return run_id


async def test_two_hundred_thousand_attempts_go_in_small_transactions_with_a_writer_beside(
    database: Database, builder: Builder, paths: WorkspacePaths
) -> None:
    run_id = await large_run(database, builder, TASKS, ATTEMPTS_EACH)
    other = await builder.run(await builder.dataset(1, "other"), name="other")
    await mark_deleted(database, run_id, who="me", words="", flights=[])
    written_after: list[int] = []
    chunks: list[run_deletion.DeletedChunk] = []
    done = asyncio.Event()

    async def write_beside() -> None:
        async with Database.open(paths) as beside:
            while not done.is_set():
                async with beside.write() as transaction:
                    await transaction.execute("UPDATE run_state SET heartbeat_at = ? WHERE run_id = ?", (1, other))
                written_after.append(len(chunks))
                await asyncio.sleep(0.01)

    writer = asyncio.create_task(write_beside())
    async for chunk in empty_run(database, run_id):
        chunks.append(chunk)
    done.set()
    await writer
    await finish_deletion(database, run_id)
    assert sum(chunk.tasks for chunk in chunks) == TASKS
    assert sum(chunk.rows for chunk in chunks) >= TASKS * (2 + ATTEMPTS_EACH)
    assert max(chunk.rows for chunk in chunks) <= MOST_TASKS + 2 * MOST_ROWS
    # The writer got its turn again and again, never later than a few transactions after the turn before.
    assert len(written_after) > 10
    gaps = [later - earlier for earlier, later in pairwise(written_after)]
    assert max(gaps) < len(chunks) / 4
    for table in ("task", "attempt", "sample"):
        assert not await database.read(f"SELECT 1 FROM {table} WHERE run_id = ? LIMIT 1", (run_id,))
    (kept,) = await database.read("SELECT count(*) AS n FROM kept_request")
    assert kept["n"] == TASKS * ATTEMPTS_EACH


@pytest.mark.parametrize("many", ["attempt", "sample"])
async def test_one_task_with_too_much_is_emptied_in_parts(database: Database, builder: Builder, many: str) -> None:
    run_id = await large_run(database, builder, 1, MOST_ROWS + 7 if many == "attempt" else 1)
    if many == "sample":
        async with database.write() as transaction:
            await transaction.execute_many(
                "INSERT INTO sample (run_id, task_id, ordinal, question, answer) "
                "SELECT run_id, id, ?, 'q', 'a' FROM task WHERE run_id = ?",
                [(ordinal, run_id) for ordinal in range(1, MOST_ROWS + 7)],
            )
    await mark_deleted(database, run_id, who="me", words="", flights=[])
    chunks = [chunk async for chunk in empty_run(database, run_id)]
    assert [chunk.tasks for chunk in chunks if chunk.rows > 5] == [0, 1]
    assert not await database.read(f"SELECT 1 FROM {many}")
