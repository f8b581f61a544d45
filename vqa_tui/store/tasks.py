"""Tasks as faces list and inspect them: ids by filter, rows by id, one task in full."""

import asyncio
import json
from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from vqa_tui.domain.changes import UNCHANGED, TaskChanges, changes_of
from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import Part
from vqa_tui.domain.run import ORIGINAL_SIZE, TaskStatus
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import BY_ID, Attempt, FilterValues, SortField, TaskFilter, TaskRow, TaskSort
from vqa_tui.store.db import Database
from vqa_tui.store.rows import ITEM_COLUMNS, PART_COLUMNS, SAMPLE_COLUMNS, item_from_row, part_from_row, sample_from_row
from vqa_tui.store.task_filters import select_ids

_ROW_COLUMNS = (
    """
t.id, i.key, t.status, t.last_kind, t.attempts, t.finished_at,
(SELECT coalesce(sum(cost_nano), 0) FROM attempt a WHERE a.task_id = t.id) AS cost_nano,
(SELECT max(latency_ms) FROM attempt a WHERE a.task_id = t.id) AS latency_ms,
(SELECT count(*) FROM sample s WHERE s.task_id = t.id) AS samples,
"""
    + PART_COLUMNS
)

FIRST_IDS = 200
"""Ids in the first piece: more than a screen has rows."""
_COUNTED_AT_ONCE = 50_000
"""Ids that are made in one turn of the event loop: a million at once would hold up the screen for 100 ms."""
_ITEMS_LOOKED_AT = 2_000
"""Items whose splits and categories are offered when a filter is completed."""
_VALUES_OFFERED = 200
_LARGEST_ID = 2**63 - 1
_LONGEST_ID = len(str(_LARGEST_ID))


async def task_ids(database: Database, run_id: int, chosen: TaskFilter, sort: TaskSort = BY_ID) -> "array[int]":
    """Return the ids of the tasks that `chosen` means, in the order of `sort`; 8 bytes each."""
    found = array("q")
    async for piece in task_id_pieces(database, run_id, chosen, sort):
        found.extend(piece)
    return found


async def task_id_pieces(
    database: Database, run_id: int, chosen: TaskFilter, sort: TaskSort = BY_ID
) -> "AsyncIterator[array[int]]":
    """Yield the ids of `task_ids` piece by piece, the first as soon as a page is there."""
    ends = await _ends(database, run_id)
    if ends is None:
        return
    if chosen == TaskFilter() and sort.by is SortField.ID and ends.unbroken:
        ids = range(ends.low, ends.high + 1)
        if sort.descending:
            ids = ids[::-1]
        for start in range(0, len(ids), _COUNTED_AT_ONCE):
            yield array("q", ids[start : start + _COUNTED_AT_ONCE])
            await asyncio.sleep(0)
        return
    sql, values = select_ids(run_id, chosen, sort, (ends.low, ends.high))
    async for piece in database.integer_pieces(sql, values, first=FIRST_IDS):
        yield piece


@dataclass(frozen=True, slots=True)
class _Ends:
    """First and last id of a run's tasks; `unbroken`: they follow each other without a gap, as they are made."""

    low: int
    high: int
    unbroken: bool


async def _ends(database: Database, run_id: int) -> _Ends | None:
    """Return between which ids the tasks of a run lie; None where it has none.

    The tally has their number, and an index the ends, so that a million of them are not read.
    """
    row = await database.read_one(
        "SELECT sum(n) AS n, min(low) AS low, max(high) AS high FROM (SELECT sum(n) AS n, "
        "(SELECT min(id) FROM task WHERE run_id = :run AND status = tally.status) AS low, "
        "(SELECT max(id) FROM task WHERE run_id = :run AND status = tally.status) AS high "
        "FROM tally WHERE run_id = :run GROUP BY status)",
        {"run": run_id},
    )
    if row is None or row["low"] is None:
        return None
    return _Ends(row["low"], row["high"], row["high"] - row["low"] + 1 == row["n"])


async def task_rows(database: Database, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
    """Return the rows of `ids` that belong to the run, by id."""
    rows = await database.read(
        f"SELECT {_ROW_COLUMNS}, (SELECT json_extract(endpoint, '$.prices') IS NOT NULL FROM run WHERE id = ?1) "
        "AS price_known FROM task t JOIN item i ON i.id = t.item_id "
        # The + keeps SQLite from an index over the run, by which it would go through all of its tasks.
        "WHERE +t.run_id = ?1 AND t.id IN (SELECT value FROM json_each(?2))",
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
            row["latency_ms"],
            part_from_row(row),
            bool(row["price_known"]),
        )
        for row in rows
    }


async def find_tasks(database: Database, run_id: int, ref: str) -> list[int]:
    """Return the tasks of the item with this key, or else the task with this id; none when there is neither.

    Where a picture is several requests, `key#2` is the second of them.
    """
    key, _mark, number = ref.rpartition("#")
    rows = await database.read(
        "SELECT t.id, i.key = :ref AS whole FROM item i JOIN task t ON t.run_id = :run AND t.item_id = i.id "
        "WHERE i.dataset_id = (SELECT dataset_id FROM run WHERE id = :run) AND i.key IN (:ref, :key) "
        "AND (i.key = :ref OR t.part = :part AND t.parts > 1) ORDER BY t.part",
        {"run": run_id, "ref": ref, "key": key, "part": int(number) - 1 if _is_id(number) else -1},
    )
    found = [row["id"] for row in rows if row["whole"]] or [row["id"] for row in rows]
    if not found and _is_id(ref):
        rows = await database.read("SELECT id FROM task WHERE run_id = ? AND id = ?", (run_id, int(ref)))
        found = [row["id"] for row in rows]
    return found


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) <= _LONGEST_ID and int(text) <= _LARGEST_ID


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
            changes=TaskChanges(row["max_tokens"], ORIGINAL_SIZE if row["max_side"] == 0 else row["max_side"]),
            purpose=row["purpose"],
        )
        for row in rows
    )


async def task_changes(database: Database, task_id: int) -> TaskChanges:
    """Return what a person changed for a task that is asked again; nothing once it is done."""
    row = await database.read_one("SELECT changes FROM task WHERE id = ?", (task_id,))
    return UNCHANGED if row is None else changes_of(row["changes"])


async def task_samples(database: Database, task_id: int) -> tuple[Sample, ...]:
    rows = await database.read(f"SELECT {SAMPLE_COLUMNS} FROM sample s WHERE task_id = ? ORDER BY ordinal", (task_id,))
    return tuple(sample_from_row(row) for row in rows)


async def first_items(database: Database, run_id: int, count: int) -> list[tuple[Item, Part]]:
    """Return the items of the first `count` unfinished tasks of a run, and which request about it each is."""
    rows = await database.read(
        f"SELECT {ITEM_COLUMNS}, {PART_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? "
        "AND t.status = 'pending' ORDER BY t.id LIMIT ?",
        (run_id, count),
    )
    return [(item_from_row(row), part_from_row(row)) for row in rows]


async def filter_values(database: Database, run_id: int) -> FilterValues:
    """Return which keys, splits and categories occur in a run; the last two are of a spread sample of its items."""
    keys = await database.read("SELECT DISTINCT key_name FROM attempt_tally WHERE run_id = ? ORDER BY 1", (run_id,))
    ends = await _ends(database, run_id)
    if ends is None:
        return FilterValues(tuple(row["key_name"] for row in keys))
    step = max((ends.high - ends.low + 1) // _ITEMS_LOOKED_AT, 1)
    ids = json.dumps(list(range(ends.low, ends.high + 1, step)))
    sample = (
        "SELECT i.split, i.truth FROM json_each(?) j CROSS JOIN task t ON t.id = j.value "
        "JOIN item i ON i.id = t.item_id WHERE +t.run_id = ?"
    )
    splits = await database.read(
        f"SELECT DISTINCT split FROM ({sample}) WHERE split IS NOT NULL ORDER BY 1 LIMIT ?",
        (ids, run_id, _VALUES_OFFERED),
    )
    categories = await database.read(
        f"SELECT DISTINCT c.value AS name FROM ({sample}) s, json_each(s.truth, '$.categories') c ORDER BY 1 LIMIT ?",
        (ids, run_id, _VALUES_OFFERED),
    )
    return FilterValues(
        tuple(row["key_name"] for row in keys),
        tuple(row["split"] for row in splits),
        tuple(str(row["name"]) for row in categories),
    )
