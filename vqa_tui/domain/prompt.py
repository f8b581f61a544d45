"""The values that prompt templates see: ground truth in words, safe to stand in lines of a prompt."""

import random
from collections.abc import Mapping
from typing import Any

from vqa_tui.domain.item import Box, GroundTruth
from vqa_tui.domain.part import Part
from vqa_tui.safe_text import clean

PROMPT_VALUE_NAMES = frozenset(
    {
        "annotated",
        "items",
        "count",
        "places",
        "caption",
        "captions",
        "questions",
        "has_truth",
        "width",
        "height",
        "seconds",
        "pictures",
        "key",
        "pairs",
        "structured_pairs",
    }
)
"""The names that `prompt_values` gives; a recipe's own variables must have other names."""

PART_VALUE_NAMES = frozenset({"part", "parts", "prompt_name", "reference"})
"""The names that `part_values` gives, where a picture may be several requests."""

_ROWS = ("upper", "center", "lower")
_COLUMNS = ("left", "center", "right")


def location_word(box: Box, width: int, height: int) -> str:
    """Return where the centre of `box` lies on a 3×3 grid over a picture of `width` × `height` pixels.

    One of upper-left, upper-center, upper-right, center-left, center, center-right, lower-left, lower-center,
    lower-right. A centre outside the picture counts to the nearest cell.
    """
    row = _ROWS[_third(box.y + box.height / 2, height)]
    column = _COLUMNS[_third(box.x + box.width / 2, width)]
    return "center" if row == column == "center" else f"{row}-{column}"


def _third(position: float, length: int) -> int:
    if position * 3 < length:
        return 0
    return 1 if position * 3 < length * 2 else 2


def structured_count(pairs: int, ratio: float, seed_text: str) -> int:
    """Return how many of `pairs` are to be structured, 0 or 1, always the same for `seed_text`.

    Each pair draws with probability `ratio`, and one hit is enough: the structured question is fixed, so a second one
    about the same picture would only repeat it. With a ratio of at least one half and two or more pairs there is one.
    """
    if ratio >= 0.5 and pairs >= 2:
        return 1
    if ratio <= 0 or pairs <= 0:
        return 0
    draw = random.Random(seed_text)
    return int(any([draw.random() < ratio for _ in range(pairs)]))


def prompt_values(
    truth: GroundTruth,
    *,
    width: int,
    height: int,
    key: str,
    pairs: int,
    structured_pairs: int,
    variables: Mapping[str, object],
) -> dict[str, object]:
    """Return what a template may use. `width` and `height` are pixels of the upright picture.

    `annotated` says whether the dataset tells what is in the picture, be it nothing; without it an empty `items` means
    that nothing is known. `items` are the distinct labels, `count` the number of objects, `places` one dict for each
    box (label, location, x, y, width, height in whole pixels), `caption` the first caption or '', `seconds` the
    length of a clip, 0 of a still picture, `pictures` how many the item is made of. Every text of the
    dataset is one line without control characters, and labels hold no `;` or `|`: a label or caption cannot forge a
    line of the prompt.
    """
    labels = list(dict.fromkeys(filter(None, map(_label, [*truth.categories, *(box.label for box in truth.boxes)]))))
    captions = list(filter(None, map(_one_line, truth.captions)))
    return {
        **variables,
        "annotated": truth.states_none or bool(labels),
        "items": labels,
        "count": max(len(truth.boxes), len(truth.categories)),
        "places": [
            {
                "label": _label(box.label) or "unnamed",
                "location": location_word(box, width, height),
                "x": round(box.x),
                "y": round(box.y),
                "width": round(box.width),
                "height": round(box.height),
            }
            for box in truth.boxes
        ],
        "caption": captions[0] if captions else "",
        "captions": captions,
        "questions": [
            {
                "question": _one_line(reference.question),
                "answer": _one_line(reference.answer),
                "question_type": _one_line(reference.question_type),
            }
            for reference in truth.questions
        ],
        "has_truth": bool(labels or captions or truth.questions),
        "width": width,
        "height": height,
        "seconds": 0 if truth.clip is None else _short(truth.clip.length_s),
        "pictures": 1 + len(truth.further),
        "key": _one_line(key),
        "pairs": pairs,
        "structured_pairs": structured_pairs,
    }


def part_values(values: Mapping[str, Any], part: Part, *, name: str, of_pair: bool) -> dict[str, object]:
    """Return what a template sees beside the `values` of `prompt_values` of one of several requests.

    `part` counts from 1 and `parts` is their number. With `of_pair` there is the `reference` pair that the request is
    about (question, answer, question_type), else `prompt_name`.
    """
    told = {"reference": values["questions"][part.index]} if of_pair else {"prompt_name": name}
    return {"part": part.number, "parts": part.of, **told}


def _short(number: float) -> float | int:
    rounded = round(number, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _one_line(text: str) -> str:
    return clean(text, one_line=True)


def _label(text: str) -> str:
    return _one_line(text.replace(";", ",").replace("|", "/"))
