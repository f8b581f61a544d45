"""Reading the body of a chat completion: text, pictures and the parameters that matter here."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pybase64

from vqa_tui.embedded.errors import bad_request
from vqa_tui.embedded.videos import SentVideo

MAX_PICTURES = 32
_FETCHED_ELSEWHERE = ("gs://", "s3://")
"""What stands in the place of a picture is a video where it begins so: no server here fetches pictures from there."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One chat completion as asked for."""

    model: str
    prompt: str
    """Text of the system, developer and user messages, in order, joined by line breaks."""
    text_characters: int
    """Length of the text of all messages."""
    pictures: tuple[bytes, ...]
    """Picture files of the user messages, decoded from their data URLs."""
    videos: tuple[SentVideo, ...]
    max_tokens: int | None
    stop: tuple[str, ...]
    json_object: bool
    """Whether `response_format` demands a JSON object at the top of the reply."""


def read_chat_request(body: bytes) -> ChatRequest:
    """Parse the body of POST /v1/chat/completions. Raises ApiError 400 that names the offending field."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"The body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise bad_request("The body must be a JSON object.")
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("You must name a model.", param="model")
    if fields.get("stream"):
        raise bad_request("This server does not stream; leave `stream` out.", param="stream", code="unsupported_value")
    if fields.get("n") not in (None, 1):
        raise bad_request("This server writes one choice; `n` must be 1.", param="n", code="unsupported_value")
    texts, shown, characters = _read_messages(fields.get("messages"))
    return ChatRequest(
        model=model,
        prompt="\n".join(texts),
        text_characters=characters,
        pictures=tuple(each for each in shown if isinstance(each, bytes)),
        videos=tuple(each for each in shown if isinstance(each, SentVideo)),
        max_tokens=_max_tokens(fields),
        stop=_stop(fields.get("stop")),
        json_object=_wants_object(fields.get("response_format")),
    )


def _read_messages(messages: Any) -> tuple[list[str], list[bytes | SentVideo], int]:
    if not isinstance(messages, list) or not messages:
        raise bad_request("`messages` must be a list with at least one message.", param="messages")
    texts: list[str] = []
    shown: list[bytes | SentVideo] = []
    characters = 0
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise bad_request("Each message is an object with a known `role`.", param=f"{where}.role")
        content = message.get("content")
        if content is None and message["role"] == "assistant":
            continue
        own_texts = [content] if isinstance(content, str) else _read_parts(content, f"{where}.content", shown)
        characters += sum(map(len, own_texts))
        if message["role"] not in ("assistant", "tool"):
            texts += own_texts
    return texts, shown, characters


def _read_parts(parts: Any, where: str, shown: list[bytes | SentVideo]) -> list[str]:
    if not isinstance(parts, list):
        raise bad_request("`content` must be a text or a list of parts.", param=where)
    texts: list[str] = []
    for number, part in enumerate(parts):
        place = f"{where}[{number}]"
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)}} if not _means_video(url):
                if len(shown) == MAX_PICTURES:
                    raise bad_request(f"At most {MAX_PICTURES} pictures fit in one request.", param=place)
                shown.append(_decode_data_url(url, f"{place}.image_url.url"))
            case {"type": "video_url", "video_url": {"url": str(url)}}:
                shown.append(_read_video(url, f"{place}.video_url.url"))
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                shown.append(_read_video(url, f"{place}.image_url.url"))
            case _:
                raise bad_request(
                    "A part is `text` with `text`, `image_url` with `image_url.url`, or `video_url` with its `url`.",
                    param=place,
                )
    return texts


def _means_video(url: str) -> bool:
    lowered = url[:100].lower()
    return lowered.startswith("data:video/") or lowered.startswith(_FETCHED_ELSEWHERE)


def _read_video(url: str, where: str) -> SentVideo:
    if _ADDRESS.match(url) and not url.lower().startswith("file:"):
        return SentVideo(uri=url)
    head, comma, payload = url.partition(",")
    if not head.lower().startswith("data:video/") or not head.lower().endswith(";base64") or not comma:
        raise bad_request(
            "Videos must be data URLs, data:video/…;base64,…, or addresses such as gs://….",
            param=where,
            code="invalid_video_url",
        )
    try:
        return SentVideo(pybase64.b64decode(payload, validate=True))
    except ValueError:
        raise bad_request("The video is not valid base64.", param=where, code="invalid_base64") from None


def _decode_data_url(url: str, where: str) -> bytes:
    head, comma, payload = url.partition(",")
    if not head.lower().startswith("data:image/") or not head.lower().endswith(";base64") or not comma:
        raise bad_request(
            "Pictures must be data URLs, data:image/…;base64,…; this server fetches nothing.",
            param=where,
            code="invalid_image_url",
        )
    try:
        return pybase64.b64decode(payload, validate=True)
    except ValueError:
        raise bad_request("The picture is not valid base64.", param=where, code="invalid_base64") from None


def _max_tokens(fields: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise bad_request(f"`{name}` must be a whole number of at least 1.", param=name)
        return value
    return None


def _stop(value: Any) -> tuple[str, ...]:
    sequences = [value] if isinstance(value, str) else value or []
    if not isinstance(sequences, list) or not all(isinstance(entry, str) and entry for entry in sequences):
        raise bad_request("`stop` must be a text or a list of texts.", param="stop")
    return tuple(sequences)


def _wants_object(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("json_object", "json_schema")
