"""Making a run: begun out of sight, its tasks stored in short transactions, and seen by others once it is whole.

What is killed half-way leaves an `unfinished_run`. Whoever makes one holds the lock of the run, so a free lock says
that nobody goes on with it: `abandon_unfinished` then hands it to the deletion of runs.
"""

import json
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import BY_PAIR
from vqa_tui.domain.run import Limits
from vqa_tui.store.db import Database, Transaction
from vqa_tui.store.drawing import DRAWN, SPREAD
from vqa_tui.store.pace import pace_of_tasks
from vqa_tui.store.parts import Asked, asked_of
from vqa_tui.store.run_deletion import mark_deleted_within

Hold = Callable[[int], Awaitable[None]]
"""Called with the id of a run before anybody else can see that it was begun: takes its lock."""

_CHOSEN = f"""
SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM item WHERE dataset_id = :dataset {{only}})
WHERE {SPREAD} ORDER BY id
"""
_DRAWN = f"SELECT id FROM (SELECT id FROM item WHERE dataset_id = :dataset {{only}} {DRAWN}) ORDER BY id"
_PIECE = "WITH chosen (place, id) AS (SELECT :start + key, value FROM json_each(:items))"
# The k-th of `chosen` is in the pilot when k * pilot / chosen passes a whole number: exactly `pilot` of them.
_STORE = """
INSERT INTO task (id, run_id, item_id, pilot, part, parts) {piece}
SELECT :first + row_number() OVER (ORDER BY chosen.place {order}) - 1, :run, chosen.id,
  ((chosen.place + 1) * :pilot) / :chosen > (chosen.place * :pilot) / :chosen, {columns}
FROM chosen {join} ORDER BY chosen.place {order}
"""
# The id of a deleted run is never given again: screens and commands of others may still name it.
_NEXT_RUN_ID = (
    "(SELECT max(coalesce((SELECT max(id) FROM run), 0), coalesce((SELECT max(id) FROM deleted_run), 0)) + 1)"
)
_NEXT_TASK_ID = (
    "(SELECT max(coalesce((SELECT max(id) FROM task), 0), "
    "coalesce((SELECT max(first_task + tasks - 1) FROM unfinished_run), 0)) + 1)"
)


@dataclass(frozen=True, slots=True)
class NewRun:
    """What `create_run` stores; recipe and endpoint are canonical JSON."""

    name: str
    dataset_id: int
    recipe_name: str
    endpoint_name: str
    model: str
    recipe: str
    endpoint: str
    config_sha256: str
    pilot_size: int
    limit: int | None
    limits: Limits
    approved: bool
    parts: int = 1
    """Requests for each picture, or BY_PAIR."""
    seed: int | None = None
    """By which `limit` pictures are drawn; None spreads them evenly."""


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run without its tasks, and the first of the ids that they get."""

    id: int
    first_task: int


async def nobody(_run_id: int) -> None:
    """The `Hold` of whoever makes a run in a file that no other program opens."""


async def create_run(database: Database, new: NewRun, *, hold: Hold = nobody) -> int:
    """Store a run with the pending tasks of each picture of its dataset, piece by piece; return its id.

    With `limit`, and for the pilot, pictures are taken evenly spread over the dataset, so that a dataset sorted by
    class still gives a fair sample; with a seed the limit draws them instead. All tasks of a picture go together. By
    pairs, pictures without one are not counted. Raises VqaError when the dataset was deleted, the name is taken, or
    pictures have got more pairs meanwhile.
    """
    asked = asked_of(new.parts)
    items = await _chosen_items(database, new, asked)
    most = len(items) * new.parts if new.parts != BY_PAIR else await _requests(database, new.dataset_id, asked)
    begun = await begin_run(database, new, tasks=most, hold=hold)
    chosen, pilot = len(items), min(new.pilot_size, len(items))
    pace, start, stored = pace_of_tasks(), 0, 0
    while start < chosen:
        piece = items[start : start + pace.size]
        values = {
            "first": begun.first_task + stored,
            "run": begun.id,
            "items": json.dumps(piece.tolist()),
            "start": start,
            "pilot": pilot,
            "chosen": chosen,
        }
        async with database.write() as transaction:
            began = time.monotonic()
            await require_unfinished(transaction, begun.id)
            if new.parts == BY_PAIR:
                await _require_room(transaction, asked, values, left=most - stored)
            stored += await transaction.execute(
                _STORE.format(piece=_PIECE, join=asked.join, columns=asked.columns, order=asked.order), values
            )
        start += len(piece)
        if start < chosen:
            await pace.rest(time.monotonic() - began)
    await finish_run(database, begun.id)
    return begun.id


async def _chosen_items(database: Database, new: NewRun, asked: Asked) -> "array[int]":
    """Return the ids of the pictures that a run asks about, read before anything is locked."""
    (counted,) = await database.read(
        f"SELECT count(*) AS n FROM item WHERE dataset_id = ? {asked.only}", (new.dataset_id,)
    )
    total = counted["n"]
    chosen = total if new.limit is None else min(new.limit, total)
    values = {"dataset": new.dataset_id, "chosen": chosen, "total": max(total, 1), "seed": new.seed}
    choice = _CHOSEN if new.seed is None else _DRAWN
    return await database.read_integers(choice.format(only=asked.only), values)


async def _requests(database: Database, dataset_id: int, asked: Asked) -> int:
    """Return how many requests all pictures of a dataset are."""
    (counted,) = await database.read(
        f"SELECT coalesce(sum({asked.count}), 0) AS n FROM item WHERE dataset_id = ? {asked.only}", (dataset_id,)
    )
    return int(counted["n"])


async def _require_room(transaction: Transaction, asked: Asked, values: dict[str, object], *, left: int) -> None:
    """Raise VqaError when a piece has more pairs than there are ids left: it was imported again meanwhile."""
    (counted,) = await transaction.rows(
        f"{_PIECE} SELECT coalesce(sum({asked.count}), 0) AS n FROM chosen JOIN item ON item.id = chosen.id", values
    )
    if counted["n"] > left:
        raise VqaError("the dataset got more pairs while this run was being made", hint="Make the run again.")


async def begin_run(database: Database, new: NewRun, *, tasks: int, hold: Hold, follows: int | None = None) -> BegunRun:
    """Store a run that nobody sees, and keep ids for at most so many tasks.

    `hold` is called within the transaction, so that no run is ever unfinished with nobody at it. Raises VqaError when
    the dataset was deleted or the name is taken.
    """
    now = time.time()
    async with database.write() as transaction:
        if not await transaction.rows("SELECT 1 FROM dataset WHERE id = ? AND deleted_at IS NULL", (new.dataset_id,)):
            raise VqaError(
                "the dataset of this run was deleted", hint="`vqa-tui dataset list` shows those that there are."
            )
        if await transaction.rows("SELECT 1 FROM run WHERE name = ?", (new.name,)):
            raise VqaError(f"there is already a run named {new.name}", hint="Choose another name, or resume that one.")
        run_id = await transaction.insert(
            "INSERT INTO run (id, name, dataset_id, recipe_name, endpoint_name, model, recipe, endpoint, "
            "config_sha256, pilot_size, created_at, limits, approved_at, follows, of_chosen, parts, seed) "
            f"VALUES ({_NEXT_RUN_ID}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.name,
                new.dataset_id,
                new.recipe_name,
                new.endpoint_name,
                new.model,
                new.recipe,
                new.endpoint,
                new.config_sha256,
                new.pilot_size,
                now,
                new.limits.model_dump_json(),
                now if new.approved else None,
                follows,
                int(follows is not None),
                new.parts,
                new.seed,
            ),
        )
        await transaction.execute("INSERT INTO run_state (run_id) VALUES (?)", (run_id,))
        await transaction.execute(
            f"INSERT INTO unfinished_run (run_id, began_at, first_task, tasks) VALUES (?, ?, {_NEXT_TASK_ID}, ?)",
            (run_id, now, tasks),
        )
        (kept,) = await transaction.rows("SELECT first_task FROM unfinished_run WHERE run_id = ?", (run_id,))
        await hold(run_id)
    return BegunRun(run_id, kept["first_task"])


async def require_unfinished(transaction: Transaction, run_id: int) -> None:
    """Raise VqaError when a run that is being made was taken away: its maker slept while its lock was free."""
    if not await transaction.rows("SELECT 1 FROM unfinished_run WHERE run_id = ?", (run_id,)):
        raise VqaError("this run was deleted while it was being made", hint="Make it again.")


async def finish_run(database: Database, run_id: int) -> None:
    """Let everybody see a run that is whole."""
    async with database.write() as transaction:
        await require_unfinished(transaction, run_id)
        await transaction.execute("DELETE FROM unfinished_run WHERE run_id = ?", (run_id,))


async def drop_begun(database: Database, run_id: int) -> None:
    """Take away a begun run that got no task."""
    async with database.write() as transaction:
        await transaction.execute("DELETE FROM run WHERE id = ?", (run_id,))


async def unfinished_runs(database: Database) -> Sequence[int]:
    """Return the runs that are being made, or whose maker was killed."""
    return [row["run_id"] for row in await database.read("SELECT run_id FROM unfinished_run ORDER BY run_id")]


async def abandon_unfinished(database: Database, run_id: int, *, who: str) -> bool:
    """Mark a run that nobody goes on making as deleted, which frees its name; return False when it is whole by now.

    Whoever calls this holds the lock of the run.
    """
    async with database.write() as transaction:
        if not await transaction.execute("DELETE FROM unfinished_run WHERE run_id = ?", (run_id,)):
            return False
        await mark_deleted_within(
            transaction, run_id, who=who, words="it was broken off while it was being made", flights=()
        )
    return True
