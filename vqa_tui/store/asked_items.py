"""Which items of a dataset runs have tasks about."""

import json
from collections.abc import Sequence

from vqa_tui.store.db import Transaction


async def asked_keys(transaction: Transaction, dataset_id: int, keys: Sequence[str]) -> frozenset[str]:
    """Return those of `keys` about whose items a run has asked or is to ask; runs that were deleted do not count."""
    rows = await transaction.rows(
        "SELECT key FROM item WHERE dataset_id = :dataset AND key IN (SELECT value FROM json_each(:keys)) "
        "AND EXISTS (SELECT 1 FROM task WHERE task.item_id = item.id AND task.run_id IN "
        "(SELECT id FROM run WHERE dataset_id = :dataset AND id NOT IN (SELECT id FROM deleted_run)))",
        {"dataset": dataset_id, "keys": json.dumps(keys)},
    )
    return frozenset(row["key"] for row in rows)
