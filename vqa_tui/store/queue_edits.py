"""Edits of the queue by people, recorded so that they can be taken back; a million tasks go piece by piece."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from vqa_tui.domain.changes import UNCHANGED, TaskChanges, changes_of
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import MOVABLE, EditVerb, StandingEdit, Stock, TakenBack
from vqa_tui.domain.run import TaskStatus
from vqa_tui.store.db import Database, Row, Transaction
from vqa_tui.store.pace import MOST_TASKS_AT_ONCE, Pace, pace_of_tasks
from vqa_tui.store.runs import require_run

MOST_AT_ONCE = MOST_TASKS_AT_ONCE
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
# A trend counts pictures that stand as failed. One that fails again, or is restored, is counted once more.
_LEAVE_TREND = """
UPDATE failure_minute SET tasks = max(failure_minute.tasks - gone.n, 0)
FROM (SELECT cluster_id, CAST(finished_at / 60 AS INTEGER) AS minute, count(*) AS n FROM task
  WHERE id IN (SELECT value FROM json_each(?)) AND status = 'failed' AND cluster_id IS NOT NULL GROUP BY 1, 2) AS gone
WHERE failure_minute.cluster_id = gone.cluster_id AND slot = gone.minute % 16 AND failure_minute.minute = gone.minute
"""
_CHANGE = "UPDATE task SET changes = ? WHERE id IN (SELECT value FROM json_each(?))"
_UNTOUCHED = """
SELECT t.id, e.status, t.status = 'done' AS done_now FROM edit_task e JOIN task t ON t.id = e.task_id
WHERE e.edit_id = ?1 AND e.task_id > ?2 AND t.attempts = e.attempts_after AND CASE ?3
  WHEN 'skip' THEN t.status IN ('skipped', 'done') AND t.finished_at = e.finished_after
  ELSE t.status = 'pending' AND t.requeued_after = e.attempts_after AND t.not_before = 0 END
  -- What somebody else moved since looks the same at times.
  AND NOT EXISTS (SELECT 1 FROM edit later JOIN edit_task moved ON moved.edit_id = later.id AND moved.task_id = t.id
    WHERE later.run_id = t.run_id AND later.id > ?1 AND later.undone_at IS NULL)
ORDER BY e.task_id LIMIT ?4
"""
_RESTORE = """
UPDATE task SET status = e.status, not_before = e.not_before, attempts_spent = e.attempts_spent,
  requeued_after = e.requeued_after, finished_at = e.finished_at, changes = e.changes
FROM edit_task e WHERE e.edit_id = ? AND e.task_id = task.id AND task.id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class _Edit:
    """One edit that is being written."""

    id: int
    run_id: int
    verb: EditVerb
    kinds: tuple[str, ...]
    changes: TaskChanges


async def edit_queue(
    database: Database,
    run_id: int,
    verb: EditVerb,
    *,
    who: str,
    ids: Sequence[int] | None = None,
    kinds: Sequence[str] = (),
) -> int:
    """Move tasks as `move_tasks` does; return how many."""
    return sum((await move_tasks(database, run_id, verb, who=who, ids=ids, kinds=kinds)).values())


async def move_tasks(
    database: Database,
    run_id: int,
    verb: EditVerb,
    *,
    who: str,
    ids: Sequence[int] | None = None,
    kinds: Sequence[str] = (),
    changes: TaskChanges = UNCHANGED,
) -> dict[TaskStatus, int]:
    """Move the tasks of a run whose status allows it, piece by piece; return how many, by what they were.

    `ids` narrows by task, `kinds` by kind of the last failure; what `changes` names holds for tasks that are put back
    until they are done. Recorded attempts stay. What was moved is recorded in the same transaction, so an edit that is
    cut short can be taken back as far as it came. Raises VqaError when the run is gone, and when the edit is taken back
    before it is written in full.
    """
    edit = _Edit(await _begin(database, run_id, verb, who), run_id, verb, tuple(kinds), changes)
    moved = await _move_all(database, edit) if ids is None else await _move_listed(database, edit, ids)
    if not moved:
        async with database.write() as transaction:
            await transaction.execute("DELETE FROM edit WHERE id = ?", (edit.id,))
    return dict(moved)


def _pace() -> Pace:
    return pace_of_tasks(MOST_AT_ONCE)


async def _begin(database: Database, run_id: int, verb: EditVerb, who: str) -> int:
    """Open an edit that has moved nothing yet, and return its id; edits too old to be taken back go."""
    for row in await database.read(
        "SELECT id FROM edit WHERE run_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?", (run_id, EDITS_KEPT - 1)
    ):
        async for _rows in forget_edit(database, row["id"]):
            pass
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        return await transaction.insert(
            "INSERT INTO edit (run_id, at, who, verb) VALUES (?, ?, ?, ?)", (run_id, time.time(), who, verb)
        )


async def forget_edit(database: Database, edit_id: int) -> AsyncIterator[int]:
    """Delete an edit and what it noted, piece by piece, and yield the rows of each: it may have moved a million."""
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
        yield deleted
        if left:
            await pace.rest(time.monotonic() - began)


async def _move_listed(database: Database, edit: _Edit, ids: Sequence[int]) -> Counter[TaskStatus]:
    pace, moved, start = _pace(), Counter[TaskStatus](), 0
    while start < len(ids):
        piece = list(ids[start : start + pace.size])
        start += len(piece)
        condition, values = "+run_id = ? AND id IN (SELECT value FROM json_each(?))", (edit.run_id, json.dumps(piece))
        async with database.write() as transaction:
            began = time.monotonic()
            moved += await _move_piece(transaction, edit, condition, values, len(piece))
        if start < len(ids):
            await pace.rest(time.monotonic() - began)
    return moved


async def _move_all(database: Database, edit: _Edit) -> Counter[TaskStatus]:
    pace, moved = _pace(), Counter[TaskStatus]()
    while True:
        async with database.write() as transaction:
            began, number = time.monotonic(), pace.size
            piece = await _move_piece(transaction, edit, "run_id = ?", (edit.run_id,), number)
        moved += piece
        if piece.total() < number:
            return moved
        await pace.rest(time.monotonic() - began)


async def _move_piece(
    transaction: Transaction, edit: _Edit, which: str, values: Sequence[object], most: int
) -> Counter[TaskStatus]:
    await _require_standing(transaction, edit)
    if edit.kinds:
        which, values = f"{which} AND last_kind IN (SELECT value FROM json_each(?))", (*values, json.dumps(edit.kinds))
    statuses = json.dumps([str(status) for status in MOVABLE[edit.verb]])
    rows = await transaction.rows(
        f"SELECT id, status, changes, {_PAIRED} AS paired FROM task WHERE {which} "
        "AND status IN (SELECT value FROM json_each(?)) LIMIT ?",
        (*values, statuses, most),
    )
    if not rows:
        return Counter()
    listed, now = json.dumps([row["id"] for row in rows]), time.time()
    await transaction.execute(
        f"{_NOTE} WHERE id IN (SELECT value FROM json_each(?3))",
        (edit.id, now if edit.verb is EditVerb.SKIP else None, listed),
    )
    await transaction.execute(_LEAVE_TREND, (listed,))
    if edit.verb is EditVerb.SKIP:
        await transaction.execute(_SKIP, (now, listed))
    else:
        await transaction.execute(_PUT_BACK, (listed,))
        await _change(transaction, edit.changes, rows)
    ended = sum(row["status"] in _ENDED for row in rows)
    if edit.verb is EditVerb.SKIP:
        # Those were counted as put back when they were asked again, and now have not been.
        ended -= sum(row["status"] == TaskStatus.PENDING and row["paired"] for row in rows)
    await transaction.execute("UPDATE run SET put_back = put_back + ? WHERE id = ?", (ended, edit.run_id))
    await transaction.execute("UPDATE edit SET tasks = tasks + ? WHERE id = ?", (len(rows), edit.id))
    return Counter(TaskStatus(row["status"]) for row in rows)


async def _require_standing(transaction: Transaction, edit: _Edit) -> None:
    """Raise VqaError where the rest of an edit must not be written any more."""
    await require_run(transaction, edit.run_id)
    if not await transaction.rows("SELECT 1 FROM edit WHERE id = ? AND undone_at IS NULL", (edit.id,)):
        raise VqaError(
            f"this {edit.verb} was taken back while it was being written", hint="What is left of it was not done."
        )


async def _change(transaction: Transaction, changes: TaskChanges, tasks: Sequence[Row]) -> None:
    """Let `changes` hold for tasks that are put back, on top of those that hold for each already."""
    if not changes:
        return
    for before in {task["changes"] for task in tasks}:
        alike = json.dumps([task["id"] for task in tasks if task["changes"] == before])
        await transaction.execute(_CHANGE, (changes.on_top_of(changes_of(before)).as_json(), alike))


async def newest_edit(database: Database, run_id: int) -> StandingEdit | None:
    """Return the newest edit of a run that still stands, whoever made it; None when there is none."""
    row = await database.read_one(
        "SELECT who, verb, tasks, at FROM edit WHERE run_id = ? AND undone_at IS NULL AND tasks > 0 "
        "ORDER BY id DESC LIMIT 1",
        (run_id,),
    )
    return StandingEdit(row["who"], EditVerb(row["verb"]), row["tasks"], row["at"]) if row else None


async def take_back(database: Database, run_id: int, *, who: str) -> tuple[TakenBack, frozenset[TaskStatus]] | None:
    """Undo the newest edit of `who` that still stands, for those tasks that nobody has touched since.

    Return what became of it, and which statuses tasks have again; None when there is no such edit.
    """
    row = await database.read_one(
        "SELECT id, verb FROM edit WHERE run_id = ? AND who = ? AND undone_at IS NULL AND tasks > 0 "
        "ORDER BY id DESC LIMIT 1",
        (run_id, who),
    )
    if row is None:
        return None
    edit_id, verb = row["id"], EditVerb(row["verb"])
    restored, after, statuses = 0, 0, set[str]()
    pace = _pace()
    while True:
        async with database.write() as transaction:
            await require_run(transaction, run_id)
            began = time.monotonic()
            rows = await transaction.rows(_UNTOUCHED, (edit_id, after, verb, pace.size))
            if not rows:
                # Last of all: an undo that is cut short is taken up again by the next one.
                await transaction.execute("UPDATE edit SET undone_at = ? WHERE id = ?", (time.time(), edit_id))
                (edit,) = await transaction.rows("SELECT tasks FROM edit WHERE id = ?", (edit_id,))
                break
            await _restore(transaction, run_id, edit_id, rows)
        restored, after = restored + len(rows), rows[-1]["id"]
        statuses.update(task["status"] for task in rows)
        await pace.rest(time.monotonic() - began)
    return TakenBack(verb, edit["tasks"], restored), frozenset(TaskStatus(each) for each in statuses)


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
