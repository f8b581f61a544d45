"""The three files of VQA v2: questions, annotations and results (visualqa.org, vqa_v2 data format)."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
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


def questions_file() -> JsonDocument:
    return JsonDocument({**_HEAD, "task_type": "Open-Ended"}, "questions")


def annotations_file() -> JsonDocument:
    return JsonDocument(_HEAD, "annotations")


def question_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield the questions; `image`, which the original lacks, names the file whatever it is called."""
    for index, pair in enumerate(placed.picture.pairs):
        yield {
            "image_id": _image_id(placed),
            "image": placed.path,
            "question": neutralised(pair.question),
            "question_id": _question_id(placed, index),
        }


def annotation_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield the answers. The answer of a pair stands ten times: with one alone the evaluation would give 0 points."""
    for index, pair in enumerate(placed.picture.pairs):
        answer = neutralised(pair.answer)
        yield {
            "question_id": _question_id(placed, index),
            "image_id": _image_id(placed),
            "question_type": pair.question_type,
            "answer_type": answer_type(answer),
            "multiple_choice_answer": answer,
            "answers": [
                {"answer": answer, "answer_confidence": "yes", "answer_id": number} for number in range(1, _ANSWERS + 1)
            ],
        }


def result_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield what a submission to the evaluation holds."""
    for index, pair in enumerate(placed.picture.pairs):
        yield {"question_id": _question_id(placed, index), "answer": neutralised(pair.answer)}


def answer_type(answer: str) -> str:
    """Return `yes/no`, `number` or `other`, as the annotations sort answers."""
    plain = answer.strip().rstrip(".").casefold()
    if plain in ("yes", "no"):
        return "yes/no"
    return "number" if plain.replace(",", "").replace(".", "", 1).isdecimal() else "other"


def _image_id(placed: PlacedPicture) -> int:
    """Return the number that the dataset gave the picture, else how many stand before it in the export, from 1."""
    given = placed.picture.truth.extra.get("image_id")
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else placed.number + 1


def _question_id(placed: PlacedPicture, index: int) -> int:
    return _image_id(placed) * _IDS_A_PICTURE + index
