"""One row of a table as what it says of its picture, by the columns that hold its parts."""

from collections.abc import Mapping
from typing import Any

from vqa_tui.domain.item import ReferenceQuestion
from vqa_tui.sources.arrow_files import json_value
from vqa_tui.sources.picture_cells import PictureCells
from vqa_tui.sources.record_truth import BadRecord, as_object, scalar_text, text_of
from vqa_tui.sources.rows import Row


def table_row(pictures: PictureCells, place: str, value: Any, columns: Mapping[str, str], split: str | None) -> Row:
    """Return what one row says of its picture.

    `columns` gives the column of each part of a row, `split` that of the file. Raises BadRecord.
    """
    if not isinstance(value, dict):
        raise BadRecord("is not an object with columns")
    picture = _cell(value, columns["picture"])
    if picture is None or picture in ("", []):
        raise BadRecord(f"has no picture in `{columns['picture']}`")
    record = as_object(json_value({name: cell for name, cell in value.items() if name != columns["picture"]}))
    cells = {part: _cell(record, column) for part, column in columns.items() if part != "picture"}
    asked = _asked(cells)
    used = set(columns.values()) - ({columns["question"]} if "question" in columns and not asked else set())
    own, *further = pictures.keys_of(picture)
    return Row(
        picture=own,
        place=place,
        questions=asked,
        captions=_texts(cells, "caption"),
        categories=_texts(cells, "categories"),
        states_none=cells.get("categories") == [],
        split=text_of(cells, "split").strip() or split,
        extra={name: cell for name, cell in record.items() if name not in used and cell is not None},
        further=tuple(further),
    )


def _cell(record: Mapping[str, Any], column: str) -> Any:
    """Return what stands in a column, which may be a field of an object, as `metadata.question_type`."""
    if column in record:
        return record[column]
    outer, _, inner = column.partition(".")
    within = record.get(outer)
    return within.get(inner) if isinstance(within, dict) else None


def _asked(cells: Mapping[str, Any]) -> tuple[ReferenceQuestion, ...]:
    questions, answers = _texts(cells, "question"), _texts(cells, "answer")
    if not questions or not answers:
        if answers:
            raise BadRecord("has an answer, but no question")
        return ()
    if len(questions) != len(answers):
        raise BadRecord(f"has {len(questions)} questions, but {len(answers)} answers")
    kinds = _texts(cells, "question_type")
    if len(kinds) != len(questions):
        kinds = (kinds[0] if len(kinds) == 1 else "",) * len(questions)
    return tuple(
        ReferenceQuestion(question=question, answer=answer, question_type=kind)
        for question, answer, kind in zip(questions, answers, kinds, strict=True)
    )


def _texts(cells: Mapping[str, Any], part: str) -> tuple[str, ...]:
    value = cells.get(part)
    entries = value if isinstance(value, list) else [value]
    return tuple(text for entry in entries if (text := scalar_text({part: entry}, part)))
