"""The JSON object of the VQA-RAD enhancement: by MD5 of the pixels, each picture with its pairs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqa_tui.domain.item import ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.json_stream import open_bytes, stream_members
from vqa_tui.sources.picture_names import PictureNames
from vqa_tui.sources.record_truth import BadRecord, as_object, list_of, scalar_text, text_of
from vqa_tui.sources.rows import Row, joined_items

_HASH_FIRST = re.compile(rb'\s*\{\s*"[0-9a-f]{32}(-\d+)?"\s*:')
_LOOKED_AT = 4096
_FOLDER = "md5_images"
_MIXED = "mixed"
"""What an export states for the split of a picture whose questions are of several."""
_SAVED_ERROR = re.compile(r"Error (?:after \d+ retries|generating answer)\b")
"""What the original generator stored in the place of an answer that it did not get."""


def is_enhanced(file: Path) -> bool:
    """Return whether a file begins as an object whose keys are hashes. Raises VqaError when it cannot be opened."""
    with open_bytes(file) as stream:
        return _HASH_FIRST.match(stream.read(_LOOKED_AT)) is not None


class VqaRadEnhanced:
    """What the enhancement of VQA-RAD writes, and the export `vqa-rad-enhanced`.

    The reference answer to a question is its `original_answer`, or its `descriptive_answer` where there is no other;
    one that is the text of an error does not count and is a problem. The member as it stands in the file is kept in
    `extra`. Each question keeps its split. A picture is looked for as `image_path` says, and by the last part of that
    in the root and in `md5_images`; the key is its path.
    """

    def __init__(self, file: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        self._file = file
        contained = ContainedRoot(images or file.parent, allow_outside=allow_outside)
        self._names = PictureNames(contained)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the file; see Source.records."""
        return joined_items(self._rows(), scratch, self._find)

    def _rows(self) -> Iterator[Row | ImportProblem]:
        for name, value in stream_members(self._file):
            place = f"{self._file.name} member {name[:50]}"
            try:
                yield from self._row(place, as_object(value))
            except BadRecord as error:
                yield ImportProblem(place, place, error.reason)

    def _row(self, place: str, record: dict[str, Any]) -> Iterator[Row | ImportProblem]:
        key = self._names.key_of(text_of(record, "image_path"))
        info = record.get("image_info")
        split = text_of(info, "split") if isinstance(info, dict) else ""
        if split == _MIXED:
            split = ""
        asked = []
        for number, pair in enumerate(list_of(record, "qa_pairs"), start=1):
            try:
                asked.append(_reference(as_object(pair)))
            except BadRecord as error:
                yield ImportProblem(f"{place} pair {number}", f"{place} pair {number}", error.reason)
        yield Row(key, place, tuple(asked), split=split or None, extra=record)

    def _find(self, key: str) -> str:
        last = key.rpartition("/")[2]
        return self._names.find_any(list(dict.fromkeys((key, last, f"{_FOLDER}/{last}"))))


def _reference(pair: dict[str, Any]) -> ReferenceQuestion:
    question, described = scalar_text(pair, "question"), scalar_text(pair, "descriptive_answer")
    answer = scalar_text(pair, "original_answer")
    if not answer and _SAVED_ERROR.match(described):
        raise BadRecord("has the text of an error for an answer")
    answer = answer or described
    if not question or not answer:
        raise BadRecord("has no `question`" if not question else "has no answer")
    return ReferenceQuestion(question=question, answer=answer, split=text_of(pair, "split") or None)
