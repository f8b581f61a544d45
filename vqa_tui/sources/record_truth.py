"""Ground truth from one untrusted record: what is believed, what is dropped with a reason."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from vqa_tui.domain.item import Box, GroundTruth, ReferenceQuestion
from vqa_tui.sources.stcray_labels import category_of, says_clean, says_several

_DEEPEST = 32
"""Levels of nesting kept in further fields; serialisers give up on much deeper values."""
_NUMBERS = frozenset({int, float})
_LARGEST_SIDE = 1e7
"""Pixels; no picture is wider, so a box that is, is garbage."""


class BadRecord(Exception):
    """A record that cannot be used as a whole. `reason` says which field is wrong and how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class DroppedBox:
    """A box that was left out of the ground truth."""

    number: int
    """Place in the record's list, from 1."""
    reason: str


def storable(value: Any) -> Any:
    """Return a JSON value that every store can hold: no lone surrogate, no NaN or infinity (they become null).

    Raises BadRecord when it is nested more than 32 levels deep.
    """
    # Serialising at native speed shows that nearly every record is fine as it is; walking it takes many times as long.
    try:
        text = to_json(value, inf_nan_mode="constants")
    except ValueError:
        return _mended(value, 0)
    suspect = text.count(b"[") + text.count(b"{") > _DEEPEST or b"NaN" in text or b"Infinity" in text
    return _mended(value, 0) if suspect else value


def _mended(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST and isinstance(value, dict | list):
        raise BadRecord(f"is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        return {valid_text(str(key)): _mended(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mended(entry, depth + 1) for entry in value]
    return value


def valid_text(text: str) -> str:
    """Return `text` with each lone surrogate, which UTF-8 cannot express, as U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def as_object(value: Any) -> dict[str, Any]:
    """Return a record that is a JSON object, made storable. Raises BadRecord."""
    if not isinstance(value, dict):
        raise BadRecord(f"is {_kind_in_words(value)}, not an object")
    cleaned: dict[str, Any] = storable(value)
    return cleaned


def text_of(record: Mapping[str, Any], field: str) -> str:
    """Return a text field, or '' when it is absent or null. Raises BadRecord when it is something else."""
    value = record.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRecord(f"`{field}` is {_kind_in_words(value)}, not text")
    return value


def scalar_text(record: Mapping[str, Any], field: str) -> str:
    """Return a field that is text or a number as text without white space around it, '' when absent or null.

    Whole numbers have no point: 4, whether it is written 4 or 4.0. Raises BadRecord when it is something else.
    """
    value = record.get(field)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text_of(record, field).strip()


def texts_of(record: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Return a field that is one text or a list of texts, without the empty ones. Raises BadRecord."""
    value = record.get(field)
    if value is None:
        return ()
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise BadRecord(f"`{field}` must be text or a list of texts")
    return tuple(entry.strip() for entry in entries if entry.strip())


def list_of(record: Mapping[str, Any], field: str) -> list[Any]:
    """Return a list field, or [] when it is absent or null. Raises BadRecord when it is something else."""
    value = record.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRecord(f"`{field}` is {_kind_in_words(value)}, not a list")
    return value


def captions_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of `caption` and `captions`, each once, in order. Raises BadRecord."""
    return tuple(dict.fromkeys((*texts_of(record, "caption"), *texts_of(record, "captions"))))


def questions_of(record: Mapping[str, Any]) -> tuple[ReferenceQuestion, ...]:
    """Return `questions`: a list of objects with `question`, `answer` and perhaps `question_type`. Raises BadRecord."""
    found = []
    for number, entry in enumerate(list_of(record, "questions"), start=1):
        if not isinstance(entry, dict):
            raise BadRecord(f"`questions` entry {number} is {_kind_in_words(entry)}, not an object")
        question, answer = text_of(entry, "question").strip(), text_of(entry, "answer").strip()
        if not question or not answer:
            raise BadRecord(f"`questions` entry {number} needs a `question` and an `answer`")
        found.append(ReferenceQuestion(question=question, answer=answer, question_type=text_of(entry, "question_type")))
    return tuple(found)


def make_box(label: str, corner_and_size: Any) -> Box | str:
    """Return a Box from `[x, y, width, height]` in pixels, or the reason why there is none."""
    if type(corner_and_size) is list and len(corner_and_size) == 4 and label:
        # Nearly every box is good, and whatever is not falls through to where it is said what is wrong.
        x, y, width, height = corner_and_size
        if type(x) in _NUMBERS and type(y) in _NUMBERS and type(width) in _NUMBERS and type(height) in _NUMBERS:
            fits = abs(x) <= _LARGEST_SIDE and abs(y) <= _LARGEST_SIDE  # false for NaN and the infinite
            if fits and 0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE:
                return Box(label=label, x=x, y=y, width=width, height=height)
    if not isinstance(corner_and_size, Sequence) or isinstance(corner_and_size, str) or len(corner_and_size) != 4:
        return "is not four numbers [x, y, width, height]"
    numbers = [_finite(value) for value in corner_and_size]
    if any(number is None for number in numbers):
        return "holds something that is not a number"
    x, y, width, height = (number or 0.0 for number in numbers)
    if width <= 0 or height <= 0:
        return f"has no area ({width:g}×{height:g})"
    if max(abs(x), abs(y), width, height) > _LARGEST_SIDE:
        return "is larger than any picture"
    if not label:
        return "has no category"
    return Box(label=label, x=x, y=y, width=width, height=height)


def sort_boxes(candidates: Sequence[Box | str]) -> tuple[tuple[Box, ...], tuple[DroppedBox, ...]]:
    """Return the boxes that `make_box` made, and the others as dropped, numbered from 1."""
    boxes = tuple(entry for entry in candidates if isinstance(entry, Box))
    dropped = tuple(DroppedBox(n, entry) for n, entry in enumerate(candidates, start=1) if isinstance(entry, str))
    return boxes, dropped


def stcray_truth(record: Mapping[str, Any]) -> tuple[GroundTruth, tuple[DroppedBox, ...]]:
    """Return the ground truth of one entry of an STCray `annotations.json`, and the boxes left out of it.

    `categories` and `bboxes` stand side by side, but either may be longer: a category without a box stays; a box
    without a category takes the only category there is, and is dropped when there are several or none.
    The spellings of STCray's labels become its categories; where one differs, all stand as they are in
    `extra["raw_categories"]`. An empty list of categories, or `Non Threat`, states that there is nothing; where
    `categories` is absent, nothing is known.
    Every field that has no place in the ground truth is kept in `extra`. Raises BadRecord.
    """
    raw = texts_of(record, "categories")
    named = [category_of(label) for label in raw if not says_several(label)]
    categories = tuple(label for label in named if not says_clean(label))
    is_clean = bool(raw) and all(map(says_clean, raw))
    raw_boxes = list_of(record, "bboxes")
    only = categories[0] if len(set(categories)) == 1 else ""
    # Boxes stand beside the labels as they are in the file, also where a label is no category.
    beside = [category_of(label) for label in raw]
    labels = [beside[n] if n < len(beside) else only for n in range(len(raw_boxes))]
    boxes, dropped = sort_boxes([make_box(label, box) for label, box in zip(labels, raw_boxes, strict=True)])
    extra: dict[str, Any] = {}
    if raw != categories:
        extra["raw_categories"] = list(raw)
    modelled = {"categories", "bboxes", "caption", "captions", "questions", "split"}
    truth = GroundTruth(
        categories=categories,
        states_none=(is_clean or record.get("categories") == []) and not raw_boxes,
        boxes=boxes,
        captions=captions_of(record),
        questions=questions_of(record),
        extra={field: value for field, value in record.items() if field not in modelled} | extra,
    )
    return truth, dropped


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _kind_in_words(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
