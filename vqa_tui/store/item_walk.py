"""One picture of a dataset, and the ones beside it in the order of keys."""

from vqa_tui.domain.item import Item
from vqa_tui.store.db import Database
from vqa_tui.store.parts import asked_of
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row


async def item_named(database: Database, dataset_id: int, key: str) -> Item | None:
    return await _first(database, dataset_id, "AND key = ?", key)


async def item_after(database: Database, dataset_id: int, key: str, *, parts: int = 1) -> Item | None:
    """Return the picture after `key`, which need not exist; after the last one comes the first.

    Only those count that a run with so many requests for each, or BY_PAIR, asks about.
    """
    only = asked_of(parts).only
    found = await _first(database, dataset_id, f"AND key > ? {only} ORDER BY key", key)
    return found or await _first(database, dataset_id, f"AND key >= ? {only} ORDER BY key", "")


async def item_before(database: Database, dataset_id: int, key: str, *, parts: int = 1) -> Item | None:
    """Return the picture before `key`, as `item_after` does; before the first one comes the last."""
    only = asked_of(parts).only
    found = await _first(database, dataset_id, f"AND key < ? {only} ORDER BY key DESC", key)
    return found or await _first(database, dataset_id, f"AND key >= ? {only} ORDER BY key DESC", "")


async def _first(database: Database, dataset_id: int, which: str, key: str) -> Item | None:
    row = await database.read_one(
        f"SELECT {ITEM_COLUMNS} FROM item i WHERE dataset_id = ? {which} LIMIT 1", (dataset_id, key)
    )
    return item_from_row(row) if row else None
