"""Request bodies: everything but the prompt and the picture is written once, then spliced."""

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

import pybase64

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.own_fields import OWN_FIELDS
from vqa_tui.endpoints.clips import PreparedVideo
from vqa_tui.endpoints.error_body import storable
from vqa_tui.endpoints.pictures import PreparedPicture
from vqa_tui.endpoints.settings import EndpointSettings, RecipeSettings

_RULES_WITH_DETAIL = frozenset({"openai_tiles", "openai_patches"})
"""Others than OpenAI may refuse a field that they do not know."""

_PIECE = 3 * 256 * 1024
"""Bytes of a picture that are encoded at a time; a multiple of three, so that no padding comes in between."""


Media = PreparedPicture | tuple[PreparedPicture, ...] | PreparedVideo
"""What one request shows: a picture, the frames of a clip in order, or a video."""


class RequestBody:
    """Builds the bodies of one recipe at one endpoint (OpenAI chat completions with a data URI).

    Fields that the endpoint `leaves_out` are not sent. Free fields come from the endpoint's `extra_body`, then from the
    recipe's, which wins. Beside the picture stands the `detail` of the endpoint's image-token rule, where it states
    one: what is estimated is what is asked for. Raises VqaError when free fields set what is ours to set, or hold what
    JSON cannot.
    """

    def __init__(self, recipe: RecipeSettings, endpoint: EndpointSettings) -> None:
        generation = recipe.generation
        self._max_tokens_field = endpoint.max_tokens_field
        fields: dict[str, Any] = {"model": endpoint.model, self._max_tokens_field: generation.max_tokens}
        if generation.temperature is not None and "temperature" not in endpoint.leaves_out:
            fields["temperature"] = generation.temperature
        if generation.stop and "stop" not in endpoint.leaves_out:
            fields["stop"] = list(generation.stop)
        schema = recipe.schema_of_reply if endpoint.json_schema else None
        asked = None if schema is None else _response_format(schema)
        if asked is not None:
            fields["response_format"] = asked
        for owner, extra in (
            (f"the endpoint {endpoint.name}", endpoint.extra_body),
            (f"the recipe {recipe.name}", generation.extra_body),
        ):
            if taken := sorted(OWN_FIELDS & extra.keys()):
                raise VqaError(f"extra_body of {owner} must not set `{taken[0]}`", hint="Remove it; it is set for you.")
            fields |= extra
        try:
            self._head = _head(fields)
        except (TypeError, ValueError) as error:
            raise VqaError(
                f"extra_body of the recipe {recipe.name} or the endpoint {endpoint.name} is not JSON: {error}"
            ) from error
        self._fields = fields
        self._has_schema = asked is not None and fields["response_format"] is asked
        self._longer = (generation.max_tokens, self._head)
        self._text_first = recipe.text_first
        rule = endpoint.image_tokens
        asks = rule.rule in _RULES_WITH_DETAIL and rule.detail is not None
        self._picture_end = b'","detail":' + _string(rule.detail or "") + b"}}" if asks else b'"}}'
        self._system = ("", b"")
        """The newest system prompt and its message; one value, for several threads build bodies."""

    def build(self, system: str, user: str, picture: Media | None, max_tokens: int | None = None) -> bytes:
        """Return the JSON of one request; an empty `system` is left out, and `max_tokens` replaces the recipe's.
        Without a picture the content is a plain text, which models without eyes take too. Any thread may call it."""
        head = self._head if max_tokens is None else self._head_with(max_tokens)
        known, message = self._system
        if system != known:
            message = b'{"role":"system","content":' + _string(system) + b"}," if system else b""
            self._system = (system, message)
        if picture is None:
            return b"".join((head, message, b'{"role":"user","content":', _string(user), b"}]}"))
        text = b'{"type":"text","text":' + _string(user) + b"}"
        shown: list[bytes] = []
        for each in picture if isinstance(picture, tuple) else (picture,):
            shown += (b",", *self._part(each)) if shown else self._part(each)
        start = (head, message, b'{"role":"user","content":[')
        if self._text_first:
            return b"".join((*start, text, b",", *shown, b"]}]}"))
        return b"".join((*start, *shown, b",", text, b"]}]}"))

    def _part(self, shown: PreparedPicture | PreparedVideo) -> list[bytes]:
        if isinstance(shown, PreparedPicture):
            start = b'{"type":"image_url","image_url":{"url":"data:' + shown.mime.encode("ascii") + b";base64,"
            return [start, *_base64(shown.data), self._picture_end]
        part = shown.part.encode("ascii")
        start = b'{"type":"' + part + b'","' + part + b'":{"url":'
        if shown.uri:
            return [start, _string(shown.uri), b"}}"]
        return [start, b'"data:', shown.mime.encode("ascii"), b";base64,", *_base64(shown.data), b'"}}']

    def asks_for_schema(self, body: bytes) -> bool:
        """Tell whether `body`, built here, holds the schema of the recipe's replies."""
        return self._has_schema and b'"response_format":' in body[: body.find(_MESSAGES)]

    def leave_schema_out(self) -> bool:
        """Build without the schema from here on; False where it was left out already."""
        if not self._has_schema or "response_format" not in self._fields:
            return False
        self._fields = {name: value for name, value in self._fields.items() if name != "response_format"}
        self._head = _head(self._fields)
        self._longer = (self._fields[self._max_tokens_field], self._head)
        return True

    def _head_with(self, max_tokens: int) -> bytes:
        known, head = self._longer
        if max_tokens != known:
            head = _head(self._fields | {self._max_tokens_field: max_tokens})
            self._longer = (max_tokens, head)
        return head


_MESSAGES = b',"messages":['


def _head(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)[:-1].encode() + _MESSAGES


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    # OpenAI's strict form wants every key to be required, and knows no bounds of numbers.
    strict = sorted(schema["required"]) == sorted(schema["properties"])
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(schema), "strict": strict}}


def _base64(data: bytes) -> list[bytes]:
    # In pieces, because the interpreter is locked while one is encoded; joining them happens outside of the lock.
    view = memoryview(data)
    return [pybase64.b64encode(view[start : start + _PIECE]) for start in range(0, len(data), _PIECE)]


def _string(text: str) -> bytes:
    # Strict servers answer 400 to an escaped lone surrogate, and dataset text can hold one.
    return encode_basestring_ascii(storable(text)).encode("ascii")
