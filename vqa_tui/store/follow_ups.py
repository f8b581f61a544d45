"""Runs that ask another endpoint about chosen pictures of a run, and how they hang together."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.store.db import Database
from vqa_tui.store.pace import pace_of_tasks
from vqa_tui.store.run_creation import (
    Hold,
    NewRun,
    begin_run,
    drop_begun,
    finish_run,
    nobody,
    require_unfinished,
)

# Runs that follow `:follows`, and those that follow these, which count for its exports too. With an endpoint and a
# model only those that ask there.
_LATER = """
  WITH RECURSIVE later (id) AS (
    SELECT id FROM run WHERE follows = :follows
    UNION SELECT run.id FROM run JOIN later ON run.follows = later.id)
"""
_THERE = f"""
  {_LATER}, there (id, name) AS (
    SELECT run.id, run.name FROM run JOIN later ON later.id = run.id
    WHERE run.id NOT IN (SELECT id FROM hidden_run) AND run.id <> :follows
      AND (:endpoint IS NULL OR run.endpoint_name = :endpoint AND run.model = :model))
"""
# Those that ask there, were begun before `:new` and are not whole.
_BEGUN_BEFORE = f"""
  {_LATER} SELECT 1 FROM later JOIN run ON run.id = later.id JOIN unfinished_run ON unfinished_run.run_id = run.id
  WHERE run.id < :new AND run.endpoint_name = :endpoint AND run.model = :model
"""
_PAID_THERE = "o.item_id = t.item_id AND o.part = t.part AND o.status IN ('pending', 'leased', 'done')"
# The + keeps SQLite from an index over the run, by which it would go through all of its tasks.
_CHOSEN = (
    "+t.run_id = :follows AND t.id IN (SELECT value FROM json_each(:ids)) "
    "AND t.status IN (SELECT value FROM json_each(:statuses))"
)


@dataclass(frozen=True, slots=True)
class AskedElsewhere:
    """Tasks whose pictures a follow-up has asked, or is asking; one that failed or was skipped there does not count."""

    ids: Sequence[int] = ()
    runs: Sequence[str] = ()
    """Names of those follow-ups, the oldest first."""


async def asked_elsewhere(
    database: Database,
    run_id: int,
    ids: Sequence[int],
    statuses: Sequence[TaskStatus],
    *,
    endpoint: str | None = None,
    model: str | None = None,
) -> AskedElsewhere:
    """Return which of the run's tasks `ids` of one of `statuses` its follow-ups have asked, or are asking.

    With the name of an endpoint and a model only follow-ups count that ask there.
    """
    values = {
        "follows": run_id,
        "endpoint": endpoint,
        "model": model,
        "ids": json.dumps(list(ids)),
        "statuses": json.dumps(list(statuses)),
    }
    if not await database.read(f"{_THERE} SELECT 1 FROM there LIMIT 1", values):
        return AskedElsewhere()
    found = await database.read_integers(
        f"{_THERE} SELECT t.id FROM task t WHERE {_CHOSEN} AND EXISTS "
        f"(SELECT 1 FROM task o WHERE {_PAID_THERE} AND o.run_id IN (SELECT id FROM there)) ORDER BY t.id",
        values,
    )
    if not found:
        return AskedElsewhere()
    names = await database.read(
        f"{_THERE} SELECT name FROM there WHERE EXISTS (SELECT 1 FROM task t JOIN task o ON {_PAID_THERE} "
        f"AND o.run_id = there.id WHERE {_CHOSEN}) ORDER BY id",
        values,
    )
    return AskedElsewhere(found, [row["name"] for row in names])


async def create_follow_up(
    database: Database,
    new: NewRun,
    *,
    follows: int,
    ids: Sequence[int],
    statuses: Sequence[TaskStatus],
    changes: TaskChanges,
    anyway: bool = False,
    hold: Hold = nobody,
) -> tuple[int, int]:
    """Store a run with one pending task for each of the followed run's tasks `ids` that has one of `statuses`.

    A picture that another follow-up has asked or is asking of the same model at the same endpoint is left out, unless
    it is to be asked `anyway`. Return the run's id and the number of its tasks; without a task nothing is stored, and
    the id is 0. Raises VqaError while somebody else makes a follow-up of that run there: what it takes is known only
    when it is whole, and its maker may be killed before.
    """
    chosen = sorted(set(ids))
    begun = await begin_run(database, new, tasks=len(chosen), hold=hold, follows=follows)
    there = {"follows": follows, "endpoint": new.endpoint_name, "model": new.model}
    if not anyway and await database.read(_BEGUN_BEFORE, {**there, "new": begun.id}):
        await drop_begun(database, begun.id)
        raise VqaError(
            f"somebody else makes a run just now that asks pictures of the same run at {new.endpoint_name}",
            hint="Nothing was asked. Do it again in a moment: pictures that the other one took are left out then.",
        )
    pace, start, count = pace_of_tasks(), 0, 0
    while start < len(chosen):
        piece = chosen[start : start + pace.size]
        async with database.write() as transaction:
            began = time.monotonic()
            await require_unfinished(transaction, begun.id)
            count += await transaction.execute(
                f"INSERT INTO task (id, run_id, item_id, part, parts, changes) {_THERE} "
                "SELECT :first + row_number() OVER (ORDER BY t.id) - 1, :new, t.item_id, t.part, t.parts, :changes "
                f"FROM task t WHERE {_CHOSEN} AND (:anyway OR NOT EXISTS "
                f"(SELECT 1 FROM task o WHERE {_PAID_THERE} AND o.run_id IN (SELECT id FROM there))) ORDER BY t.id",
                {
                    "first": begun.first_task + count,
                    "new": begun.id,
                    "changes": changes.as_json(),
                    **there,
                    "ids": json.dumps(piece),
                    "statuses": json.dumps(list(statuses)),
                    "anyway": anyway,
                },
            )
        start += len(piece)
        if start < len(chosen):
            await pace.rest(time.monotonic() - began)
    if not count:
        await drop_begun(database, begun.id)
        return 0, 0
    await finish_run(database, begun.id)
    return begun.id, count
