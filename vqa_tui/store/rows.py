"""From database rows to domain values."""

import json

from vqa_tui.domain.item import GroundTruth, Item, PictureFacts
from vqa_tui.domain.part import ONLY, Part
from vqa_tui.domain.sample import Sample
from vqa_tui.store.db import Row

ITEM_COLUMNS = (
    "i.id AS item_id, i.dataset_id, i.key, i.path, i.format, i.width, i.height, i.size_bytes, i.sha256, "
    "i.orientation, i.modified_ns, i.split, i.truth"
)

PART_COLUMNS = (
    "t.part, t.parts, CASE WHEN t.parts > 1 THEN "
    "(SELECT json_extract(recipe, '$.prompts[' || t.part || '].name') FROM run WHERE id = t.run_id) END AS prompt_name"
)
"""Of a task `t`."""

SAMPLE_COLUMNS = (
    "s.id, s.ordinal, s.question, s.answer, s.question_type, s.flags, s.verdict, s.edited_question, s.edited_answer, "
    "s.review_note, s.reviewer, s.reviewed_at, s.picked"
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


def part_from_row(row: Row) -> Part:
    """Return which request about its picture the task of a row is that holds PART_COLUMNS."""
    return ONLY if row["parts"] == 1 else Part(row["part"], row["parts"], row["prompt_name"] or "")


def sample_from_row(row: Row) -> Sample:
    """Return the pair of a row that holds SAMPLE_COLUMNS."""
    return Sample(
        row["id"],
        row["ordinal"],
        row["question"],
        row["answer"],
        row["question_type"],
        tuple(json.loads(row["flags"])),
        row["verdict"],
        row["edited_question"],
        row["edited_answer"],
        row["review_note"],
        row["reviewer"],
        row["reviewed_at"],
        row["picked"],
    )
