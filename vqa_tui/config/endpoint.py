"""The model of an endpoint: where a recipe is asked, with which keys, quotas and prices."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quota(_Strict):
    """Limits of a key or of a quota group; None is unlimited."""

    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None


class KeyConfig(_Strict):
    """One key by name. Its value never stands in a file: it comes from the environment or the OS keyring."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    env: str | None = None
    """Environment variable that holds the value; None sends the placeholder EMPTY, for servers without keys."""
    group: str | None = None
    """Keys of one account share one quota: name the same group. Default: the key stands alone."""
    quota: Quota | None = None


class EndpointPrices(_Strict):
    """Dollars per million tokens."""

    input_per_million: Annotated[Decimal, Field(ge=0)]
    output_per_million: Annotated[Decimal, Field(ge=0)]
    source: str = ""
    as_of: str = ""


class Timeouts(_Strict):
    """Seconds."""

    connect_s: Annotated[float, Field(gt=0)] = 10
    first_byte_s: Annotated[float, Field(gt=0)] = 120
    total_s: Annotated[float, Field(gt=0)] = 300


class PictureLimits(_Strict):
    """What the endpoint accepts."""

    max_bytes: Annotated[int, Field(ge=1024)] = 15_000_000
    """Largest picture file before base64."""
    formats: tuple[Literal["JPEG", "PNG", "WEBP", "GIF"], ...] = ("JPEG", "PNG")


class ImageTokenRule(_Strict):
    """How the endpoint counts a picture in tokens; see domain.image_tokens."""

    rule: Literal["fixed", "gemini_tiles", "openai_tiles", "pixels"] = "fixed"
    tokens: int = 1500
    """`fixed`: tokens per picture."""
    base: int = 85
    """`openai_tiles`: base tokens."""
    tile: int = 170
    """`openai_tiles`: tokens per 512-pixel tile."""
    pixels_per_token: int = 750
    """`pixels`: pixels per token, side by side with vendors that bill by area."""


class EmbeddedSettings(_Strict):
    """Behaviour of the embedded endpoint."""

    latency_ms: Annotated[float, Field(ge=0)] = 200
    latency_spread: Annotated[float, Field(ge=0, le=1)] = 0.3
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Per key; beyond it the server answers 429."""
    requests_per_minute_by_key: dict[str, int] = Field(default_factory=dict)
    bad_keys: tuple[str, ...] = ()
    """Names of keys that the server refuses with 401."""
    fail: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Share of requests by fault: 500, 503, reset, truncated, bad_json, refused, empty, timeout."""
    seed: int = 0


class Endpoint(_Strict):
    """One endpoint file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    description: str = ""
    kind: Literal["openai-compatible", "embedded"] = "openai-compatible"
    base_url: str = ""
    """Up to and without `/chat/completions`; empty for the embedded endpoint."""
    model: str
    keys: Annotated[tuple[KeyConfig, ...], Field(min_length=1)]
    quota: Quota = Quota()
    """Quota of every key or group that has none of its own."""
    groups: dict[str, Quota] = Field(default_factory=dict)
    prices: EndpointPrices | None = None
    """None: the price is unknown, and a budget is refused."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    timeouts: Timeouts = Timeouts()
    picture: PictureLimits = PictureLimits()
    image_tokens: ImageTokenRule = ImageTokenRule()
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    extra_body: dict[str, Any] = Field(default_factory=dict)
    extra_headers: dict[str, str] = Field(default_factory=dict)
    embedded: EmbeddedSettings = EmbeddedSettings()

    @model_validator(mode="after")
    def _consistent(self) -> "Endpoint":
        if self.kind == "openai-compatible":
            parts = urlsplit(self.base_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("base_url must be an http or https address")
            if parts.username or parts.password or parts.query:
                raise ValueError("base_url must not carry user names, passwords or query strings; use keys")
        names = [key.name for key in self.keys]
        if len(set(names)) != len(names):
            raise ValueError("two keys have the same name")
        if secret := next((h for h in self.extra_headers if h.lower() in _SECRET_HEADERS), None):
            raise ValueError(f"extra_headers must not hold {secret}; name a key instead")
        return self

    def group_of(self, key: KeyConfig) -> str:
        """Return the quota group of `key`; a key without one stands alone under its own name."""
        return key.group or key.name

    @property
    def shown_url(self) -> str:
        """The base URL without query string and user info."""
        parts = urlsplit(self.base_url)
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit((parts.scheme, f"{parts.hostname or ''}{port}", parts.path, "", ""))


_SECRET_HEADERS = frozenset(
    {"authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"}
)
