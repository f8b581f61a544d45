"""Runs that ask another endpoint about chosen pictures of a run, and how they hang together."""

import json
from collections.abc import Sequence

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.run import TaskStatus
from vqa_tui.store.db import Database
from vqa_tui.store.runs import NewRun, insert_run


async def create_follow_up(
    database: Database,
    new: NewRun,
    *,
    follows: int,
    ids: Sequence[int],
    statuses: Sequence[TaskStatus],
    changes: TaskChanges,
) -> tuple[int, int]:
    """Store a run with one pending task for each of the followed run's tasks `ids` that has one of `statuses`.

    Return its id and the number of its tasks; without a task nothing is stored, and the id is 0.
    """
    async with database.write() as transaction:
        run_id = await insert_run(transaction, new)
        await transaction.execute("UPDATE run SET follows = ?, of_chosen = 1 WHERE id = ?", (follows, run_id))
        count = await transaction.execute(
            "INSERT INTO task (run_id, item_id, changes) SELECT :new, item_id, :changes FROM task "
            # The + keeps SQLite from an index over the run, by which it would go through all of its tasks.
            "WHERE +run_id = :follows AND id IN (SELECT value FROM json_each(:ids)) "
            "AND status IN (SELECT value FROM json_each(:statuses)) ORDER BY id",
            {
                "new": run_id,
                "changes": changes.as_json(),
                "follows": follows,
                "ids": json.dumps(list(ids)),
                "statuses": json.dumps(list(statuses)),
            },
        )
        if not count:
            await transaction.execute("DELETE FROM run WHERE id = ?", (run_id,))
            return 0, 0
    return run_id, count
