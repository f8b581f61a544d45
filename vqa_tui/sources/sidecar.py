"""Captions and ground truth in small files beside a picture."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from vqa_tui.domain.item import GroundTruth
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.nesting import why_unreadable
from vqa_tui.sources.record_truth import (
    BadRecord,
    DroppedBox,
    as_object,
    captions_of,
    list_of,
    make_box,
    questions_of,
    sort_boxes,
    text_of,
    texts_of,
)

_LARGEST_SIDECAR = 16 << 20
"""Bytes; no hand-made note about one picture comes near."""
_MODELLED = frozenset({"categories", "boxes", "caption", "captions", "questions", "split"})


class BadSidecar(Exception):
    """A sidecar that cannot be used: `where` is the file and line, `reason` what is wrong."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


def sidecars_of(picture: str, neighbours: frozenset[str], suffix: str) -> list[str]:
    """Return the paths of the sidecars of `picture` with `suffix`: `name.jpg.txt` first, then `name.txt`."""
    path = PurePosixPath(picture)
    names = (f"{path.name}{suffix}", f"{path.stem}{suffix}")
    return [str(path.with_name(name)) for name in names if name in neighbours]


def read_text_file(contained: ContainedRoot, path: str) -> str:
    """Return the text of a small UTF-8 file inside the root, stripped. Raises BadSidecar."""
    data = _read(contained, path)
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadSidecar(f"{path} line {line}", "is not UTF-8 text") from error


def read_json_object(contained: ContainedRoot, path: str) -> dict[str, Any]:
    """Return the JSON object in a small file inside the root, made storable. Raises BadSidecar with the line."""
    text = read_text_file(contained, path)
    try:
        return as_object(json.loads(text, parse_constant=lambda word: None))
    except json.JSONDecodeError as error:
        raise BadSidecar(
            f"{path} line {error.lineno} column {error.colno}", f"is not valid JSON: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadSidecar(f"{path} line 1", why_unreadable(error)) from error
    except BadRecord as error:
        raise BadSidecar(f"{path} line 1", error.reason) from error


def truth_of(record: dict[str, Any], captions: tuple[str, ...] = ()) -> tuple[GroundTruth, tuple[DroppedBox, ...]]:
    """Return the ground truth of a sidecar object, and the boxes left out of it.

    Each entry of `boxes` is an object with `label` and either `x`, `y`, `width`, `height` or `bbox` = [x, y, width,
    height], in pixels of the upright picture. Without `categories`, the labels of the boxes are the categories.
    An empty list of categories, or of boxes without categories, states that there is nothing; where neither is there,
    nothing is known. `captions` come before those of the record. Raises BadRecord.
    """
    candidates = []
    for number, entry in enumerate(list_of(record, "boxes"), start=1):
        if not isinstance(entry, dict):
            raise BadRecord(f"`boxes` entry {number} is not an object with `label` and `bbox`")
        corner_and_size = entry.get("bbox", [entry.get(side) for side in ("x", "y", "width", "height")])
        candidates.append(make_box(text_of(entry, "label"), corner_and_size))
    boxes, dropped = sort_boxes(candidates)
    categories = texts_of(record, "categories") if "categories" in record else tuple(box.label for box in boxes)
    says_none = record.get("categories") == [] or (record.get("categories") is None and record.get("boxes") == [])
    truth = GroundTruth(
        categories=categories,
        states_none=says_none and not candidates,
        boxes=boxes,
        captions=tuple(dict.fromkeys((*captions, *captions_of(record)))),
        questions=questions_of(record),
        extra={field: value for field, value in record.items() if field not in _MODELLED},
    )
    return truth, dropped


def _read(contained: ContainedRoot, path: str) -> bytes:
    try:
        found = contained.find(path)
        if found is None:
            raise BadSidecar(path, "is a link to a file that does not exist")
        full = Path(contained.path, found)
        if full.stat().st_size > _LARGEST_SIDECAR:
            raise BadSidecar(path, f"is larger than {_LARGEST_SIDECAR >> 20} MiB")
        return full.read_bytes()
    except PathRefused as error:
        raise BadSidecar(path, error.reason) from error
    except OSError as error:
        raise BadSidecar(path, f"cannot be read: {error.strerror}") from error
