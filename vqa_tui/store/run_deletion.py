"""Deleting a run: marked at once, emptied in short transactions, and gone when nothing refers to it any more.

Nothing that somebody still needs goes with it: what it had cost stays in `deleted_run`, and what quotas count of it
moves to `kept_request` in the transaction that deletes it, so that no quota ever counts a request twice or not at all.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.part import unit
from vqa_tui.domain.run_contents import DeletedRun, DeletedRuns, RunContents
from vqa_tui.domain.work import Flight
from vqa_tui.store.db import Database, Transaction
from vqa_tui.store.pace import LEAST_REST_S, Pace
from vqa_tui.store.queue_edits import forget_edit
from vqa_tui.store.quota_use import TOKENS

MOST_TASKS = 400
"""Tasks of one transaction at most."""
MOST_ROWS = 1_600
"""Attempts, and likewise pairs, of one transaction at most; a task that has more is emptied first."""
KEPT_S = 25 * 3600.0
"""The longest day, that on which clocks are set back: no quota looks back further."""
_LEAST_TASKS = 25
_PAGE = 20_000
_EMPTIED_BY_TASK = ("task", "attempt", "sample")
_GONE_LAST = ("run_state", "session", "run")

_KEEP = f"""
INSERT INTO kept_request (run_id, endpoint_name, key_name, started_at, kind, input_tokens, output_tokens)
SELECT run_id, ?1, key_name, started_at, kind, inputs, outputs FROM (
  SELECT run_id, key_name, started_at, kind, {TOKENS} FROM attempt
  WHERE id IN (SELECT value FROM json_each(?2)) AND started_at > ?3 AND never_sent = 0)
"""


@dataclass(frozen=True, slots=True)
class DeletedChunk:
    """What one transaction deleted."""

    tasks: int
    rows: int
    """All rows that it deleted itself, without those that went with them by reference."""
    took_s: float


async def run_contents(database: Database, run_id: int) -> RunContents | None:
    """Return what would go with a run; None when there is no such run."""
    row = await database.read_one(
        "SELECT name, parts, (SELECT coalesce(sum(n), 0) FROM tally WHERE run_id = run.id) AS pictures, "
        "(SELECT coalesce(sum(n), 0) FROM attempt_tally WHERE run_id = run.id) AS attempts, "
        "coalesce((SELECT n FROM sample_tally WHERE run_id = run.id), 0) AS pairs, "
        "(SELECT coalesce(sum(cost_nano), 0) FROM attempt_tally WHERE run_id = run.id) AS spent, "
        "(SELECT coalesce(sum(uncertain_nano), 0) FROM attempt_tally WHERE run_id = run.id) AS uncertain, "
        "json_extract(endpoint, '$.prices') IS NOT NULL AS price_known "
        "FROM run WHERE id = ? AND id NOT IN (SELECT id FROM hidden_run)",
        (run_id,),
    )
    if row is None:
        return None
    return RunContents(
        row["name"],
        row["pictures"],
        row["attempts"],
        row["pairs"],
        sum((await verdict_counts(database, run_id)).values()),
        to_dollars(row["spent"]),
        to_dollars(row["uncertain"]),
        unit(in_parts=row["parts"] != 1),
        bool(row["price_known"]),
    )


async def verdict_counts(database: Database, run_id: int) -> dict[str, int]:
    """Return how many pairs of a run have which verdict; page by page, so that no other read waits for long."""
    found: dict[str, int] = {}
    after = 0
    while True:
        rows = await database.read(
            "SELECT verdict, count(*) AS n, max(id) AS last FROM (SELECT id, verdict FROM sample "
            "WHERE run_id = ? AND id > ? ORDER BY id LIMIT ?) GROUP BY verdict",
            (run_id, after, _PAGE),
        )
        if not rows:
            return found
        after = max(row["last"] for row in rows)
        for row in rows:
            if row["verdict"] is not None:
                found[row["verdict"]] = found.get(row["verdict"], 0) + row["n"]


async def mark_deleted(database: Database, run_id: int, *, who: str, words: str, flights: Sequence[Flight]) -> None:
    """Make a run gone for everybody: its name is free and nothing lists it. Its money and its deletion are noted.

    `words` say what goes. `flights` are the requests that a killed engine had under way: nobody will book them any
    more, so they are booked here. Raises VqaError when the run is gone already.
    """
    async with database.write() as transaction:
        await mark_deleted_within(transaction, run_id, who=who, words=words, flights=flights)


async def mark_deleted_within(
    transaction: Transaction, run_id: int, *, who: str, words: str, flights: Sequence[Flight]
) -> None:
    """Do what `mark_deleted` does as a part of a larger transaction."""
    now = time.time()
    rows = await transaction.rows(
        "SELECT name, endpoint_name FROM run WHERE id = ? AND id NOT IN (SELECT id FROM hidden_run)", (run_id,)
    )
    if not rows:
        raise VqaError(f"there is no run {run_id}")
    name, endpoint = rows[0]["name"], rows[0]["endpoint_name"]
    unbooked = await _unbooked(transaction, run_id, flights)
    await transaction.execute(
        "INSERT INTO deleted_run (id, name, dataset, recipe_name, endpoint_name, model, created_at, deleted_at, "
        "who, pictures, attempts, pairs, spent_nano, uncertain_nano, price_known) "
        "SELECT r.id, r.name, d.name, recipe_name, endpoint_name, model, r.created_at, ?2, ?3, "
        "(SELECT coalesce(sum(n), 0) FROM tally WHERE run_id = r.id), coalesce(sum(a.n), 0) + ?4, "
        "coalesce((SELECT n FROM sample_tally WHERE run_id = r.id), 0), "
        "coalesce(sum(a.cost_nano), 0), coalesce(sum(a.uncertain_nano), 0) + ?5, "
        "json_extract(r.endpoint, '$.prices') IS NOT NULL "
        "FROM run r JOIN dataset d ON d.id = r.dataset_id LEFT JOIN attempt_tally a ON a.run_id = r.id "
        "WHERE r.id = ?1 GROUP BY r.id",
        (run_id, now, who, len(unbooked), sum(flight.reserved_nano for flight in unbooked)),
    )
    await transaction.execute_many(
        "INSERT INTO kept_request (run_id, endpoint_name, key_name, started_at, kind, input_tokens, output_tokens) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                run_id,
                endpoint,
                flight.key_name,
                flight.started_at,
                FailureKind.LOST,
                flight.size.input_tokens,
                flight.size.output_tokens,
            )
            for flight in unbooked
        ],
    )
    # No run that a person names can have a colon in its name.
    await transaction.execute(
        "UPDATE run SET name = ':deleted:' || id, intent = 'stop', archived_at = NULL WHERE id = ?", (run_id,)
    )
    await transaction.execute(
        "INSERT INTO action (run_id, at, who, verb, old_value) VALUES (NULL, ?, ?, ?, ?)",
        (now, who, f"delete run {name}", words),
    )


async def _unbooked(transaction: Transaction, run_id: int, flights: Sequence[Flight]) -> list[Flight]:
    """Return those of `flights` that are of this run and no attempt was stored of."""
    listed = json.dumps([flight.task_id for flight in flights])
    mine = {
        row["id"]
        for row in await transaction.rows(
            "SELECT id FROM task WHERE +run_id = ? AND id IN (SELECT value FROM json_each(?))", (run_id, listed)
        )
    }
    booked = {
        (row["task_id"], row["started_at"])
        for row in await transaction.rows(
            "SELECT task_id, started_at FROM attempt WHERE task_id IN (SELECT value FROM json_each(?))", (listed,)
        )
    }
    return [each for each in flights if each.task_id in mine and (each.task_id, each.started_at) not in booked]


async def unfinished_deletions(database: Database) -> list[int]:
    """Return the runs that are marked as deleted and not emptied yet."""
    return [row["id"] for row in await database.read("SELECT id FROM deleted_run WHERE finished_at IS NULL")]


async def deleted_runs(database: Database) -> DeletedRuns:
    """Return how many runs were deleted, and what they had cost."""
    row = await database.read_one(
        "SELECT count(*) AS n, coalesce(sum(spent_nano), 0) AS spent, coalesce(sum(uncertain_nano), 0) AS uncertain, "
        "count(*) FILTER (WHERE price_known = 0 AND attempts > 0) AS unpriced FROM deleted_run"
    )
    if row is None:
        return DeletedRuns()
    return DeletedRuns(row["n"], to_dollars(row["spent"]), to_dollars(row["uncertain"]), row["unpriced"])


async def list_deleted_runs(database: Database) -> list[DeletedRun]:
    """Return what stays known of each deleted run, the one that was deleted last first."""
    return [
        DeletedRun(
            row["id"],
            row["name"],
            row["dataset"],
            row["recipe_name"],
            row["endpoint_name"],
            row["model"],
            row["created_at"],
            row["deleted_at"],
            row["who"],
            row["pictures"],
            row["attempts"],
            row["pairs"],
            to_dollars(row["spent_nano"]),
            to_dollars(row["uncertain_nano"]),
            bool(row["price_known"]),
        )
        for row in await database.read("SELECT * FROM deleted_run ORDER BY deleted_at DESC, id DESC")
    ]


async def empty_run(database: Database, run_id: int) -> AsyncIterator[DeletedChunk]:
    """Delete everything of a marked run but the run itself, and say so after each transaction.

    Between two of them others get the file. Breaking off leaves a run that can be emptied later.
    """
    row = await database.read_one("SELECT endpoint_name FROM run WHERE id = ?", (run_id,))
    endpoint = row["endpoint_name"] if row else ""
    pace, more = Pace(least=_LEAST_TASKS, most=MOST_TASKS, first=_LEAST_TASKS * 4), row is not None
    while more:
        began = time.monotonic()
        async with database.write() as transaction:
            began = time.monotonic()
            tasks, rows, more = await _delete_tasks(transaction, run_id, endpoint, pace.size)
        took = time.monotonic() - began
        yield DeletedChunk(tasks, rows, took)
        await pace.rest(took)
    # What an edit moved has a row for each task: none of these may go with it by reference, all at once.
    for edit in await database.read("SELECT id FROM edit WHERE run_id = ?", (run_id,)):
        async for forgotten in forget_edit(database, edit["id"]):
            yield DeletedChunk(0, forgotten, 0.0)
            await asyncio.sleep(LEAST_REST_S)
    for table, column in await _owned_tables(database):
        while rows := await _delete_rows(database, table, column, run_id):
            yield DeletedChunk(0, rows, 0.0)
            await asyncio.sleep(LEAST_REST_S)


async def _delete_tasks(transaction: Transaction, run_id: int, endpoint: str, number: int) -> tuple[int, int, bool]:
    """Delete the next tasks, or what they have too much of; return tasks, rows, and whether more are left."""
    found = await transaction.rows("SELECT id FROM task WHERE run_id = ? LIMIT ?", (run_id, number))
    listed = json.dumps([row["id"] for row in found])
    of_tasks = "task_id IN (SELECT value FROM json_each(?)) LIMIT ?"
    attempts = await transaction.rows(f"SELECT id FROM attempt WHERE {of_tasks}", (listed, MOST_ROWS))
    pairs = await transaction.rows(f"SELECT id FROM sample WHERE {of_tasks}", (listed, MOST_ROWS))
    attempt_ids, pair_ids = (json.dumps([row["id"] for row in rows]) for rows in (attempts, pairs))
    if attempts:
        await transaction.execute("UPDATE attempt_floor SET id = max(id, (SELECT max(id) FROM attempt))")
        await transaction.execute(_KEEP, (endpoint, attempt_ids, time.time() - KEPT_S))
        await transaction.execute("DELETE FROM attempt WHERE id IN (SELECT value FROM json_each(?))", (attempt_ids,))
    await transaction.execute("DELETE FROM sample WHERE id IN (SELECT value FROM json_each(?))", (pair_ids,))
    if len(attempts) == MOST_ROWS or len(pairs) == MOST_ROWS:
        return 0, len(attempts) + len(pairs), True
    await transaction.execute("DELETE FROM task WHERE id IN (SELECT value FROM json_each(?))", (listed,))
    return len(found), len(found) + len(attempts) + len(pairs), len(found) == number


async def _owned_tables(database: Database) -> list[tuple[str, str]]:
    """Return (table, column) of every table whose rows go with their run, but for those that are treated apart."""
    rows = await database.read(
        """SELECT m.name, f."from" AS column FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f """
        """WHERE m.type = 'table' AND f."table" = 'run' AND f.on_delete = 'CASCADE' ORDER BY m.name"""
    )
    return [(row["name"], row["column"]) for row in rows if row["name"] not in (*_EMPTIED_BY_TASK, *_GONE_LAST)]


async def _delete_rows(database: Database, table: str, column: str, run_id: int) -> int:
    """Delete some rows of one table, or all of them where its rows have no number; return how many."""
    (kind,) = await database.read("SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", (table,))
    some = f'"{column}" = ?1'
    if not kind["wr"]:
        some = f'rowid IN (SELECT rowid FROM "{table}" WHERE {some} LIMIT {MOST_ROWS})'
    async with database.write() as transaction:
        return await transaction.execute(f'DELETE FROM "{table}" WHERE {some}', (run_id,))


async def finish_deletion(database: Database, run_id: int) -> None:
    """Delete an emptied run itself, and requests that no quota counts any more.

    References are not checked: for every session SQLite would look through all attempts of all runs, which are large.
    None of this run is left, and what only mentions the run forgets it here.
    """
    mentions = await database.read(
        """SELECT m.name, f."from" AS column FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f """
        """WHERE m.type = 'table' AND f."table" = 'run' AND f.on_delete = 'SET NULL'"""
    )
    async with database.write(check_references=False) as transaction:
        for row in mentions:
            table, column = row["name"], row["column"]
            await transaction.execute(f'UPDATE "{table}" SET "{column}" = NULL WHERE "{column}" = ?', (run_id,))
        await transaction.execute("DELETE FROM run_state WHERE run_id = ?", (run_id,))
        await transaction.execute("DELETE FROM session WHERE run_id = ?", (run_id,))
        await transaction.execute("DELETE FROM run WHERE id = ?", (run_id,))
        await transaction.execute("UPDATE deleted_run SET finished_at = ? WHERE id = ?", (time.time(), run_id))
    await drop_uncounted(database)


async def drop_uncounted(database: Database) -> None:
    """Drop kept requests that no quota looks back to any more, some at a time."""
    while True:
        async with database.write() as transaction:
            dropped = await transaction.execute(
                "DELETE FROM kept_request WHERE rowid IN (SELECT rowid FROM kept_request WHERE started_at < ? LIMIT ?)",
                (time.time() - KEPT_S, MOST_ROWS),
            )
        if dropped < MOST_ROWS:
            return
        await asyncio.sleep(LEAST_REST_S)
