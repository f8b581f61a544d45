"""The model of an endpoint: where a recipe is asked, with which keys, quotas and prices."""

import re
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from vqa_tui.config.faults import check_shares
from vqa_tui.config.image_token_rule import ImageTokenRule as ImageTokenRule
from vqa_tui.domain.cost import Prices
from vqa_tui.domain.run import MOST_REQUESTS_PER_DAY, MOST_REQUESTS_PER_MINUTE, MOST_TOKENS_PER_MINUTE

_MOST_DOLLARS = 1_000_000
_PRICE_PLACES = 12
_LONGEST_S = 86_400


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quota(_Strict):
    """Limits of a key or of a quota group; None is unlimited."""

    requests_per_minute: Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_MINUTE)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)] | None = None
    """Input and output together, as OpenAI counts."""
    input_tokens_per_minute: Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)] | None = None
    output_tokens_per_minute: Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)] | None = None
    requests_per_day: Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_DAY)] | None = None
    """A day begins at midnight of the endpoint's `day_resets`."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None


class KeyConfig(_Strict):
    """One key by name. Its value never stands in a file: it comes from the environment or the OS keyring."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=39)]
    """No longer than the flight journal holds, so that a request that a crash lost is known by its whole name."""
    env: str | None = None
    """Environment variable that holds the value; None sends the placeholder EMPTY, for servers without keys. With
    `token` it holds the path of a credentials file."""
    token: Literal["google"] | None = None
    """Makes the value instead of holding it: `google` asks google-auth for access tokens and for new ones in time (see
    config.google_tokens). Without `env` the Application Default Credentials of this machine count."""
    group: str | None = None
    """Keys of one account share one quota: name the same group. Default: the key stands alone."""
    quota: Quota | None = None


Price = Annotated[Decimal, Field(ge=0, le=_MOST_DOLLARS, decimal_places=_PRICE_PLACES)]


class EndpointPrices(_Strict):
    """Dollars per million tokens."""

    input_per_million: Price
    output_per_million: Price
    cached_input_per_million: Price | None = None
    """Of input read from the provider's cache; None bills it like other input."""
    image_input_per_million: Price | None = None
    """Of input that pictures took, where the endpoint tells it apart; where it does not and this is dearer, all input
    counts as a picture's. None bills it like other input."""
    cache_write_per_million: Price | None = None
    """Of input written into the provider's cache; None bills it like other input."""
    source: str = ""
    as_of: str = ""
    """The day that the prices are of, or "list of" a day: see config.price_list."""

    @property
    def prices(self) -> Prices:
        return Prices(
            self.input_per_million,
            self.output_per_million,
            self.cached_input_per_million,
            self.image_input_per_million,
            self.cache_write_per_million,
        )


class Timeouts(_Strict):
    """Seconds."""

    connect_s: Annotated[float, Field(gt=0, le=_LONGEST_S)] = 10
    first_byte_s: Annotated[float, Field(gt=0, le=_LONGEST_S)] = 120
    total_s: Annotated[float, Field(gt=0, le=_LONGEST_S)] = 300


class PictureLimits(_Strict):
    """What the endpoint accepts."""

    max_bytes: Annotated[int, Field(ge=1024)] = 15_000_000
    """Largest picture file before base64."""
    max_side: Annotated[int, Field(ge=16, le=100_000)] | None = None
    """Longest side in pixels that is accepted; a larger picture is shrunk to it, whatever the recipe says."""
    per_request: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Most pictures that one request may hold."""
    formats: tuple[Literal["JPEG", "PNG", "WEBP", "GIF"], ...] = ("JPEG", "PNG")

    def side(self, wanted: int | None) -> int | None:
        """Return the longest side in pixels at which a picture is sent that is wanted at `wanted` (None: as it is)."""
        return min((side for side in (wanted, self.max_side) if side is not None), default=None)

    def frames(self, wanted: int) -> int:
        """Return how many frames of a clip go into one request of which `wanted` are to."""
        return wanted if self.per_request is None else min(wanted, self.per_request)


class VideoLimits(_Strict):
    """How the endpoint takes videos; by default it takes only their frames."""

    takes: tuple[Literal["data", "uri"], ...] = ()
    """`data`: a video in the request, as a data URI. `uri`: the address of one, which it fetches."""
    part: Literal["video_url", "image_url"] = "video_url"
    """The `type` of the part of the message that holds a video."""
    max_bytes: Annotated[int, Field(ge=1024)] = 14_000_000
    """Largest video in a request before base64."""
    tokens_per_second: Annotated[float, Field(gt=0, le=100_000)] = 300
    """What a second of video counts, for estimates."""


class EmbeddedSettings(_Strict):
    """Behaviour of the embedded endpoint."""

    latency_ms: Annotated[float, Field(ge=0, le=_LONGEST_S * 1000)] = 200
    latency_spread: Annotated[float, Field(ge=0, le=1)] = 0.3
    requests_per_minute: Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_MINUTE)] | None = None
    """Per key; beyond it the server answers 429."""
    requests_per_minute_by_key: dict[str, Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_MINUTE)]] = Field(
        default_factory=dict
    )
    tokens_per_minute: Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)] | None = None
    """Per key, input and output together; beyond it the server answers 429."""
    tokens_per_minute_by_key: dict[str, Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)]] = Field(
        default_factory=dict
    )
    rate_limits_told: Literal["openai", "gemini", "nothing"] = "openai"
    """How limits are told: OpenAI's headers, Gemini's 429 body without any header, or a 429 that says nothing."""
    bad_keys: tuple[str, ...] = ()
    """Names of keys that the server refuses with 401."""
    fail: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Share of requests by fault; see config.faults."""
    seed: int = 0

    @field_validator("fail")
    @classmethod
    def _known_faults(cls, shares: dict[str, float]) -> dict[str, float]:
        check_shares(shares)
        return shares

    @property
    def named_keys(self) -> tuple[str, ...]:
        """The keys that these settings speak of."""
        return (*self.bad_keys, *self.requests_per_minute_by_key, *self.tokens_per_minute_by_key)


class Endpoint(_Strict):
    """One endpoint file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    description: str = ""
    kind: Literal["openai-compatible", "embedded"] = "openai-compatible"
    base_url: str = ""
    """Up to and without `/chat/completions`; empty for the embedded endpoint."""
    allow_unencrypted_keys: bool = False
    """Let keys go to a public host in plain HTTP, because something else protects the way."""
    model: str
    keys: Annotated[tuple[KeyConfig, ...], Field(min_length=1)]
    quota: Quota = Quota()
    """Quota of every key or group that has none of its own."""
    groups: dict[str, Quota] = Field(default_factory=dict)
    day_resets: str = "UTC"
    """Time zone (IANA name) at whose midnight a quota by the day begins anew; Google: America/Los_Angeles."""
    prices: EndpointPrices | None = None
    """None: a public list is asked by the model's name (config.price_list); what it does not know has no price, and a
    budget is refused."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    timeouts: Timeouts = Timeouts()
    picture: PictureLimits = PictureLimits()
    video: VideoLimits = VideoLimits()
    image_tokens: ImageTokenRule = ImageTokenRule()
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    leaves_out: tuple[Literal["temperature", "stop"], ...] = ()
    """Fields of a recipe that the endpoint refuses; they are not sent."""
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=64)] = "Authorization"
    """The header that carries the key: `Authorization` as "Bearer …", any other, such as Azure's `api-key`, the bare
    value."""
    query: dict[Annotated[str, Field(min_length=1)], str] = Field(default_factory=dict)
    """Added to the address of every request, such as Azure's `api-version`."""
    json_schema: bool = False
    """Whether it takes a JSON schema as `response_format`. Where it refuses one after all, it is asked without."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    extra_headers: dict[str, str] = Field(default_factory=dict)
    embedded: EmbeddedSettings = EmbeddedSettings()

    @field_validator("base_url")
    @classmethod
    def _address(cls, address: str) -> str:
        if not address:
            return address
        try:
            parts = urlsplit(address)
            host, _port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError("must be an http or https address")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must not carry user names, passwords or query strings; use keys")
        if parts.path.rstrip("/").endswith(_COMPLETIONS):
            right = urlunsplit((*parts[:2], parts.path.rstrip("/").removesuffix(_COMPLETIONS), "", ""))
            raise ValueError(f"must end before {_COMPLETIONS}: write {right}")
        return address

    @field_validator("keys")
    @classmethod
    def _different_names(cls, keys: tuple[KeyConfig, ...]) -> tuple[KeyConfig, ...]:
        names = [key.name for key in keys]
        if len(set(names)) != len(names):
            raise ValueError("two keys have the same name")
        return keys

    @field_validator("day_resets")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            near = get_close_matches(name, available_timezones(), 1)
            hint = f"; is it {near[0]}?" if near else ""
            raise ValueError(f"is no time zone; write an IANA name such as America/Los_Angeles or UTC{hint}") from None
        return name

    @field_validator("extra_headers")
    @classmethod
    def _no_secret_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        if secret := next((header for header in headers if header.lower() in _SECRET_HEADERS), None):
            raise ValueError(f"must not hold {secret}; name a key instead")
        return headers

    @field_validator("query")
    @classmethod
    def _no_secret_query(cls, query: dict[str, str]) -> dict[str, str]:
        if secret := next((name for name in query if name.lower() in _SECRET_QUERY), None):
            raise ValueError(f"must not hold {secret}, which servers write into their logs; name a key instead")
        return query

    @field_validator("embedded")
    @classmethod
    def _speaks_of_known_keys(cls, settings: EmbeddedSettings, info: ValidationInfo) -> EmbeddedSettings:
        known = [key.name for key in info.data.get("keys", ())]
        if known and (unknown := next((name for name in settings.named_keys if name not in known), None)):
            raise ValueError(f"no key of this endpoint is named {unknown!r}; its keys are {', '.join(known)}")
        return settings

    @model_validator(mode="after")
    def _has_an_address(self) -> "Endpoint":
        if self.kind == "openai-compatible" and not self.base_url:
            raise ValueError("base_url is required: the address up to and without /chat/completions")
        return self

    @property
    def placeholder(self) -> str:
        """The part of the address or the model that stands for a person's own, such as YOUR-RESOURCE; else empty."""
        found = _PLACEHOLDER.search(self.base_url) or _PLACEHOLDER.search(self.model)
        return found[0] if found else ""

    def group_of(self, key: KeyConfig) -> str:
        """Return the quota group of `key`; a key without one stands alone under its own name."""
        return key.group or key.name

    @property
    def is_near(self) -> bool:
        """Whether it is the embedded one, on this computer, or in a private network."""
        return self.kind == "embedded" or _is_near(urlsplit(self.base_url).hostname or "")

    @property
    def sends_keys_unencrypted(self) -> bool:
        """Whether a key that has a value would cross a public network in plain HTTP."""
        parts = urlsplit(self.base_url)
        return (
            self.kind == "openai-compatible"
            and parts.scheme == "http"
            and any(key.env is not None or key.token is not None for key in self.keys)
            and not _is_near(parts.hostname or "")
        )


def _is_near(host: str) -> bool:
    """Whether `host` is this computer or a private network; a name without a dot is resolved by the local network."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_NEAR_DOMAINS)
    return address.is_loopback or address.is_private or address.is_link_local


_COMPLETIONS = "/chat/completions"
_PLACEHOLDER = re.compile(r"\bYOUR-[A-Z]+\b")
_SECRET_QUERY = frozenset({"key", "api_key", "api-key", "apikey", "token", "access_token", "sig"})
_NEAR_DOMAINS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_SECRET_HEADERS = frozenset(
    {"authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"}
)
