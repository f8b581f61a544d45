"""Request bodies: everything but the prompt and the picture is written once, then spliced."""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

import pybase64

from vqa_tui.domain.failure import VqaError
from vqa_tui.endpoints.error_body import storable
from vqa_tui.endpoints.pictures import PreparedPicture
from vqa_tui.endpoints.settings import EndpointSettings, RecipeSettings

_OWN_FIELDS = frozenset({"model", "messages", "stream", "n"})


class RequestBody:
    """Builds the bodies of one recipe at one endpoint (OpenAI chat completions with a data URI).

    Free fields come from the endpoint's `extra_body`, then from the recipe's, which wins. Raises VqaError when they set
    what is ours to set, or hold what JSON cannot.
    """

    def __init__(self, recipe: RecipeSettings, endpoint: EndpointSettings) -> None:
        generation = recipe.generation
        fields: dict[str, Any] = {"model": endpoint.model, endpoint.max_tokens_field: generation.max_tokens}
        if generation.temperature is not None:
            fields["temperature"] = generation.temperature
        if generation.stop:
            fields["stop"] = list(generation.stop)
        for owner, extra in (
            (f"the endpoint {endpoint.name}", endpoint.extra_body),
            (f"the recipe {recipe.name}", generation.extra_body),
        ):
            if taken := sorted(_OWN_FIELDS & extra.keys()):
                raise VqaError(f"extra_body of {owner} must not set `{taken[0]}`", hint="Remove it; it is set for you.")
            fields |= extra
        try:
            head = json.dumps(fields, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise VqaError(
                f"extra_body of the recipe {recipe.name} or the endpoint {endpoint.name} is not JSON: {error}"
            ) from error
        self._head = head[:-1].encode() + b',"messages":['
        self._text_first = recipe.text_first
        self._system = ""
        self._system_message = b""

    def build(self, system: str, user: str, picture: PreparedPicture) -> bytes:
        """Return the JSON of one request; an empty `system` is left out."""
        if system != self._system:
            self._system = system
            self._system_message = b'{"role":"system","content":' + _string(system) + b"}," if system else b""
        text = b'{"type":"text","text":' + _string(user) + b"}"
        before = b'{"type":"image_url","image_url":{"url":"data:' + picture.mime.encode("ascii") + b";base64,"
        encoded = pybase64.b64encode(picture.data)
        start = (self._head, self._system_message, b'{"role":"user","content":[')
        if self._text_first:
            return b"".join((*start, text, b",", before, encoded, b'"}}]}]}'))
        return b"".join((*start, before, encoded, b'"}},', text, b"]}]}"))


def _string(text: str) -> bytes:
    # Strict servers answer 400 to an escaped lone surrogate, and dataset text can hold one.
    return encode_basestring_ascii(storable(text)).encode("ascii")
