"""Checking the form of one record: who speaks, which pictures it names, whether tags and pictures agree."""

import posixpath
from dataclasses import dataclass, field
from typing import Any

from vqa_tui.exporters.media_tags import special_token, tag_count

FLAT = "stcray-flat"
QWEN = "qwen"
LLAVA = "llava"

_MEDIA = {"image": ("image", "images", "image_path"), "video": ("video", "videos")}
_ROLES = ("human", "gpt")


@dataclass(slots=True)
class CheckedRecord:
    """What a record holds, and in words what is wrong with its form."""

    format: str = ""
    images: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """Questions without media tags, and their answers."""
    question_type: str = ""
    record_id: str = ""
    """The `id` of a LLaVA record, or ''."""
    faults: list[str] = field(default_factory=list)
    states_truth: bool = False
    truth_fault: str = ""
    """What is wrong with the ground truth that the record states."""


def check_record(record: dict[str, Any], *, in_list: bool) -> CheckedRecord:
    """Return what `record` holds; `in_list` says that it stands in a JSON list and not on a line of its own."""
    checked = CheckedRecord()
    if "conversations" in record:
        checked.format = LLAVA if in_list else QWEN
        if in_list and isinstance(given := record.get("id"), str | int):
            checked.record_id = str(given)
        _check_conversation(record, checked)
    elif "question" in record or "answer" in record:
        checked.format = FLAT
        _check_flat(record, checked)
    else:
        checked.faults.append("neither `conversations` nor `question` and `answer`")
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
    checked.images = _media(record, "image", checked)
    if len(checked.images) > 1:
        checked.faults.append(f"{len(checked.images)} images for one question")
    question, answer = record.get("question"), record.get("answer")
    if not isinstance(question, str) or not isinstance(answer, str):
        missing = "question" if not isinstance(question, str) else "answer"
        checked.faults.append(f"`{missing}` is missing or not a text")
        return
    checked.pairs.append((question, answer))
    for name, text in (("question", question), ("answer", answer)):
        for medium in _MEDIA:
            if tag_count(text, medium):
                checked.faults.append(f"a <{medium}> tag in the {name}; this format has none")
    metadata = record.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("question_type"), str):
        checked.question_type = metadata["question_type"]


def _check_conversation(record: dict[str, Any], checked: CheckedRecord) -> None:
    media = {medium: _media(record, medium, checked) for medium in _MEDIA}
    checked.images = media["image"]
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
    for medium, files in media.items():
        asked = sum(tag_count(value, medium) for value in values[::2])
        answered = sum(tag_count(value, medium) for value in values[1::2])
        if asked != len(files):
            plural = "" if asked == 1 else "s"
            checked.faults.append(f"{asked} <{medium}> tag{plural} in the questions for {len(files)} {medium} file(s)")
        if answered:
            checked.faults.append(f"a <{medium}> tag in an answer")
    checked.pairs = [
        (_without_tags(question), answer) for question, answer in zip(values[::2], values[1::2], strict=False)
    ]


def _media(record: dict[str, Any], medium: str, checked: CheckedRecord) -> list[str]:
    """Return the files that a record names for one medium: a text, or a list of texts.

    It may stand under several keys for several readers, and must be the same under each.
    """
    found: dict[str, list[str]] = {}
    for key in _MEDIA[medium]:
        if key not in record:
            continue
        named = record[key]
        files = named if isinstance(named, list) else [named]
        found[key] = [file for file in files if isinstance(file, str) and file]
        if len(found[key]) != len(files):
            checked.faults.append(f"`{key}` is not a path or a list of paths")
    if not found:
        return []
    first, *others = found
    for other in others:
        if [*map(posixpath.normpath, found[other])] != [*map(posixpath.normpath, found[first])]:
            checked.faults.append(f"`{first}` and `{other}` name different files")
    return found[first]


def _without_tags(text: str) -> str:
    for medium in _MEDIA:
        text = text.replace(f"<{medium}>", "")
    return text.strip()
