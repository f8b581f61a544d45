"""A run with very many attempts is deleted in transactions that are all small, with others writing in between."""

import asyncio
import time
from itertools import pairwise

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import queue_edits, run_deletion
from vqa_tui.store.db import Database
from vqa_tui.store.queue_edits import edit_queue
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


async def test_what_edits_noted_goes_in_parts_too(
    database: Database, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_edits, "MOST_AT_ONCE", 50)
    run_id = await large_run(database, builder, 300, 1)
    await edit_queue(database, run_id, EditVerb.SKIP, who="me")
    await edit_queue(database, run_id, EditVerb.REQUEUE, who="me")
    await mark_deleted(database, run_id, who="me", words="", flights=[])
    notes = [300 * 2]

    async for _chunk in empty_run(database, run_id):
        (left,) = await database.read("SELECT count(*) FROM edit_task")
        notes.append(left[0])
    await finish_deletion(database, run_id)
    assert notes[-1] == 0
    assert max(before - after for before, after in pairwise(notes)) <= 50


async def test_nothing_large_goes_by_reference_to_what_goes_with_a_run(database: Database) -> None:
    """Rows that go with a row that goes with its run are not counted by the parts: they must be few for each."""
    found = await database.read(
        """SELECT DISTINCT m.name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' """
        """AND f.on_delete = 'CASCADE' AND f."table" IN (SELECT o.name FROM sqlite_schema o """
        """JOIN pragma_foreign_key_list(o.name) g WHERE g."table" = 'run' AND g.on_delete = 'CASCADE')"""
    )
    # Attempts, pairs and what an edit noted are deleted before; minutes of a cluster are 16, tallies of a stratum 16.
    assert {row["name"] for row in found} == {"attempt", "sample", "edit_task", "failure_minute", "review_tally"}
