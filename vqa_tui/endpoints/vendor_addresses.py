"""Where well-known vendors and servers are: what an address must end with, and what to do when it cannot be reached."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class _Vendor:
    host: re.Pattern[str]
    path: re.Pattern[str]
    """What a right path matches, without a slash at its end."""
    right: str
    """The right address, for a person to copy."""


def _vendor(host: str, path: str, right: str) -> _Vendor:
    return _Vendor(re.compile(host), re.compile(path), right)


_VENDORS = (
    _vendor(
        r"generativelanguage\.googleapis\.com",
        r"/v1(?:beta|alpha)?/openai",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
    ),
    _vendor(
        r"(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com",
        r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/endpoints/[^/]+",
        "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global/endpoints/openapi",
    ),
    _vendor(r"api\.openai\.com", r"/v1", "https://api.openai.com/v1"),
    _vendor(r"api\.anthropic\.com", r"/v1", "https://api.anthropic.com/v1/"),
    _vendor(r"openrouter\.ai", r"/api/v1", "https://openrouter.ai/api/v1"),
    _vendor(
        r"[a-z0-9-]+\.(?:openai|cognitiveservices)\.azure\.com|[a-z0-9-]+\.services\.ai\.azure\.com",
        r"/openai/(?:v1|deployments/[^/]+)",
        "https://RESOURCE.openai.azure.com/openai/deployments/DEPLOYMENT (with `query: {api-version: …}`)",
    ),
)
_SERVERS = {
    11434: "Ollama: `ollama serve`",
    8000: "vLLM: `vllm serve MODEL`, or `transformers serve`",
    30000: "SGLang: `python -m sglang.launch_server`",
    1234: "LM Studio: its local server",
    4000: "LiteLLM: `litellm`",
    8080: "llama.cpp: `llama-server`",
}
"""The programs that listen on a port unless told otherwise."""
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def right_address(base_url: str) -> str:
    """Return the address that `base_url` should be, where its host is known and its path is not the host's; else ''.

    The paths are those of the vendors' own pages on OpenAI compatibility.
    """
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    known = next((each for each in _VENDORS if each.host.fullmatch(parts.hostname or "")), None)
    if known is not None:
        return "" if known.path.fullmatch(path) else known.right
    is_server = parts.port in _SERVERS and not path
    return f"{base_url.rstrip('/')}/v1" if is_server else ""


def is_vendor(base_url: str) -> bool:
    """Whether the host is a vendor's public one, which needs no VPN."""
    return any(each.host.fullmatch(urlsplit(base_url).hostname or "") for each in _VENDORS)


def is_this_computer(base_url: str) -> bool:
    """Whether the address leads to this computer."""
    return (urlsplit(base_url).hostname or "") in _HERE


def server_at(base_url: str) -> str:
    """Return which program usually listens on the port of `base_url` and how it is started; '' where none is known."""
    return _SERVERS.get(urlsplit(base_url).port or 0, "")
