"""The three files of VQA v2: questions, annotations and results (visualqa.org, vqa_v2 data format)."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from vqa_tui.domain.evaluation import NUMBER_WORDS
from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.exporters.layouts import JsonDocument
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture

_HEAD = {
    "info": {"description": "made by vqa-tui", "version": "2.0"},
    "data_type": "mscoco",
    "data_subtype": "",
    "license": {},
}
_ANSWERS = 10
"""Evaluation counts an answer as right when three of ten people gave it."""
_IDS_A_PICTURE = 1000
_LONGEST_ID = 18
"""Digits; longer ones are no numbers of pictures, and do not fit into 64 bits."""


def questions_file() -> JsonDocument:
    return JsonDocument({**_HEAD, "task_type": "Open-Ended"}, "questions")


def annotations_file() -> JsonDocument:
    return JsonDocument(_HEAD, "annotations")


def question_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield the questions; `image`, which the original lacks, names the file whatever it is called."""
    for question_id, pair in zip(_question_ids(placed), placed.picture.pairs, strict=True):
        yield {
            "image_id": placed.image_id,
            "image": placed.path,
            "question": neutralised(pair.question),
            "question_id": question_id,
        }


def annotation_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield the answers. The answer of a pair stands ten times: with one alone the evaluation would give 0 points."""
    for question_id, pair in zip(_question_ids(placed), placed.picture.pairs, strict=True):
        answer = neutralised(pair.answer)
        yield {
            "question_id": question_id,
            "image_id": placed.image_id,
            "question_type": pair.question_type,
            "answer_type": answer_type(answer),
            "multiple_choice_answer": answer,
            "answers": [
                {"answer": answer, "answer_confidence": "yes", "answer_id": number} for number in range(1, _ANSWERS + 1)
            ],
        }


def result_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield what a submission to the evaluation holds."""
    for question_id, pair in zip(_question_ids(placed), placed.picture.pairs, strict=True):
        yield {"question_id": question_id, "answer": neutralised(pair.answer)}


def answer_type(answer: str) -> str:
    """Return `yes/no`, `number` or `other`, as the annotations sort answers; a number may be a word up to ten."""
    plain = answer.strip().rstrip(".").casefold()
    if plain in ("yes", "no"):
        return "yes/no"
    is_number = plain in NUMBER_WORDS or plain.replace(",", "").replace(".", "", 1).isdecimal()
    return "number" if is_number else "other"


class ImageIds:
    """Gives each picture of an export its number, no number twice; holds one number for each picture."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def of(self, picture: ExportPicture, number: int) -> int:
        """Return the number that the dataset gave the picture (STCray, VQA v2, COCO), else the next one from `number`.

        A number that an earlier picture has counts as none: parts of a dataset may each be counted from 0.
        """
        given = _given_id(picture.truth.extra)
        found = number if given is None or given in self._taken else given
        while found in self._taken:
            found += 1
        self._taken.add(found)
        return found


def _given_id(extra: Mapping[str, Any]) -> int | None:
    named = [row.get("image_id") for row in _rows(extra)]
    if "image_id" in extra:
        named = [extra["image_id"]]
    elif "file_name" in extra:
        named = [extra.get("id")]
    numbers = set(map(_number, named))
    return numbers.pop() if len(numbers) == 1 else None


def _question_ids(placed: PlacedPicture) -> list[int]:
    """Return the id of each pair: that of the dataset for a question of its own, else 1000 times that of the picture
    and the next number that is free."""
    given: dict[str, list[int]] = {}
    for row in _rows(placed.picture.truth.extra):
        question, number = row.get("question"), _number(row.get("question_id"))
        if isinstance(question, str) and number is not None:
            given.setdefault(_plain(question), []).append(number)
    taken = {number for numbers in given.values() for number in numbers}
    free = (number for number in count(placed.image_id * _IDS_A_PICTURE) if number not in taken)
    return [
        numbers.pop(0) if (numbers := given.get(_plain(pair.question))) else next(free) for pair in placed.picture.pairs
    ]


def _rows(extra: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records about the picture as they stood in the file of the dataset."""
    rows = extra.get("rows")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_ID:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _plain(question: str) -> str:
    return " ".join(question.split()).casefold()
