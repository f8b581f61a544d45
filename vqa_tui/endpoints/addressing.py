"""What an endpoint wants around its address: how the key is carried, and what is added to the query."""

from urllib.parse import urlencode

from vqa_tui.endpoints.settings import EndpointSettings

BEARER = "authorization"


def key_headers(endpoint: EndpointSettings, key: str) -> dict[str, str]:
    """Return the header that carries `key`: as a bearer token (RFC 6750, section 2.1), or bare in another header."""
    return {endpoint.key_header: f"Bearer {key}" if endpoint.key_header.lower() == BEARER else key}


def with_query(endpoint: EndpointSettings) -> str:
    """Return the query of every address, with its question mark; empty where there is none."""
    return f"?{urlencode(dict(endpoint.query))}" if endpoint.query else ""
