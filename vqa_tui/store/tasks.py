"""Tasks as faces list and inspect them: ids by filter, rows by id, one task in full."""

import json
from array import array
from collections.abc import Sequence

from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.item import Item
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskFilter, TaskRow
from vqa_tui.store.db import Database
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row

_ROW_COLUMNS = """
t.id, i.key, t.status, t.last_kind, t.attempts, t.finished_at,
(SELECT coalesce(sum(cost_nano), 0) FROM attempt a WHERE a.task_id = t.id) AS cost_nano,
(SELECT count(*) FROM sample s WHERE s.task_id = t.id) AS samples
"""

_LARGEST_ID = 2**63 - 1
_LONGEST_ID = len(str(_LARGEST_ID))


async def task_ids(database: Database, run_id: int, chosen: TaskFilter) -> "array[int]":
    """Return the ids of the tasks that `chosen` means, in order; 8 bytes each."""
    if chosen == TaskFilter() and (every := await _unbroken_ids(database, run_id)) is not None:
        return every
    conditions = ["t.run_id = ?"]
    values: list[object] = [run_id]
    if chosen.statuses:
        conditions.append("t.status IN (SELECT value FROM json_each(?))")
        values.append(json.dumps([str(status) for status in chosen.statuses]))
    if chosen.kinds:
        conditions.append("t.last_kind IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(chosen.kinds)))
    if chosen.not_kinds:
        conditions.append("(t.last_kind IS NULL OR t.last_kind NOT IN (SELECT value FROM json_each(?)))")
        values.append(json.dumps(list(chosen.not_kinds)))
    join = "JOIN item i ON i.id = t.item_id" if chosen.search or chosen.not_search else ""
    if chosen.search:
        conditions.append("instr(lower(i.key), lower(?)) > 0")
        values.append(chosen.search)
    for words in chosen.not_search:
        conditions.append("instr(lower(i.key), lower(?)) = 0")
        values.append(words)
    return await database.read_integers(
        f"SELECT t.id FROM task t {join} WHERE {' AND '.join(conditions)} ORDER BY t.id", values
    )


async def _unbroken_ids(database: Database, run_id: int) -> "array[int] | None":
    """Return the ids of all tasks of a run if they follow each other without a gap, which they do as they are made.

    The tally has their number, and an index the ends, so that a million of them are not read.
    """
    ends = await database.read_one(
        "SELECT sum(n) AS n, min(low) AS low, max(high) AS high FROM (SELECT sum(n) AS n, "
        "(SELECT min(id) FROM task WHERE run_id = :run AND status = tally.status) AS low, "
        "(SELECT max(id) FROM task WHERE run_id = :run AND status = tally.status) AS high "
        "FROM tally WHERE run_id = :run GROUP BY status)",
        {"run": run_id},
    )
    if ends is None or ends["low"] is None or ends["high"] - ends["low"] + 1 != ends["n"]:
        return None
    return array("q", range(ends["low"], ends["high"] + 1))


async def task_rows(database: Database, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
    """Return the rows of `ids` that belong to the run, by id."""
    rows = await database.read(
        f"SELECT {_ROW_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id "
        # The + keeps SQLite from an index over the run, by which it would go through all of its tasks.
        "WHERE +t.run_id = ? AND t.id IN (SELECT value FROM json_each(?))",
        (run_id, json.dumps(list(ids))),
    )
    return {
        row["id"]: TaskRow(
            row["id"],
            row["key"],
            TaskStatus(row["status"]),
            row["last_kind"],
            row["attempts"],
            to_dollars(row["cost_nano"]),
            row["samples"],
            row["finished_at"],
        )
        for row in rows
    }


async def find_task(database: Database, run_id: int, ref: str) -> int | None:
    """Return the task with this item key, or else with this id; None when there is neither."""
    row = await database.read_one(
        "SELECT t.id FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? AND i.key = ?", (run_id, ref)
    )
    if row is None and ref.isdecimal() and len(ref) <= _LONGEST_ID and int(ref) <= _LARGEST_ID:
        row = await database.read_one("SELECT id FROM task WHERE run_id = ? AND id = ?", (run_id, int(ref)))
    return row["id"] if row else None


async def task_item(database: Database, task_id: int) -> tuple[Item, str] | None:
    """Return the item of a task and the root folder of its dataset."""
    row = await database.read_one(
        f"SELECT d.root, {ITEM_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id "
        "JOIN dataset d ON d.id = i.dataset_id WHERE t.id = ?",
        (task_id,),
    )
    return (item_from_row(row), row["root"]) if row else None


async def task_attempts(database: Database, task_id: int) -> tuple[Attempt, ...]:
    rows = await database.read("SELECT * FROM attempt WHERE task_id = ? ORDER BY number", (task_id,))
    return tuple(
        Attempt(
            number=row["number"],
            session_id=row["session_id"],
            key_name=row["key_name"],
            started_at=row["started_at"],
            latency_ms=row["latency_ms"],
            http_status=row["http_status"],
            kind=row["kind"],
            message=row["message"],
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cost=to_dollars(row["cost_nano"]),
            uncertain=to_dollars(row["uncertain_nano"]),
            finish_reason=row["finish_reason"],
            model=row["model"],
            request_id=row["request_id"],
            raw_reply=row["raw_reply"],
        )
        for row in rows
    )


async def task_samples(database: Database, task_id: int) -> tuple[Sample, ...]:
    rows = await database.read(
        "SELECT id, ordinal, question, answer, question_type, flags, verdict FROM sample WHERE task_id = ? "
        "ORDER BY ordinal",
        (task_id,),
    )
    return tuple(
        Sample(
            row["id"],
            row["ordinal"],
            row["question"],
            row["answer"],
            row["question_type"],
            tuple(json.loads(row["flags"])),
            row["verdict"],
        )
        for row in rows
    )


async def first_items(database: Database, run_id: int, count: int) -> list[Item]:
    """Return the first `count` items of a run's unfinished tasks."""
    rows = await database.read(
        f"SELECT {ITEM_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? "
        "AND t.status = 'pending' ORDER BY t.id LIMIT ?",
        (run_id, count),
    )
    return [item_from_row(row) for row in rows]
