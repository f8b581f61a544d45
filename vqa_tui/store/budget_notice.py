"""Telling once for each cap that the budget of a run is nearly used up, however often its engine is started."""

import time

from vqa_tui.store.db import Database


async def tell_of_cap(database: Database, run_id: int, cap_nano: int, message: str) -> bool:
    """Record `message` as an event unless one was recorded for this cap; return whether it was.

    Event and mark are one transaction, so that a crash in between neither loses nor repeats it.
    """
    async with database.write() as transaction:
        changed = await transaction.execute(
            "UPDATE run_state SET budget_told_nano = ?1 WHERE run_id = ?2 AND budget_told_nano IS NOT ?1",
            (cap_nano, run_id),
        )
        if changed:
            await transaction.execute(
                "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, 'warning', ?)",
                (run_id, time.time(), message),
            )
    return changed == 1
