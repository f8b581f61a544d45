"""Checking the form of one record: who speaks, which pictures it names, whether tags and pictures agree."""

from typing import Any

from vqa_tui.exporters.checked_record import (
    CheckedRecord,
    compare_tags,
    named_media,
    parts_of,
    take_single_pair,
    without_tags,
)
from vqa_tui.exporters.dataset_checks import check_evud_tuples, check_table_row, check_vqa_rad, check_vqa_v2
from vqa_tui.exporters.file_shapes import FileShape
from vqa_tui.exporters.media_tags import special_token
from vqa_tui.exporters.message_checks import (
    MODEL_GARDEN,
    TRL,
    check_messages,
    check_model_garden_image,
    is_url,
    message_format,
)

FLAT = "stcray-flat"
QWEN = "qwen"
QWEN_FINETUNE = "qwen-finetune"
LLAVA = "llava"
EVUD = "evud"
VQA_RAD = "vqa-rad-enhanced"
VQA_V2 = "vqa-v2"
CSV = "csv"
TRL_PARQUET = "trl-parquet"

_ROLES = ("human", "gpt")


def check_record(record: dict[str, Any], shape: FileShape, *, expected: str = "") -> CheckedRecord:
    """Return what `record` holds; `shape` is that of its file.

    `expected` is the format that a manifest states: it decides between formats whose records look alike.
    """
    checked = CheckedRecord()
    if shape is FileShape.OBJECT:
        checked.format = VQA_RAD
        check_vqa_rad(record, checked)
    elif shape is FileShape.QUESTIONS:
        checked.format = VQA_V2
        check_vqa_v2(record, checked)
    elif shape is FileShape.TABLE:
        checked.format = CSV
        check_table_row(record, checked)
    elif "conversations" in record:
        _check_conversations(record, shape, expected, checked)
    elif "messages" in record:
        checked.format = message_format(record, expected)
        check_messages(record, checked)
        if shape is FileShape.PARQUET and checked.format == TRL:
            checked.format = TRL_PARQUET
    elif "question" in record or "answer" in record:
        checked.format = FLAT
        _check_flat(record, checked)
    elif "text" in record and ("response" in record or "output" in record):
        checked.format = MODEL_GARDEN
        _check_model_garden(record, checked)
    else:
        checked.faults.append("neither `conversations` nor `messages` nor `question` and `answer`")
    for texts in checked.pairs:
        for name, text in zip(("a question", "an answer"), texts, strict=True):
            if token := special_token(text):
                checked.faults.append(f"the special token {token} in {name}")
    _check_truth(record, checked)
    return checked


def _check_truth(record: dict[str, Any], checked: CheckedRecord) -> None:
    truth = record.get("ground_truth")
    if not isinstance(truth, dict):
        return
    checked.states_truth = True
    category, items = truth.get("category"), truth.get("items")
    if category == "positive" and not items:
        checked.truth_fault = "the ground truth is `positive` and names no items"
    elif category in ("negative", "unknown") and items:
        checked.truth_fault = f"the ground truth is `{category}` and names items"


def _check_flat(record: dict[str, Any], checked: CheckedRecord) -> None:
    checked.images = named_media(record, "image", checked)
    if len(checked.images) > 1:
        checked.faults.append(f"{len(checked.images)} images for one question")
    if not take_single_pair(record.get("question"), record.get("answer"), ("question", "answer"), checked):
        return
    metadata = record.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("question_type"), str):
        checked.question_type = metadata["question_type"]


def _check_model_garden(record: dict[str, Any], checked: CheckedRecord) -> None:
    answer = record["response"] if "response" in record else record["output"]
    take_single_pair(record["text"], answer, ("text", "response"), checked)
    for image in named_media(record, "image", checked):
        check_model_garden_image(image, checked)
        if is_url(image):
            checked.elsewhere += 1
        else:
            checked.images.append(image)
    if (count := len(checked.images) + checked.elsewhere) > 1:
        checked.faults.append(f"{count} images in a record; the trainer keeps the first only")


def _check_conversations(record: dict[str, Any], shape: FileShape, expected: str, checked: CheckedRecord) -> None:
    if "category_question_answer_tuples" in record:
        checked.format = EVUD
    elif expected == QWEN_FINETUNE:
        checked.format = QWEN_FINETUNE
    else:
        checked.format = LLAVA if shape is FileShape.LIST else QWEN
    if checked.format in (LLAVA, EVUD) and isinstance(given := record.get("id"), str | int):
        checked.record_id = str(given)
    _check_conversation(record, checked)
    if checked.format == EVUD:
        check_evud_tuples(record, checked)


def _check_conversation(record: dict[str, Any], checked: CheckedRecord) -> None:
    checked.images = named_media(record, "image", checked)
    checked.videos = named_media(record, "video", checked)
    turns = record["conversations"]
    if not isinstance(turns, list) or not turns:
        checked.faults.append("`conversations` is no list of turns")
        return
    values: list[str] = []
    for index, turn in enumerate(turns):
        role = turn.get("from") if isinstance(turn, dict) else None
        value = turn.get("value") if isinstance(turn, dict) else None
        expected = _ROLES[index % 2]
        if role != expected:
            spoken = f"is from `{role}`" if isinstance(role, str) else "has no `from`"
            checked.faults.append(f"turn {index + 1} {spoken}, not from `{expected}`")
            return
        if not isinstance(value, str):
            checked.faults.append(f"turn {index + 1} has no text in `value`")
            return
        values.append(value)
    if len(values) % 2:
        checked.faults.append("the last question has no answer")
    compare_tags(values[::2], values[1::2], checked)
    checked.asked = [parts_of(question) for question in values[::2]]
    checked.pairs = [
        (without_tags(question), answer) for question, answer in zip(values[::2], values[1::2], strict=False)
    ]
