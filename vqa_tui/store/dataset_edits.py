"""Renaming and deleting datasets, and which runs keep one from being deleted."""

import time
from collections.abc import AsyncIterator

from vqa_tui.domain.failure import VqaError
from vqa_tui.store.db import Database
from vqa_tui.store.pace import Pace

_LEAST_ROWS, _MOST_ROWS = 500, 20_000
"""Records that one transaction deletes."""
_NOTE = "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (NULL, ?, ?, ?, ?, ?)"


async def runs_by_dataset(db: Database) -> dict[int, tuple[str, ...]]:
    """Return the names of the runs of each dataset that has any, the oldest run first; deleted ones are none."""
    found: dict[int, tuple[str, ...]] = {}
    for row in await db.read(
        "SELECT dataset_id, name FROM run WHERE id NOT IN (SELECT id FROM deleted_run) ORDER BY id"
    ):
        found[row["dataset_id"]] = (*found.get(row["dataset_id"], ()), row["name"])
    return found


async def rename_dataset(db: Database, dataset_id: int, name: str, *, who: str) -> bool:
    """Give a dataset another name and note who did it; return False when another one has that name."""
    async with db.write() as transaction:
        taken = await transaction.rows("SELECT 1 FROM dataset WHERE name = ? AND id <> ?", (name, dataset_id))
        if taken:
            return False
        old = await transaction.rows("SELECT name FROM dataset WHERE id = ?", (dataset_id,))
        await transaction.execute("UPDATE dataset SET name = ? WHERE id = ?", (name, dataset_id))
        for row in old:
            await transaction.execute(_NOTE, (time.time(), who, "rename dataset", row["name"], name))
    return True


async def mark_deleted(db: Database, dataset_id: int, *, who: str) -> bool:
    """Make a dataset gone for everybody: its name is free and nothing lists it; return False when a run uses it.

    A run that was deleted uses it until it is emptied. Raises VqaError when the dataset is gone already.
    """
    now = time.time()
    async with db.write() as transaction:
        if await transaction.rows("SELECT 1 FROM run WHERE dataset_id = ? LIMIT 1", (dataset_id,)):
            return False
        old = await transaction.rows("SELECT name FROM dataset WHERE id = ? AND deleted_at IS NULL", (dataset_id,))
        if not old:
            raise VqaError("this dataset was deleted already")
        # No dataset that a person names can have a colon in its name.
        await transaction.execute(
            "UPDATE dataset SET name = ':deleted:' || id, deleted_at = ? WHERE id = ?", (now, dataset_id)
        )
        await transaction.execute(_NOTE, (now, who, "delete dataset", old[0]["name"], ""))
    return True


async def empty_dataset(db: Database, dataset_id: int) -> AsyncIterator[int]:
    """Delete a marked dataset with the records of its pictures and problems; yield the records of each transaction.

    Between two of them others get the file. Breaking off leaves a dataset that can be emptied later.
    """
    pace = Pace(least=_LEAST_ROWS, most=_MOST_ROWS, first=_LEAST_ROWS)
    for table in ("import_problem", "item"):
        deleted = pace.size
        while deleted:
            # References are not checked: for every picture SQLite would look through the tasks of all runs. No run uses
            # the dataset, and none can begin to.
            async with db.write(check_references=False) as transaction:
                began = time.monotonic()
                deleted = await transaction.execute(
                    f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE dataset_id = ?1 LIMIT ?2) "
                    "AND EXISTS (SELECT 1 FROM dataset WHERE id = ?1 AND deleted_at IS NOT NULL)",
                    (dataset_id, pace.size),
                )
            if table == "item" and deleted:
                yield deleted
            await pace.rest(time.monotonic() - began)
    async with db.write() as transaction:
        await transaction.execute("DELETE FROM dataset WHERE id = ? AND deleted_at IS NOT NULL", (dataset_id,))


async def unfinished_deletions(db: Database) -> list[int]:
    """Return the datasets that are marked as deleted and not emptied yet."""
    return [row["id"] for row in await db.read("SELECT id FROM dataset WHERE deleted_at IS NOT NULL ORDER BY id")]
