"""Checking records of chat `messages` by the rules of the trainer that reads them."""

from dataclasses import dataclass
from typing import Any

from vqa_tui.exporters.checked_record import CheckedRecord, compare_tags, named_media, parts_of, without_tags

SHAREGPT = "sharegpt"
TRL = "trl"
UNSLOTH = "unsloth"
OPENAI = "openai-ft"
MODEL_GARDEN = "model-garden"
MESSAGE_FORMATS = (SHAREGPT, TRL, UNSLOTH, OPENAI, MODEL_GARDEN)

OPENAI_MOST_IMAGES = 10
OPENAI_MOST_BYTES = 10_000_000
"""For one picture (OpenAI, vision fine-tuning guide)."""
_OPENAI_TYPES = ("image/jpeg", "image/png", "image/webp")
_OPENAI_DETAIL = (None, "auto", "low", "high", "original")
_ROLES = ("user", "assistant")


@dataclass(slots=True)
class _Turns:
    """Texts of questions and answers in turn, and the sources of image parts; None stands for `{"type": "image"}`."""

    texts: list[str]
    parts: list[str | None]
    asked: list[list[str | None]]
    """The questions in parts: texts, and None where a picture stands."""


def message_format(record: dict[str, Any], expected: str) -> str:
    """Return the format that `messages` have by their content: `expected`, where that is one of them."""
    if expected in MESSAGE_FORMATS:
        return expected
    messages = record["messages"] if isinstance(record["messages"], list) else []
    contents = [each.get("content") for each in messages if isinstance(each, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    if not parts:
        return SHAREGPT
    if any(part.get("type") == "image_url" for part in parts):
        return OPENAI
    return UNSLOTH if any(part.get("image") is not None for part in parts) else TRL


def check_messages(record: dict[str, Any], checked: CheckedRecord) -> None:
    """Check `messages` by the rules of `checked.format`, and take their pairs and pictures."""
    checked.images = named_media(record, "image", checked)
    checked.videos = named_media(record, "video", checked)
    turns = _turns(record["messages"], checked)
    if turns is None:
        return
    questions, answers = turns.texts[::2], turns.texts[1::2]
    if len(turns.texts) % 2:
        checked.faults.append("the last question has no answer")
    if checked.format == SHAREGPT:
        compare_tags(questions, answers, checked)
        checked.asked = [parts_of(question) for question in questions]
        questions = [without_tags(question) for question in questions]
    else:
        checked.asked = turns.asked
        _check_parts(turns.parts, checked)
    checked.pairs = list(zip(questions, answers, strict=False))
    if checked.format == MODEL_GARDEN and len(checked.pairs) > 1:
        checked.faults.append(f"{len(checked.pairs)} questions in a record; the trainer keeps the first only")


def _turns(messages: Any, checked: CheckedRecord) -> _Turns | None:
    if not isinstance(messages, list) or not messages:
        checked.faults.append("`messages` is no list of messages")
        return None
    turns = _Turns([], [], [])
    first = 1 if isinstance(messages[0], dict) and messages[0].get("role") == "system" else 0
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        expected = "system" if index < first else _ROLES[(index - first) % 2]
        if role != expected:
            spoken = f"is of `{role}`" if isinstance(role, str) else "has no `role`"
            checked.faults.append(f"message {index + 1} {spoken}, not of `{expected}`")
            return None
        text = _text(message.get("content"), role, index + 1, turns, checked)
        if text is None:
            return None
        if role != "system":
            turns.texts.append(text)
    if not turns.texts:
        checked.faults.append("`messages` holds no question")
        return None
    return turns


def _text(content: Any, role: str, number: int, turns: _Turns, checked: CheckedRecord) -> str | None:
    """Return the text of a message and note its pictures; None, with a fault, when the content has not the form."""
    if isinstance(content, str):
        if role == "user":
            turns.asked.append([content])
        if checked.format in (UNSLOTH, MODEL_GARDEN):
            checked.faults.append(f"message {number} has plain text for a content; {checked.format} needs a list")
            return None
        return content
    if checked.format == SHAREGPT or not isinstance(content, list):
        wanted = "text" if checked.format == SHAREGPT else "list or text"
        checked.faults.append(f"message {number} has no {wanted} in `content`")
        return None
    if checked.format == OPENAI and role == "assistant":
        checked.faults.append(f"message {number}: the answer is not plain text")
        return None
    texts: list[str] = []
    in_order: list[str | None] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
            in_order.append(part["text"])
        elif kind in _PICTURE_PARTS.get(checked.format, ()):
            if role != "user":
                checked.faults.append(f"message {number} of `{role}` holds a picture")
            turns.parts.append(_source(part, kind, checked))
            in_order.append(None)
        else:
            checked.faults.append(f"message {number} has a part that is neither text nor picture for {checked.format}")
            return None
    if role == "user":
        turns.asked.append(in_order)
    return "\n".join(texts)


_PICTURE_PARTS = {
    TRL: ("image",),
    UNSLOTH: ("image", "image_url"),
    OPENAI: ("image_url",),
    MODEL_GARDEN: ("image", "image_url"),
}


def _source(part: dict[str, Any], kind: str, checked: CheckedRecord) -> str | None:
    found = part.get(kind)
    if kind == "image_url" and isinstance(found, dict):
        if checked.format == OPENAI and found.get("detail") not in _OPENAI_DETAIL:
            checked.faults.append(f"`detail` is {found['detail']!r}; known are auto, low, high and original")
        found = found.get("url")
    return found if isinstance(found, str) and found else None


def _check_parts(parts: list[str | None], checked: CheckedRecord) -> None:
    column = checked.images
    if checked.format == TRL:
        if parts and len(parts) != len(column):
            checked.faults.append(f"{len(parts)} image parts for {len(column)} image file(s)")
        return
    if column:
        # Unsloth takes the column in the place of what the parts name.
        if len(parts) != len(column):
            checked.faults.append(f"{len(parts)} image parts for {len(column)} image file(s)")
        return
    if None in parts:
        checked.faults.append("an image part names no picture")
    named = [part for part in parts if part is not None]
    if checked.format == OPENAI and len(named) > OPENAI_MOST_IMAGES:
        checked.faults.append(f"{len(named)} pictures in a record; OpenAI takes {OPENAI_MOST_IMAGES}")
    for source in named:
        if is_url(source):
            checked.elsewhere += 1
        else:
            checked.images.append(source)
        if checked.format == MODEL_GARDEN:
            check_model_garden_image(source, checked)
        elif checked.format == OPENAI and not is_url(source):
            _check_openai_image(source, checked)


def _check_openai_image(source: str, checked: CheckedRecord) -> None:
    head, _, data = source.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    if not (head.startswith("data:") and head.endswith(";base64")):
        checked.faults.append("a picture is neither a URL nor a data URI in base64; OpenAI cannot read files")
    elif media_type not in _OPENAI_TYPES:
        checked.faults.append(f"a picture of type {media_type}; OpenAI takes JPEG, PNG and WEBP")
    elif len(data) * 3 // 4 > OPENAI_MOST_BYTES:
        checked.faults.append(f"a picture of more than {OPENAI_MOST_BYTES:,} bytes, the limit of OpenAI")


def check_model_garden_image(source: str, checked: CheckedRecord) -> None:
    """Note what the trainer would silently replace by a blank picture: a URL, or a path that it does not find."""
    if is_url(source):
        checked.faults.append("the picture is a URL; the trainer puts a blank picture in its place")
    elif not source.startswith(("/", "data:")) and source[1:3] not in (":\\", ":/"):
        checked.faults.append(
            "the picture is a relative path, for which the trainer takes a blank picture; write the whole path"
        )


def is_url(source: str) -> bool:
    """Return whether a picture is named by where it lies on the web."""
    return source.startswith(("http://", "https://"))
