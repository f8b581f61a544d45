"""Renaming and deleting datasets, and which runs keep one from being deleted."""

import time

from vqa_tui.store.db import Database

_NOTE = "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (NULL, ?, ?, ?, ?, ?)"


async def runs_by_dataset(db: Database) -> dict[int, tuple[str, ...]]:
    """Return the names of the runs of each dataset that has any, the oldest run first."""
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


async def delete_dataset(db: Database, dataset_id: int, *, who: str) -> bool:
    """Delete a dataset with the records of its pictures and problems; return False when a run uses it.

    One transaction: it is deleted as a whole or not at all.
    """
    async with db.write() as transaction:
        if await transaction.rows("SELECT 1 FROM run WHERE dataset_id = ? LIMIT 1", (dataset_id,)):
            return False
        old = await transaction.rows("SELECT name FROM dataset WHERE id = ?", (dataset_id,))
        # Each deleted item is looked up among the tasks of all runs, which no index of the schema answers: without this
        # one, a large dataset beside a large run would take hours.
        await transaction.execute("CREATE INDEX task_by_item ON task (item_id)")
        await transaction.execute("DELETE FROM item WHERE dataset_id = ?", (dataset_id,))
        await transaction.execute("DROP INDEX task_by_item")
        await transaction.execute("DELETE FROM dataset WHERE id = ?", (dataset_id,))
        for row in old:
            await transaction.execute(_NOTE, (time.time(), who, "delete dataset", row["name"], ""))
    return True
