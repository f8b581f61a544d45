"""What a model costs by the public list of the `genai-prices` package, for endpoints that state no prices themselves.

The list is the one inside the installed package; it is never fetched. A listed price is what the vendor asks of
everyone: a gateway's or a contract's own terms may differ.
"""

import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vqa_tui.config.endpoint import Endpoint, EndpointPrices

if TYPE_CHECKING:
    # At run time only where a price is looked up: the list takes a fifth of a second to load.
    from genai_prices.types import ModelInfo, ModelPrice, Provider

PACKAGE = "genai-prices"
LIST_OF = "list of "
"""Before the day of the list itself, where it does not tell since when a price holds."""
_LONGEST_NAME = 200
_FIELDS = {
    "input_per_million": "input_mtok",
    "output_per_million": "output_mtok",
    "cached_input_per_million": "cache_read_mtok",
    "image_input_per_million": "input_image_mtok",
    "cache_write_per_million": "cache_write_mtok",
}
_BESIDE_TOKENS = ("requests_kcount", "input_mchars", "input_text_messages_kcount")
"""Charges by the request or the character: a bill that tokens alone would understate."""
_PLACE = Decimal("1e-12")

_TERMS = ("service_tier", "speed")
"""Fields of a request by which OpenAI, Google and Anthropic ask for other terms at another price."""
_STANDARD_TERMS = frozenset({"default", "standard", "standard_only"})
_ANY_TERMS = "auto"
"""The vendor chooses, by the settings of the account."""


def listed_prices(
    endpoint: Endpoint,
    *,
    extra_body: Mapping[str, Any] | None = None,
    input_tokens: int = 0,
    at: datetime | None = None,
) -> EndpointPrices | None:
    """Return the list price of the endpoint's model, or None when it is not known for certain.

    The address says which vendor; at an unknown address the name of the model does, if only one vendor's models or
    equal prices fit it. `input_tokens` is the largest request: above a tier of the list its price counts. Of prices
    that change with the hour the dearest counts. Nothing is listed for the embedded endpoint, for this computer and
    private networks, for models that also bill by something else than tokens, and for a price of zero, which in a list
    means a special offer or a gap. `at` is the day whose prices count; None is today.

    `extra_body` is the recipe's, which wins over the endpoint's. A `service_tier` or a `speed` in them has its own
    price; where the vendor may choose (`auto`) the dearest counts, and one that the list does not know has none.
    `as_of` is the day since which the price holds, or "list of" and the list's own day where that is not told.
    """
    if endpoint.is_near or not endpoint.model or len(endpoint.model) > _LONGEST_NAME:
        return None
    day = (at or datetime.now(UTC)).astimezone(UTC).date()
    asked = {**endpoint.extra_body, **(extra_body or {})}
    terms = {field: asked[field] for field in _TERMS if asked.get(field) is not None}
    first, *others = [
        _priced(entry, terms, input_tokens, day) for entry in _entries(endpoint.base_url, endpoint.model.lower())
    ] or [None]
    if first is None or any(other is None or other.prices != first.prices for other in others):
        return None
    return first


@dataclass(frozen=True, slots=True)
class _Entry:
    provider: "Provider"
    model: "ModelInfo"


def _entries(address: str, model: str) -> list[_Entry]:
    """Return what the list knows of `model` at `address`: one entry, or one for each vendor that it may be of."""
    providers = _providers()
    at_address = [provider for provider in providers if _is_address_of(provider, address)]
    if at_address:
        return _found(at_address, model, providers)
    # LiteLLM and its like put the vendor before the model: gemini/gemini-2.5-flash.
    vendor, slash, rest = model.partition("/")
    named = [provider for provider in providers if slash and _is_named(provider, vendor)]
    if named:
        return _found(named, rest, providers)
    return _found([provider for provider in providers if _may_have(provider, model)], model, providers)


def _found(vendors: Iterable["Provider"], model: str, providers: list["Provider"]) -> list[_Entry]:
    found = []
    for vendor in vendors:
        # Vertex AI calls Google's own google/gemini-…
        names = (model, model.removeprefix("models/"), model.removeprefix(f"{vendor.id}/"))
        for name in dict.fromkeys(names):
            if (info := vendor.find_model(name, all_providers=providers)) is not None:
                # One without a price for output (embeddings, decisions) is not what answers here.
                if any(price.output_mtok is not None for price in _all_prices(info)):
                    found.append(_Entry(vendor, info))
                break
    return found


def _all_prices(model: "ModelInfo") -> list["ModelPrice"]:
    return [each.prices for each in model.prices] if isinstance(model.prices, list) else [model.prices]


def _is_named(provider: "Provider", vendor: str) -> bool:
    matched = provider.provider_match is not None and provider.provider_match.is_match(vendor)
    return provider.id == vendor or matched


def _may_have(provider: "Provider", model: str) -> bool:
    return provider.model_match is not None and provider.model_match.is_match(model)


def _is_address_of(provider: "Provider", address: str) -> bool:
    """Tell whether the host is the vendor's own: https://api.openai.com.example.net is not OpenAI's."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    pattern = provider.api_pattern
    # A pattern that may run over anything must not find the vendor's name in the path.
    candidates = [f"https://{host}"] if ".*" in pattern else [f"https://{host}", f"https://{host}{parts.path or '/'}"]
    for candidate in candidates:
        if (match := re.match(pattern, candidate)) is not None:
            rest = candidate[match.end() :]
            if not rest or rest[0] in "/:" or match.group().endswith(("/", ".")):
                return True
    return False


def _priced(entry: _Entry, terms: Mapping[str, Any], input_tokens: int, day: date) -> EndpointPrices | None:
    standing, since = _standing(entry.model, day)
    for field, value in terms.items():
        standing = _on_terms(entry.model, standing, field, value, day)
    if not standing:
        return None
    values: dict[str, Decimal | None] = {}
    for field, key in _FIELDS.items():
        each = [_at_tier(price, key, input_tokens) for price in standing]
        known = [value for value in each if value is not None]
        values[field] = max(known).quantize(_PLACE).normalize() if known else None
    takes_more = any(_at_tier(price, key, 0) for price in standing for key in _BESIDE_TOKENS)
    if takes_more or not values["input_per_million"] or not values["output_per_million"]:
        return None
    # A vendor's zero for a part (cached input, say) is a gap in the list: billed like other input, never free.
    for field in ("cached_input_per_million", "image_input_per_million", "cache_write_per_million"):
        values[field] = values[field] or None
    source = f"{PACKAGE} {version(PACKAGE)}: list price of {entry.provider.name}, {entry.model.id}"
    source += "".join(f", {field} {value}" for field, value in terms.items())
    fixed = {field: _plain(value) for field, value in values.items()}
    return EndpointPrices.model_validate(
        {**fixed, "source": source, "as_of": str(since) if since else f"{LIST_OF}{_newest(day)}"}
    )


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _standing(model: "ModelInfo", day: date) -> tuple[list["ModelPrice"], date | None]:
    """Return the prices that may apply on `day`, and the day since which the newest of them holds, if it is told."""
    from genai_prices.types import ModelPrice, StartDateConstraint, TimeOfDateConstraint

    if isinstance(model.prices, ModelPrice):
        return [model.prices], None
    by_hour = []
    for each in reversed(model.prices):
        match each.constraint:
            case TimeOfDateConstraint():
                by_hour.append(each.prices)
            case StartDateConstraint(start_date=since):
                if since <= day:
                    return [*by_hour, each.prices], since
            case _:
                return [*by_hour, each.prices], None
    return by_hour or [each.prices for each in model.prices[:1]], None


def _on_terms(
    model: "ModelInfo", standing: list["ModelPrice"], field: str, value: object, day: date
) -> list["ModelPrice"]:
    """Return the prices that may apply where a request sets `field` to `value`; none where the list does not know."""
    from genai_prices.types import StartDateConstraint

    if not isinstance(value, str):
        return []
    if value in _STANDARD_TERMS:
        return standing
    found = list(standing) if value == _ANY_TERMS else []
    for variant in model.price_variants or ():
        begun = not isinstance(variant.constraint, StartDateConstraint) or variant.constraint.start_date <= day
        if not begun or variant.when.keys() != {field} or value not in (variant.when[field], _ANY_TERMS):
            continue
        for price in standing:
            # The list states only what differs from the standard price.
            own = copy(price)
            own.__dict__.update({key: each for key, each in vars(variant.prices).items() if each is not None})
            found.append(own)
    return found


def _at_tier(price: "ModelPrice", key: str, input_tokens: int) -> Decimal | None:
    from genai_prices.types import TieredPrices

    value = getattr(price, key)
    if isinstance(value, TieredPrices):
        above = [tier.price for tier in value.tiers if input_tokens > tier.start]
        value = above[-1] if above else value.base
    return value if isinstance(value, Decimal) and value.is_finite() and value >= 0 else None


@cache
def _providers() -> list["Provider"]:
    from genai_prices.data import providers

    return providers


@cache
def _newest(day: date) -> date:
    """Return the newest day up to `day` from which a price of the list holds: how fresh the list is."""
    from genai_prices.types import ModelPrice, StartDateConstraint

    return max(
        (
            each.constraint.start_date
            for provider in _providers()
            for model in provider.models
            if not isinstance(model.prices, ModelPrice)
            for each in model.prices
            if isinstance(each.constraint, StartDateConstraint) and each.constraint.start_date <= day
        ),
        default=date.min,
    )
