"""Checking records of datasets that name their fields in their own way: VQA-RAD enhanced, EVUD, VQA v2, tables."""

import re
from collections import Counter
from typing import Any

from vqa_tui.exporters.checked_record import CheckedRecord, refuse_tags, take_single_pair

_MD5_KEY = re.compile(r"[0-9a-f]{32}(-\d+)?")
_SAVED_ERROR = re.compile(r"Error (?:after \d+ retries|generating answer):")
"""What the VQA-RAD generator stored in the place of an answer that it did not get."""
_ANSWER_TYPES = ("yes/no", "number", "other")


def check_vqa_rad(record: dict[str, Any], checked: CheckedRecord) -> None:
    """Check one member `{"<md5>": {…}}` of the object."""
    ((key, value),) = record.items()
    checked.record_id = key
    checked.asks_as_dataset = True
    if not _MD5_KEY.fullmatch(key):
        checked.faults.append("the key is not an MD5 of 32 hex digits")
    if not isinstance(value, dict):
        checked.faults.append("the key has no object")
        return
    if isinstance(path := value.get("image_path"), str) and path:
        checked.images = [path]
    else:
        checked.faults.append("`image_path` is missing or not a text")
    info = value.get("image_info")
    size = info.get("size") if isinstance(info, dict) else None
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        checked.faults.append("`image_info.size` is not width and height")
    pairs = value.get("qa_pairs")
    if not isinstance(pairs, list) or not pairs:
        checked.faults.append("`qa_pairs` is no list of pairs")
        return
    for number, pair in enumerate(pairs, 1):
        fields = [
            pair.get(name) if isinstance(pair, dict) else None
            for name in ("question", "original_answer", "descriptive_answer")
        ]
        if not all(isinstance(each, str) for each in fields):
            checked.faults.append(f"pair {number} lacks `question`, `original_answer` or `descriptive_answer`")
            continue
        question, _, answer = map(str, fields)
        checked.pairs.append((question, answer))
        refuse_tags(question, answer, checked)
        if _SAVED_ERROR.match(answer):
            checked.faults.append(f"pair {number} has an error message for an answer")


def check_evud_tuples(record: dict[str, Any], checked: CheckedRecord) -> None:
    """Compare the tuples of a record with its conversation, in any order and without regard to case.

    A stated duration must be a number of seconds above 0, as EVUD's own readers take it.
    """
    if "duration_(s)" in record:
        stated_s = record["duration_(s)"]
        if isinstance(stated_s, int | float) and not isinstance(stated_s, bool) and stated_s > 0:
            checked.seconds = float(stated_s)
        else:
            checked.faults.append("`duration_(s)` is not a number of seconds above 0")
    tuples = record.get("category_question_answer_tuples")
    if not isinstance(tuples, list):
        checked.faults.append("`category_question_answer_tuples` is no list")
        return
    stated = []
    for number, each in enumerate(tuples, 1):
        names = ("category", "question", "short answer")
        fields = [each.get(name) if isinstance(each, dict) else None for name in names]
        if not all(isinstance(text, str) for text in fields):
            checked.faults.append(f"tuple {number} lacks `category`, `question` or `short answer`")
            return
        _, question, answer = map(str, fields)
        stated.append((question.strip().casefold(), answer.strip().casefold()))
    spoken = [(question.strip().casefold(), answer.strip().casefold()) for question, answer in checked.pairs]
    if Counter(stated) != Counter(spoken):
        checked.faults.append("the tuples and the conversation hold different pairs")


def check_vqa_v2(record: dict[str, Any], checked: CheckedRecord) -> None:
    """Check a question with its annotation. Without `image` its picture is known by number only and not looked for."""
    for key in ("image_id", "question_id"):
        if not isinstance(record.get(key), int) or isinstance(record[key], bool):
            checked.faults.append(f"`{key}` is not a whole number")
    checked.record_id = str(record.get("question_id", ""))
    if isinstance(image := record.get("image"), str) and image:
        checked.images = [image]
    else:
        checked.elsewhere = 1
    annotation = record.get("annotation")
    if annotation is None:
        checked.faults.append("no annotation has its `question_id`")
        return
    answer = annotation.get("multiple_choice_answer")
    take_single_pair(record.get("question"), answer, ("question", "multiple_choice_answer"), checked)
    if annotation.get("image_id") != record.get("image_id"):
        checked.faults.append("question and annotation have different `image_id`s")
    if annotation.get("answer_type") not in _ANSWER_TYPES:
        checked.faults.append("`answer_type` is none of yes/no, number and other")
    answers = annotation.get("answers")
    if not (
        isinstance(answers, list)
        and answers
        and all(isinstance(each, dict) and isinstance(each.get("answer"), str) for each in answers)
    ):
        checked.faults.append("`answers` is no list of answers")


def check_table_row(record: dict[str, Any], checked: CheckedRecord) -> None:
    """Check a row of a table."""
    checked.images = [record["image"]] if record.get("image") else []
    checked.question_type = str(record.get("question_type", ""))
    take_single_pair(record.get("question"), record.get("answer"), ("question", "answer"), checked)
