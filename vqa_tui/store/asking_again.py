"""Tasks that are asked again: put back with what was changed, and what becomes of the pairs that they have."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from vqa_tui.domain.item import Item
from vqa_tui.domain.part import Part, with_part
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import CUT
from vqa_tui.store.datasets import CLIP_SECONDS, PictureSizes, SizeGroup, further_sizes
from vqa_tui.store.db import Database, Transaction
from vqa_tui.store.rows import ITEM_COLUMNS, PART_COLUMNS, item_from_row, part_from_row

_EVERY_SIZE = 20_000
"""Pictures up to which each size is counted by itself; of more, sides that are alike are put together."""
_ALIKE, _ALIKE_TENTHS = 64, 100
"""Pixels within which sides are put together, and tenths of a second within which lengths of clips are."""
_NAMED = 3
"""Pictures that an event names; of more it says how many there are."""

# The + keeps SQLite from an index over the run, by which it would go through all of its tasks.
_CHOSEN = "+t.run_id = :run AND t.id IN (SELECT value FROM json_each(:ids))"
_OF_STATUS = "t.status IN (SELECT value FROM json_each(:statuses))"


@dataclass(frozen=True, slots=True)
class Standing:
    """How chosen tasks stand."""

    counts: dict[TaskStatus, int] = field(default_factory=dict)
    pairs: int = 0
    judged: int = 0
    """Those of the pairs that a person has judged."""
    cut: int = 0
    """Tasks whose newest reply ran into max_tokens."""
    changed: int = 0
    """Tasks for which something was changed already."""


async def standing(database: Database, run_id: int, ids: Sequence[int]) -> Standing:
    """Return how those of `ids` stand that are tasks of the run."""
    chosen = {"run": run_id, "ids": json.dumps(list(ids)), "cut": CUT}
    rows = await database.read(
        "SELECT t.status, count(*) AS n, sum(t.changes <> '{}') AS changed, "
        "sum((SELECT finish_reason FROM attempt WHERE task_id = t.id ORDER BY number DESC LIMIT 1) = :cut) AS cut "
        f"FROM task t WHERE {_CHOSEN} GROUP BY t.status",
        chosen,
    )
    (pairs,) = await database.read(
        "SELECT count(*) AS n, count(s.verdict) AS judged FROM task t JOIN sample s ON s.task_id = t.id "
        f"WHERE {_CHOSEN}",
        chosen,
    )
    return Standing(
        {TaskStatus(row["status"]): row["n"] for row in rows},
        pairs["n"],
        pairs["judged"],
        sum(row["cut"] or 0 for row in rows),
        sum(row["changed"] or 0 for row in rows),
    )


async def most_tokens_held(database: Database, run_id: int, ids: Sequence[int]) -> int | None:
    """Return the most room for a reply that one of `ids` was given before and still has; None where none was."""
    (row,) = await database.read(
        "SELECT max(json_extract(t.changes, '$.max_tokens')) AS most FROM task t "
        f"WHERE {_CHOSEN} AND t.changes <> '{{}}'",
        {"run": run_id, "ids": json.dumps(list(ids))},
    )
    most: int | None = row["most"]
    return most


async def sizes_of(database: Database, run_id: int, ids: Sequence[int], statuses: Sequence[TaskStatus]) -> PictureSizes:
    """Return the sizes of the pictures, and the lengths of the clips, of those of `ids` that have one of `statuses`."""
    step, tenths = (1, 1) if len(ids) <= _EVERY_SIZE else (_ALIKE, _ALIKE_TENTHS)
    values = {
        "run": run_id,
        "ids": json.dumps(list(ids)),
        "statuses": json.dumps(list(statuses)),
        "step": step,
        "tenths": tenths,
    }
    picked = f"FROM task t JOIN item i ON i.id = t.item_id WHERE {_CHOSEN} AND {_OF_STATUS}"
    rows = await database.read(
        "SELECT round(avg(width)) AS width, round(avg(height)) AS height, count(*) AS n, sum(size_bytes) AS size, "
        f"max(i.pictures) AS most, {CLIP_SECONDS} AS seconds {picked} GROUP BY width / :step, height / :step, seconds",
        values,
    )
    groups = tuple(
        SizeGroup(int(row["width"]), int(row["height"]), row["n"], row["size"], float(row["seconds"])) for row in rows
    )
    if all(row["most"] == 1 for row in rows):
        return PictureSizes(groups, step)
    of_further = await further_sizes(database, f"SELECT i.id, i.pictures, 1 AS requests {picked}", values)
    return PictureSizes((*groups, *of_further.groups), step, of_further.most_in_one)


async def spread_items_of(
    database: Database, run_id: int, ids: Sequence[int], statuses: Sequence[TaskStatus], count: int
) -> list[tuple[Item, Part]]:
    """Return the items of up to `count` of those of `ids` that have one of `statuses`, evenly spread; each with the
    request about it that the task is."""
    rows = await database.read(
        f"WITH chosen AS (SELECT t.id, row_number() OVER (ORDER BY t.id) AS place, count(*) OVER () AS total "
        f"FROM task t WHERE {_CHOSEN} AND {_OF_STATUS}) "
        f"SELECT {ITEM_COLUMNS}, {PART_COLUMNS} FROM chosen JOIN task t ON t.id = chosen.id "
        "JOIN item i ON i.id = t.item_id "
        "WHERE (place * :count) / total > ((place - 1) * :count) / total ORDER BY place",
        {"run": run_id, "ids": json.dumps(list(ids)), "statuses": json.dumps(list(statuses)), "count": count},
    )
    return [(item_from_row(row), part_from_row(row)) for row in rows]


async def put_aside_pairs(transaction: Transaction, ids: Sequence[int]) -> None:
    """Make room for new pairs of tasks that have some; the old ones keep their ids, so that no new pair takes one.

    An export that is under way knows by the id which pairs came after it had begun.
    """
    if ids:
        await transaction.execute(
            "UPDATE sample SET ordinal = -1 - ordinal WHERE task_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )


async def drop_pairs_put_aside(transaction: Transaction, ids: Sequence[int]) -> None:
    """Delete what `put_aside_pairs` put aside, once the new pairs are there."""
    await transaction.execute(
        "DELETE FROM sample WHERE ordinal < 0 AND task_id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )


async def keep_done(transaction: Transaction, run_id: int, ids: Sequence[int], *, now: float) -> None:
    """Make tasks done again that failed when they were asked again: their pairs of before hold.

    The kind of the failure stays with them, and an event tells of it.
    """
    if not ids:
        return
    rows = await transaction.rows(
        f"SELECT i.key, {PART_COLUMNS}, t.last_kind, t.last_problem FROM task t JOIN item i ON i.id = t.item_id "
        "WHERE t.id IN (SELECT value FROM json_each(?)) ORDER BY t.id",
        (json.dumps(list(ids)),),
    )
    await transaction.execute(
        "UPDATE task SET status = 'done', changes = '{}', "
        "last_problem = 'asked again in vain, the pairs of before are kept: ' || coalesce(last_problem, '') "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    named = "; ".join(
        f"{with_part(row['key'], part_from_row(row))}: {row['last_kind']}, {row['last_problem']}"
        for row in rows[:_NAMED]
    )
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    await transaction.execute(
        "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, 'warning', ?)",
        (run_id, now, f"asked again in vain, the pairs of before are kept: {named}{more}"),
    )
