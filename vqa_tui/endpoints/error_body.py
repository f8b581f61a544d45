"""Reading what an endpoint says about an error: OpenAI objects, Google's lists, gateways' wrappings, web pages."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_TITLE = re.compile(r"<(title|h1)[^>]{0,200}>([^<]{1,300})", re.I)
_TAG = re.compile(r"<[^>]{0,500}>")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_MESSAGE_FIELDS = ("message", "detail", "msg", "error_description", "title", "error")
_CODE_FIELDS = ("code", "type", "status", "reason", "innererror", "param_code")
_METADATA_CODES = ("limit_source", "error_type")
_MOST_QUOTED_OBJECTS = 3
_MOST_READ_CHARS = 200_000
_MOST_SEEN_CHARS = 10_000
"""Of a web page or plain text: what it says stands at its top, and searching more would hold up other requests."""
_DEEPEST = 4
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error body says. Hostile text."""

    message: str = ""
    """On one line; empty when the body says nothing."""
    codes: frozenset[str] = frozenset()
    """Every code, type, status and reason that it names, in lower case."""
    details: tuple[dict[str, Any], ...] = ()
    """The entries of Google's `details`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that a gateway wrote into its error object (OpenRouter: `metadata.headers`), names in lower case."""


def read_error_body(body: str) -> ErrorBody:
    """Return what `body` says, whatever it is: any JSON, HTML, plain text or nothing. Never raises."""
    body = body[:_MOST_READ_CHARS].strip()
    value = _as_json(body)
    if isinstance(value, (dict, list)):
        return _from_json(value, _DEEPEST)
    return ErrorBody(storable(_one_line(_visible_text(body[:_MOST_SEEN_CHARS]))))


def storable(text: str) -> str:
    """Return `text` with lone surrogates, legal in JSON but in no UTF-8 file or database, replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _from_json(value: Any, depth: int) -> ErrorBody:
    # Google's OpenAI-compatible address wraps its error object into a list of one.
    if isinstance(value, list):
        value = next((entry for entry in value if isinstance(entry, dict)), {})
    if isinstance(inner := value.get("error"), (dict, list)) and depth:
        found = _from_json(inner, depth - 1)
        return replace(found, codes=found.codes | _codes(value))
    # OpenRouter writes what went wrong while the model answered into the choice.
    choices = value.get("choices")
    if depth and isinstance(choices, list) and choices and isinstance(choices[0], dict) and "error" in choices[0]:
        return _from_json(choices[0], depth - 1)
    message = next((text for name in _MESSAGE_FIELDS if (text := _text_in(value.get(name)))), "")
    details = value.get("details")
    found = ErrorBody(
        storable(_one_line(message)),
        frozenset(_codes(value)),
        tuple(entry for entry in details if isinstance(entry, dict)) if isinstance(details, list) else (),
    )
    if isinstance(metadata := value.get("metadata"), dict):
        found = _with_metadata(found, metadata, depth)
    # Gateways put the whole body of the provider into their own `message`.
    if depth and (deeper := _quoted(message, depth)) is not None:
        return replace(deeper, codes=found.codes | deeper.codes)
    return found


def _with_metadata(found: ErrorBody, metadata: dict[str, Any], depth: int) -> ErrorBody:
    """Add what OpenRouter tells beside its own "Provider returned error": the provider's words, and headers."""
    codes = {code.lower() for name in _METADATA_CODES if isinstance(code := metadata.get(name), str)}
    headers = metadata.get("headers")
    if isinstance(headers, dict):
        found = replace(found, headers={str(name).lower(): str(text)[:200] for name, text in headers.items()})
    raw = metadata.get("raw")
    if isinstance(raw, str) and raw.strip() and depth:
        value = _as_json(raw.strip())
        deeper = (
            _from_json(value, depth - 1) if isinstance(value, (dict, list)) else ErrorBody(storable(_one_line(raw)))
        )
        words = f"{found.message}: {deeper.message}" if deeper.message else found.message
        found = replace(found, message=words, codes=found.codes | deeper.codes, details=found.details or deeper.details)
    return replace(found, codes=found.codes | codes)


def _quoted(message: str, depth: int) -> ErrorBody | None:
    """Return what the first JSON object inside `message` says, or None when there is none that says anything."""
    start = -1
    for _ in range(_MOST_QUOTED_OBJECTS):
        start = message.find("{", start + 1)
        if start < 0:
            return None
        try:
            value, _end = _DECODER.raw_decode(message, start)
        except (ValueError, RecursionError):
            continue
        deeper = _from_json(value, depth - 1)
        if deeper.message:
            return deeper
    return None


def _codes(value: dict[str, Any]) -> frozenset[str]:
    return frozenset(code.lower() for code in _codes_in(value))


def _codes_in(value: dict[str, Any]) -> Iterator[str]:
    for name in _CODE_FIELDS:
        code = value.get(name)
        if isinstance(code, str) and len(code) <= 100:
            yield code
        elif isinstance(code, dict) and isinstance(inner := code.get("code"), str):
            yield inner
    if isinstance(details := value.get("details"), list):
        for entry in details:
            if isinstance(entry, dict) and isinstance(reason := entry.get("reason"), str):
                yield reason
    # OpenRouter answers 403 for a bad key and for a picture that its moderation flagged; only this tells them apart.
    if isinstance(metadata := value.get("metadata"), dict) and "flagged_input" in metadata:
        yield "flagged_input"


def _text_in(value: Any) -> str:
    """Return a message out of a text, or out of FastAPI's list of `{"loc": …, "msg": …}`."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((text for name in _MESSAGE_FIELDS if isinstance(text := value.get(name), str)), "")
    return value if isinstance(value, str) else ""


def _as_json(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _visible_text(body: str) -> str:
    if "<" not in body:
        return body
    if title := _TITLE.search(body):
        return html.unescape(title[2])
    return html.unescape(_TAG.sub(" ", body))


def _one_line(text: str) -> str:
    return " ".join(text.split())
