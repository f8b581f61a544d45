"""From database rows to domain values."""

from vqa_tui.domain.item import GroundTruth, Item, PictureFacts
from vqa_tui.store.db import Row

ITEM_COLUMNS = (
    "i.id AS item_id, i.dataset_id, i.key, i.path, i.format, i.width, i.height, i.size_bytes, i.sha256, "
    "i.orientation, i.modified_ns, i.split, i.truth"
)


def item_from_row(row: Row) -> Item:
    """Return the item of a row that holds ITEM_COLUMNS."""
    facts = PictureFacts(
        row["format"],
        row["width"],
        row["height"],
        row["size_bytes"],
        row["sha256"],
        row["orientation"],
        row["modified_ns"],
    )
    truth = GroundTruth.model_validate_json(row["truth"])
    return Item(row["item_id"], row["dataset_id"], row["key"], row["path"], facts, row["split"], truth)
