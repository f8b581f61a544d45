"""Pages of what a dataset holds: which rows there are, and the rows that are about to be seen."""

import json
from array import array
from collections.abc import Sequence

from vqa_tui.domain.item import ImportProblem, Item
from vqa_tui.store.db import Database
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row


async def item_ids(db: Database, dataset_id: int, *, search: str = "") -> "array[int]":
    """Return the ids of the items whose key holds `search`, in the order of keys; 8 bytes each."""
    # The index over dataset and key holds all that is asked for, so no item is read.
    return await db.read_integers(
        "SELECT id FROM item WHERE dataset_id = ? AND (? = '' OR instr(key, ?) > 0) ORDER BY key",
        (dataset_id, search, search),
    )


async def items_of(db: Database, dataset_id: int, ids: Sequence[int]) -> dict[int, Item]:
    """Return those of `ids` that are items of the dataset, by id."""
    rows = await db.read(
        f"SELECT {ITEM_COLUMNS} FROM item i WHERE dataset_id = ? AND id IN (SELECT value FROM json_each(?))",
        (dataset_id, json.dumps(list(ids))),
    )
    return {row["item_id"]: item_from_row(row) for row in rows}


async def problem_ids(db: Database, dataset_id: int) -> "array[int]":
    """Return which problems of the import there are, in the order of their keys; 8 bytes each."""
    return await db.read_integers("SELECT rowid FROM import_problem WHERE dataset_id = ? ORDER BY key", (dataset_id,))


async def problems_of(db: Database, dataset_id: int, ids: Sequence[int]) -> dict[int, ImportProblem]:
    """Return those of `ids`, as `problem_ids` gave them, that are problems of the dataset."""
    rows = await db.read(
        "SELECT rowid AS id, key, place, reason FROM import_problem "
        "WHERE dataset_id = ? AND rowid IN (SELECT value FROM json_each(?))",
        (dataset_id, json.dumps(list(ids))),
    )
    return {row["id"]: ImportProblem(row["key"], row["place"], row["reason"]) for row in rows}
