"""Reading the token counts of a reply, as the different providers and gateways write them."""

from collections.abc import Iterable, Mapping
from typing import Any

from vqa_tui.domain.cost import Usage

_MOST_TOKENS = 10**9
"""No model reads or writes more; a larger number is nonsense that would break sums."""


def read_usage(value: Any) -> Usage | None:
    """Return the usage in the `usage` object of a reply; None where input or output is missing or nonsense.

    An input of 0 is such nonsense: every request has a prompt. Gateways that lost the count write zeros.

    What is read, and from whom:
    - `prompt_tokens`, `completion_tokens`, `total_tokens`, `prompt_tokens_details.{cached_tokens, image_tokens}`:
      OpenAI chat completions, and who follows it (vLLM, LiteLLM, Azure, Gemini's compatible address).
    - `input_tokens`, `output_tokens`, `input_tokens_details`: OpenAI responses.
    - `cache_read_input_tokens`, `cache_creation_input_tokens`: Anthropic messages, where they stand beside
      `input_tokens` and are not part of it.
    - `prompt_cache_hit_tokens` (DeepSeek) and a bare `cached_tokens` (Moonshot): part of the input.
    - `prompt_tokens_details` as a list of {modality, token_count} (Gemini's own form).
    - Thinking: part of `completion_tokens` at OpenAI; at Gemini and xAI only the total holds it.

    Where two readings are possible the dearer one is taken. Hostile values never raise and never give a part that is
    larger than the whole.
    """
    if not isinstance(value, Mapping):
        return None
    told = _first(value, "prompt_tokens", "input_tokens")
    if told is None:
        return None
    details = _details(value, "prompt_tokens_details", "input_tokens_details", "promptTokensDetails")
    cached_inside = _first(details, "cached_tokens", "cachedTokens")
    cached_beside = _count(value.get("cache_read_input_tokens"))
    written = _first(value, "cache_creation_input_tokens")
    if written is None:
        written = _first(details, "cache_creation_tokens", "cache_write_tokens") or 0
    if cached_inside is None:
        cached_inside = _first(value, "cached_tokens", "prompt_cache_hit_tokens")
    cached = max(cached_inside or 0, cached_beside or 0)
    # Anthropic's own names stand beside the input. Gateways that also speak OpenAI's have already added them up.
    beside = cached_inside is None and (cached_beside is not None or "cache_creation_input_tokens" in value)
    if beside or cached + written > told:
        told += cached + written
    output = _output(value, told)
    if told == 0 or output is None:
        return None
    image = min(_image_tokens(details), told)
    return Usage(told, output, min(cached, told), image, min(written, told))


def _output(value: Mapping[str, Any], read: int) -> int | None:
    """Return all tokens that were written, thinking included, wherever it is counted."""
    written = _first(value, "completion_tokens", "output_tokens")
    total = _count(value.get("total_tokens"))
    if written is None:
        return None if total is None or total < read else total - read
    # A total without thinking, as most send it, is the plain sum.
    whole = max(written, (total or 0) - read)
    details = _details(value, "completion_tokens_details", "output_tokens_details")
    thinking = _first(details, "reasoning_tokens") or 0
    return max(whole, written + thinking) if thinking > written else whole


def _image_tokens(details: Mapping[str, Any]) -> int:
    return _first(details, "image_tokens", "imageTokens") or 0


def _details(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the first of `names` that is an object; a list by modality is turned into one."""
    for name in names:
        found = value.get(name)
        if isinstance(found, Mapping):
            return found
        if isinstance(found, list):
            return _by_modality(found)
    return {}


def _by_modality(parts: Iterable[Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        if not isinstance(part, Mapping) or not isinstance(part.get("modality"), str):
            continue
        tokens = _first(part, "token_count", "tokenCount", "tokens")
        name = f"{part['modality'].lower()}_tokens"
        sums[name] = min(sums.get(name, 0) + (tokens or 0), _MOST_TOKENS)
    return sums


def _first(values: Mapping[str, Any], *names: str) -> int | None:
    return next((count for name in names if (count := _count(values.get(name))) is not None), None)


def _count(value: Any) -> int | None:
    """Return a number of tokens; some servers write whole numbers as 12.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
