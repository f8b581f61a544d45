"""Hiding a key in what an endpoint says: some servers repeat it in errors, headers or lists."""

from pydantic import SecretStr

from vqa_tui.endpoints.error_body import storable
from vqa_tui.endpoints.settings import EndpointSettings

_SHORTEST_SECRET = 8
_REDACTED = "[redacted]"


def without_key(text: str, key: SecretStr, endpoint: EndpointSettings) -> str:
    """Return `text`, storable and without the value of `key`. Short placeholders and embedded keys are no secrets."""
    text, value = storable(text), key.get_secret_value()
    if len(value) < _SHORTEST_SECRET or endpoint.kind == "embedded":
        return text
    return text.replace(value, _REDACTED)
