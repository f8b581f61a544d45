"""Edits of a whole run by a person: its name, and whether it is in sight."""

import time

from vqa_tui.domain.failure import VqaError
from vqa_tui.store.db import Database

_NOTE = "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (?, ?, ?, ?, ?, ?)"


async def rename_run(database: Database, run_id: int, name: str, *, who: str) -> str:
    """Give a run another name and return the old one. Raises VqaError when the name is taken or the run is gone."""
    async with database.write() as transaction:
        rows = await transaction.rows(
            "SELECT id, name FROM run WHERE (id = ?1 OR name = ?2) AND id NOT IN (SELECT id FROM deleted_run)",
            (run_id, name),
        )
        old = next((row["name"] for row in rows if row["id"] == run_id), None)
        if old is None:
            raise VqaError(f"there is no run {run_id}")
        if any(row["id"] != run_id for row in rows):
            raise VqaError(f"there is already a run named {name}", hint="Choose another name.")
        if old != name:
            await transaction.execute("UPDATE run SET name = ? WHERE id = ?", (name, run_id))
            await transaction.execute(_NOTE, (run_id, time.time(), who, "rename", old, name))
    return str(old)


async def set_archived(database: Database, run_id: int, archived: bool, *, who: str) -> bool:
    """Put a run out of sight, or back; return whether it was otherwise before."""
    now = time.time()
    async with database.write() as transaction:
        changed = await transaction.execute(
            "UPDATE run SET archived_at = ? WHERE id = ? AND (archived_at IS NULL) = ?",
            (now if archived else None, run_id, int(archived)),
        )
        if changed:
            verb = "archive" if archived else "take out of the archive"
            await transaction.execute(_NOTE, (run_id, now, who, verb, "", ""))
    return changed == 1
