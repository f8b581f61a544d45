"""Edits of the queue by people, recorded so that they can be taken back; a million tasks go piece by piece."""

import json
import time
from collections.abc import Sequence

from vqa_tui.domain.queue_edit import MOVABLE, EditVerb, Stock, TakenBack
from vqa_tui.domain.run import TaskStatus
from vqa_tui.store.db import Database, Row, Transaction
from vqa_tui.store.pace import Pace

MOST_AT_ONCE = 8_000
"""Tasks that one transaction moves at most: the engine waits for it, and must not wait long."""
_LEAST_AT_ONCE, _FIRST_AT_ONCE = 250, 1_000
_COUNTED_AT_ONCE = 20_000
EDITS_KEPT = 50
"""Newest edits of a run that can still be taken back."""

_ENDED = (TaskStatus.DONE.value, TaskStatus.FAILED.value)
"""A task that leaves one of these by hand counts as `put_back`: what it cost is still in the sums."""

_NOTE = """
INSERT INTO edit_task (edit_id, task_id, status, not_before, attempts_spent, requeued_after, finished_at,
  attempts_after, finished_after, changes)
SELECT ?1, id, status, not_before, attempts_spent, requeued_after, finished_at, attempts, ?2, changes FROM task
"""
_PUT_BACK = (
    "UPDATE task SET status = 'pending', finished_at = NULL, not_before = 0, attempts_spent = 0, "
    "requeued_after = attempts WHERE id IN (SELECT value FROM json_each(?))"
)
_PAIRED = "EXISTS (SELECT 1 FROM sample WHERE task_id = task.id)"
# A task that was done and is asked again is done once more, with the pairs that it has.
_SKIP = (
    f"UPDATE task SET status = CASE WHEN {_PAIRED} THEN 'done' ELSE 'skipped' END, finished_at = ?, not_before = 0, "
    f"changes = CASE WHEN {_PAIRED} THEN '{{}}' ELSE changes END WHERE id IN (SELECT value FROM json_each(?))"
)
_UNTOUCHED = """
SELECT t.id, e.status, t.status = 'done' AS done_now FROM edit_task e JOIN task t ON t.id = e.task_id
WHERE e.edit_id = ?1 AND e.task_id > ?2 AND t.attempts = e.attempts_after AND CASE ?3
  WHEN 'skip' THEN t.status IN ('skipped', 'done') AND t.finished_at = e.finished_after
  ELSE t.status = 'pending' AND t.requeued_after = e.attempts_after AND t.not_before = 0 END
ORDER BY e.task_id LIMIT ?4
"""
_RESTORE = """
UPDATE task SET status = e.status, not_before = e.not_before, attempts_spent = e.attempts_spent,
  requeued_after = e.requeued_after, finished_at = e.finished_at, changes = e.changes
FROM edit_task e WHERE e.edit_id = ? AND e.task_id = task.id AND task.id IN (SELECT value FROM json_each(?))
"""


async def edit_queue(
    database: Database,
    run_id: int,
    verb: EditVerb,
    *,
    who: str,
    ids: Sequence[int] | None = None,
    kinds: Sequence[str] = (),
) -> int:
    """Move the tasks of a run whose status allows it, piece by piece; return how many.

    `ids` narrows by task, `kinds` by kind of the last failure. Recorded attempts stay. What was moved is recorded in
    the same transaction, so an edit that is cut short can be taken back as far as it came.
    """
    edit_id = await _begin(database, run_id, verb, who)
    if ids is None:
        moved = await _move_all(database, run_id, edit_id, verb, kinds)
    else:
        moved = await _move_listed(database, run_id, edit_id, verb, kinds, ids)
    if not moved:
        async with database.write() as transaction:
            await transaction.execute("DELETE FROM edit WHERE id = ?", (edit_id,))
    return moved


def _pace() -> Pace:
    return Pace(least=min(_LEAST_AT_ONCE, MOST_AT_ONCE), most=MOST_AT_ONCE, first=min(_FIRST_AT_ONCE, MOST_AT_ONCE))


async def _begin(database: Database, run_id: int, verb: EditVerb, who: str) -> int:
    """Open an edit that has moved nothing yet, and return its id; edits too old to be taken back go."""
    for row in await database.read(
        "SELECT id FROM edit WHERE run_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?", (run_id, EDITS_KEPT - 1)
    ):
        await _forget(database, row["id"])
    async with database.write() as transaction:
        return await transaction.insert(
            "INSERT INTO edit (run_id, at, who, verb) VALUES (?, ?, ?, ?)", (run_id, time.time(), who, verb)
        )


async def _forget(database: Database, edit_id: int) -> None:
    """Delete an edit and what it noted, piece by piece: it may have moved a million tasks."""
    pace, left = _pace(), True
    while left:
        async with database.write() as transaction:
            began, number = time.monotonic(), pace.size
            deleted = await transaction.execute(
                "DELETE FROM edit_task WHERE edit_id = ?1 AND task_id IN "
                "(SELECT task_id FROM edit_task WHERE edit_id = ?1 ORDER BY task_id LIMIT ?2)",
                (edit_id, number),
            )
            left = deleted == number
            if not left:
                await transaction.execute("DELETE FROM edit WHERE id = ?", (edit_id,))
        if left:
            await pace.rest(time.monotonic() - began)


async def _move_listed(
    database: Database, run_id: int, edit_id: int, verb: EditVerb, kinds: Sequence[str], ids: Sequence[int]
) -> int:
    pace, moved, start = _pace(), 0, 0
    while start < len(ids):
        piece = list(ids[start : start + pace.size])
        start += len(piece)
        condition, values = "+run_id = ? AND id IN (SELECT value FROM json_each(?))", (run_id, json.dumps(piece))
        async with database.write() as transaction:
            began = time.monotonic()
            moved += await _move_piece(transaction, run_id, edit_id, verb, kinds, condition, values, len(piece))
        if start < len(ids):
            await pace.rest(time.monotonic() - began)
    return moved


async def _move_all(database: Database, run_id: int, edit_id: int, verb: EditVerb, kinds: Sequence[str]) -> int:
    pace, moved = _pace(), 0
    while True:
        async with database.write() as transaction:
            began, number = time.monotonic(), pace.size
            piece = await _move_piece(transaction, run_id, edit_id, verb, kinds, "run_id = ?", (run_id,), number)
        moved += piece
        if piece < number:
            return moved
        await pace.rest(time.monotonic() - began)


async def _move_piece(
    transaction: Transaction,
    run_id: int,
    edit_id: int,
    verb: EditVerb,
    kinds: Sequence[str],
    which: str,
    values: Sequence[object],
    most: int,
) -> int:
    if kinds:
        which, values = f"{which} AND last_kind IN (SELECT value FROM json_each(?))", (*values, json.dumps(list(kinds)))
    statuses = json.dumps([str(status) for status in MOVABLE[verb]])
    rows = await transaction.rows(
        f"SELECT id, status, {_PAIRED} AS paired FROM task WHERE {which} "
        "AND status IN (SELECT value FROM json_each(?)) LIMIT ?",
        (*values, statuses, most),
    )
    if not rows:
        return 0
    listed = json.dumps([row["id"] for row in rows])
    now = time.time()
    await transaction.execute(
        f"{_NOTE} WHERE id IN (SELECT value FROM json_each(?3))",
        (edit_id, now if verb is EditVerb.SKIP else None, listed),
    )
    if verb is EditVerb.SKIP:
        await transaction.execute(_SKIP, (now, listed))
    else:
        await transaction.execute(_PUT_BACK, (listed,))
    ended = sum(row["status"] in _ENDED for row in rows)
    if verb is EditVerb.SKIP:
        # Those were counted as put back when they were asked again, and now have not been.
        ended -= sum(row["status"] == TaskStatus.PENDING and row["paired"] for row in rows)
    await transaction.execute("UPDATE run SET put_back = put_back + ? WHERE id = ?", (ended, run_id))
    await transaction.execute("UPDATE edit SET tasks = tasks + ? WHERE id = ?", (len(rows), edit_id))
    return len(rows)


async def take_back(database: Database, run_id: int) -> tuple[TakenBack, frozenset[TaskStatus]] | None:
    """Undo the newest edit that still stands, for those tasks that nobody has touched since; None when there is none.

    Return what became of it, and which statuses tasks have again.
    """
    row = await database.read_one(
        "SELECT id, verb, tasks FROM edit WHERE run_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1", (run_id,)
    )
    if row is None:
        return None
    edit_id, verb = row["id"], EditVerb(row["verb"])
    restored, after, statuses = 0, 0, set[str]()
    pace = _pace()
    while True:
        async with database.write() as transaction:
            began = time.monotonic()
            rows = await transaction.rows(_UNTOUCHED, (edit_id, after, verb, pace.size))
            if not rows:
                # Last of all: an undo that is cut short is taken up again by the next one.
                await transaction.execute("UPDATE edit SET undone_at = ? WHERE id = ?", (time.time(), edit_id))
                break
            await _restore(transaction, run_id, edit_id, rows)
        restored, after = restored + len(rows), rows[-1]["id"]
        statuses.update(task["status"] for task in rows)
        await pace.rest(time.monotonic() - began)
    return TakenBack(verb, row["tasks"], restored), frozenset(TaskStatus(each) for each in statuses)


async def _restore(transaction: Transaction, run_id: int, edit_id: int, tasks: Sequence[Row]) -> None:
    await transaction.execute(_RESTORE, (edit_id, json.dumps([task["id"] for task in tasks])))
    ended = sum(task["status"] in _ENDED for task in tasks)
    ended -= sum(task["status"] == TaskStatus.PENDING and task["done_now"] for task in tasks)
    await transaction.execute("UPDATE run SET put_back = put_back - ? WHERE id = ?", (ended, run_id))
    await transaction.execute("UPDATE edit SET restored = restored + ? WHERE id = ?", (len(tasks), edit_id))


async def stock(database: Database, run_id: int, ids: Sequence[int]) -> Stock:
    """Return what `ids` hold, counted piece by piece."""
    by_status: dict[TaskStatus, int] = {}
    pairs = verdicts = 0
    for start in range(0, len(ids), _COUNTED_AT_ONCE):
        listed = json.dumps(list(ids[start : start + _COUNTED_AT_ONCE]))
        for row in await database.read(
            "SELECT status, count(*) AS n FROM task WHERE +run_id = ? AND id IN (SELECT value FROM json_each(?)) "
            "GROUP BY status",
            (run_id, listed),
        ):
            status = TaskStatus(row["status"])
            by_status[status] = by_status.get(status, 0) + row["n"]
        held = await database.read_one(
            # CROSS JOIN and + keep SQLite to this order: by an index over the run it would go through all tasks.
            "SELECT count(*) AS pairs, count(s.verdict) AS verdicts FROM json_each(?) j "
            "CROSS JOIN task t ON t.id = j.value CROSS JOIN sample s ON s.task_id = t.id "
            "WHERE +t.run_id = ? AND +t.status = 'done'",
            (listed, run_id),
        )
        if held is not None:
            pairs, verdicts = pairs + held["pairs"], verdicts + held["verdicts"]
    return Stock(by_status, pairs, verdicts)
