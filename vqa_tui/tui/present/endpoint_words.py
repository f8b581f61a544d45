"""An endpoint in words, as the command line and the terminal app both show it. Values of keys are never in it."""

from vqa_tui.config.endpoint import EndpointPrices, KeyConfig, PictureLimits, Quota
from vqa_tui.config.image_token_rule import ImageTokenRule
from vqa_tui.domain.image_tokens import USED_BY_RULE
from vqa_tui.tui.present.plan_words import price_source, price_words

_QUOTA_WORDS = (
    ("requests_per_minute", "requests a minute", "rpm"),
    ("tokens_per_minute", "tokens a minute", "tpm"),
    ("input_tokens_per_minute", "input tokens a minute", "tpm in"),
    ("output_tokens_per_minute", "output tokens a minute", "tpm out"),
    ("requests_per_day", "requests a day", "rpd"),
    ("concurrency", "at once", "at once"),
)


def quota_words(quota: Quota) -> str:
    """Return every limit that is stated."""
    return _limits(quota, short=False) or "none stated"


def short_quota(quota: Quota) -> str:
    """Return the same for a cell of a table; empty where nothing is stated."""
    return _limits(quota, short=True)


def rule_words(rule: ImageTokenRule) -> str:
    """Return the rule by which pictures are counted, with the numbers that were given to it."""
    given = sorted(USED_BY_RULE[rule.rule] & rule.model_fields_set)
    return ", ".join([rule.rule, *(f"{name} {getattr(rule, name)}" for name in given)])


def picture_words(limits: PictureLimits) -> str:
    """Return what the endpoint accepts as a picture."""
    words = [", ".join(limits.formats), f"at most {limits.max_bytes:,} bytes"]
    if limits.max_side is not None:
        words.append(f"{limits.max_side:,} pixels a side")
    if limits.per_request is not None:
        words.append(f"{limits.per_request:,} in a request")
    return ", ".join(words)


def source_words(key: KeyConfig) -> str:
    """Return where the value of a key comes from."""
    if key.token is not None:
        return f"{key.token} tokens" + (f", ${key.env}" if key.env else "")
    return f"${key.env}" if key.env else "none needed"


def prices_with_source(prices: EndpointPrices | None, *, listed: bool) -> str:
    """Return prices and, on a second line, where they come from; or that they are unknown."""
    if prices is None:
        return "unknown; a budget cannot be held"
    return f"{price_words(prices)}\n{price_source(prices, listed=listed)}"


def _limits(quota: Quota, *, short: bool) -> str:
    found = ((getattr(quota, field), brief if short else words) for field, words, brief in _QUOTA_WORDS)
    return ", ".join(f"{limit} {words}" for limit, words in found if limit is not None)
