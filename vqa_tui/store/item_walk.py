"""One picture of a dataset, and the ones beside it in the order of keys."""

from vqa_tui.domain.item import Item
from vqa_tui.store.db import Database
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row


async def item_named(database: Database, dataset_id: int, key: str) -> Item | None:
    return await _first(database, dataset_id, "AND key = ?", key)


async def item_after(database: Database, dataset_id: int, key: str) -> Item | None:
    """Return the picture after `key`, which need not exist; after the last one comes the first."""
    found = await _first(database, dataset_id, "AND key > ? ORDER BY key", key)
    return found or await _first(database, dataset_id, "AND key >= ? ORDER BY key", "")


async def item_before(database: Database, dataset_id: int, key: str) -> Item | None:
    """Return the picture before `key`, which need not exist; before the first one comes the last."""
    found = await _first(database, dataset_id, "AND key < ? ORDER BY key DESC", key)
    return found or await _first(database, dataset_id, "AND key >= ? ORDER BY key DESC", "")


async def _first(database: Database, dataset_id: int, which: str, key: str) -> Item | None:
    row = await database.read_one(
        f"SELECT {ITEM_COLUMNS} FROM item i WHERE dataset_id = ? {which} LIMIT 1", (dataset_id, key)
    )
    return item_from_row(row) if row else None
