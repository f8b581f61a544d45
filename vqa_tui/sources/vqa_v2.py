"""VQA v2: a file of questions and one of annotations, joined by question on disk, one item per picture."""

import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.part import counted
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.json_stream import first_byte, stream_items
from vqa_tui.sources.picture_names import PictureNames
from vqa_tui.sources.record_truth import BadRecord, as_object, list_of, scalar_text, text_of
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.sources.splits import split_in_name

_CHUNK = 1000
"""Records in memory at a time."""
_EXPECTED = (
    "VQA v2 is `v2_OpenEnded_mscoco_NAME_questions.json` with `v2_mscoco_NAME_annotations.json` beside it, or the "
    "folder of both; --images names the COCO pictures."
)


@dataclass(frozen=True, slots=True)
class _Pair:
    questions: Path
    annotations: Path | None


class VqaV2Source:
    """Questions and annotations in the layout of visualqa.org, or a folder of such files.

    The annotations of a questions file are the one file beside it with the same name but for the words `questions` or
    `annotations`, `OpenEnded` and `MultipleChoice`; without them the questions have no answer and stay in `extra`. The
    answer is `multiple_choice_answer`, or else the most frequent of `answers`. Pictures are looked for as
    `COCO_SUBTYPE_%012d.jpg`, `%012d.jpg`, `%012d.png` in the root and in SUBTYPE and `images` in it, where SUBTYPE is
    the `data_subtype` of the file; the key is `SUBTYPE/image_id`, the split that of SUBTYPE. A question that names its
    file as `image`, as exports of this product do, has that for a key.
    """

    def __init__(self, path: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        self._pairs = _pairs_in(path) if path.is_dir() else [_pair_of(path)]
        contained = ContainedRoot(images or (path if path.is_dir() else path.parent), allow_outside=allow_outside)
        self._names = PictureNames(contained)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the questions; see Source.records."""
        return joined_items(self._rows(scratch), scratch, self._find)

    def _rows(self, scratch: Scratch) -> Iterator[Row | ImportProblem]:
        for pair in self._pairs:
            if first_byte(pair.questions) != b"{":
                raise VqaError(f"{pair.questions} is not a VQA v2 file: it must be one JSON object", hint=_EXPECTED)
            subtype = _subtype(pair.questions)
            filed = 0 if pair.annotations is None else (yield from _file_answers(pair.annotations, subtype, scratch))
            met = yield from self._asked(pair, subtype, scratch)
            if pair.annotations is not None and filed > met:
                yield from _untaken(pair.annotations, pair.questions, subtype, scratch, filed - met)

    def _asked(self, pair: _Pair, subtype: str, scratch: Scratch) -> Generator[Row | ImportProblem, None, int]:
        """Yield the questions, and return how many of them have an annotation."""
        file, split = pair.questions, split_in_name(subtype) or split_in_name(pair.questions.stem)
        numbered = enumerate(stream_items(file, "questions.item"), start=1)
        found = unanswered = met = 0
        first = ""
        while chunk := list(islice(numbered, _CHUNK)):
            ids = list(dict.fromkeys(_identity(value, "question_id") for _number, value in chunk))
            answers = scratch.get_many(f"answers {subtype}", ids)
            earlier = scratch.get_many(f"questions {subtype}", ids)
            asked: dict[str, str] = {}
            for number, value in chunk:
                found += 1
                place = f"{file.name} question {number}"
                try:
                    record = as_object(value)
                    question_id = _required(record, "question_id")
                    before = asked.get(question_id) or earlier.get(question_id, [""])[0]
                    if before:
                        raise BadRecord(f"has the question_id {question_id} of {before}; the first one counts")
                    asked[question_id] = place
                    met += question_id in answers
                    row = _row(place, self._key(record, subtype), record, split, answers.get(question_id))
                except BadRecord as error:
                    yield ImportProblem(place, place, error.reason)
                    continue
                if not row.questions:
                    unanswered, first = unanswered + 1, first or question_id
                yield row
            scratch.put_many(f"questions {subtype}", asked.items())
        if not found:
            yield ImportProblem(file.name, file.name, "holds no questions: `questions` is missing or empty")
        if unanswered:
            why = f"in {pair.annotations.name}" if pair.annotations else "as there is no file of annotations beside it"
            reason = f"{unanswered} of {found} questions have no answer {why}; the first is question_id {first}"
            yield ImportProblem(f"{file.name} answers", file.name, reason)
        return met

    def _key(self, record: dict[str, Any], subtype: str) -> str:
        image_id, file_name = _required(record, "image_id"), text_of(record, "image")
        if file_name:
            return self._names.key_of(file_name)
        if not image_id.isdigit() or len(image_id) > 12:
            raise BadRecord(f"`image_id` {image_id[:50]} is not a number of COCO")
        return f"{subtype}/{image_id}".lstrip("/")

    def _find(self, key: str) -> str:
        subtype, _, image_id = key.rpartition("/")
        if not image_id.isdigit():
            return self._names.find(key)
        number = image_id.zfill(12)
        names = (f"COCO_{subtype}_{number}.jpg", f"{number}.jpg", f"{number}.png")
        folders = ("", "images/", *((f"{subtype}/", f"images/{subtype}/") if subtype else ()))
        return self._names.find_any([f"{folder}{name}" for name in names for folder in folders])


def _row(place: str, key: str, record: dict[str, Any], split: str | None, packed: list[str] | None) -> Row:
    question = text_of(record, "question").strip()
    if not question:
        raise BadRecord("has no `question`")
    found = from_json(packed[0]) if packed else {}
    asked: tuple[ReferenceQuestion, ...] = ()
    if answer := found.pop("answer", ""):
        kind = found.get("question_type") or ""
        asked = (ReferenceQuestion(question=question, answer=answer, question_type=kind, split=split),)
    return Row(key, place, asked, split=split, extra={**record, **found})


def _file_answers(file: Path, subtype: str, scratch: Scratch) -> Generator[ImportProblem, None, int]:
    """Put the annotations where their questions find them, and return how many there are."""
    if first_byte(file) != b"{":
        raise VqaError(f"{file} is not a VQA v2 file: it must be one JSON object", hint=_EXPECTED)
    filed = 0
    numbered = enumerate(stream_items(file, "annotations.item"), start=1)
    while chunk := list(islice(numbered, _CHUNK)):
        rows = []
        for number, value in chunk:
            place = f"{file.name} annotation {number}"
            try:
                rows.append(_filed(value))
            except BadRecord as error:
                yield ImportProblem(place, place, error.reason)
        scratch.put_many(f"answers {subtype}", rows)
        filed += len(rows)
    return filed


def _untaken(file: Path, questions: Path, subtype: str, scratch: Scratch, untaken: int) -> Iterator[ImportProblem]:
    """Say what became of the annotations, `untaken` in number, that no question took."""
    alone, first = 0, ""
    numbered = enumerate(stream_items(file, "annotations.item"), start=1)
    while chunk := list(islice(numbered, _CHUNK)):
        ids: dict[int, str] = {}
        for number, value in chunk:
            with suppress(BadRecord):  # it was told when it was read first
                ids[number], _answer = _filed(value)
        asked = scratch.get_many(f"questions {subtype}", list(dict.fromkeys(ids.values())))
        for number, question_id in ids.items():
            if question_id not in asked:
                alone, first = alone + 1, first or f"annotation {number} (question_id {question_id})"
    if alone:
        words = f"{counted(alone, 'annotation')} {'is' if alone == 1 else 'are'}"
        reason = f"{words} to no question of {questions.name}; the first is {first}"
        yield ImportProblem(f"{file.name} questions", file.name, reason)
    if (repeated := untaken - alone) > 0:
        words = f"{counted(repeated, 'annotation')} {'has' if repeated == 1 else 'have'}"
        reason = f"{words} the question_id of an earlier one, which counts"
        yield ImportProblem(f"{file.name} repeated", file.name, reason)


def _filed(value: Any) -> tuple[str, str]:
    """Return the question of an annotation, and what its question takes of it (JSON). Raises BadRecord."""
    record = as_object(value)
    return _required(record, "question_id"), to_json(_answer_of(record)).decode()


def _answer_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return `answer`, and the fields of an annotation that its question does not have."""
    given = [scalar_text(entry, "answer") for entry in list_of(record, "answers") if isinstance(entry, dict)]
    most = Counter(text for text in given if text).most_common(1)
    answer = scalar_text(record, "multiple_choice_answer") or (most[0][0] if most else "")
    kept = {name: value for name, value in record.items() if name not in ("question_id", "image_id", "answer")}
    return {**kept, "question_type": text_of(record, "question_type"), "answer": answer}


def _required(record: dict[str, Any], name: str) -> str:
    if found := _identity(record, name):
        return found
    raise BadRecord(f"has no `{name}`")


def _identity(value: Any, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else ""


def _subtype(file: Path) -> str:
    found = next(iter(stream_items(file, "data_subtype")), "")
    return found if isinstance(found, str) and re.fullmatch(r"[\w.-]{1,100}", found) and set(found) != {"."} else ""


def _pair_of(questions: Path) -> _Pair:
    wanted = _without_role(questions.name)
    beside = [file for file in sorted(questions.parent.glob("*annotations*.json")) if file != questions]
    same = [file for file in beside if _without_role(file.name) == wanted]
    return _Pair(questions, same[0] if len(same) == 1 else None)


def _pairs_in(folder: Path) -> list[_Pair]:
    found = sorted(folder.glob("*questions*.json"))
    if not found:
        raise VqaError(f"{folder} holds no file of questions (*questions*.json)", hint=_EXPECTED)
    return [_pair_of(file) for file in found]


def _without_role(name: str) -> str:
    return re.sub(r"questions|annotations|openended|multiplechoice|[_.]", "", name.lower())
