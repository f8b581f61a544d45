"""What endpoints tell about their quotas in the headers of any reply."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.endpoints.durations import bounded, duration_s

_MOST = 10**12
"""No quota is larger; what is, is nonsense."""
_UNIX_S = 1e9
"""A larger number is no duration but a Unix time, and above _UNIX_MS one in milliseconds."""
_UNIX_MS = 1e12
_WHOLE = re.compile(r"\d{1,13}(?:\.0{1,6})?")
_NUMBER = re.compile(r"\d{1,16}(?:\.\d{1,9})?")
_OPENAI = tuple(
    (unit, *(f"x-ratelimit-{what}-{name}" for what in ("limit", "remaining", "reset")))
    for unit, name in ((Unit.REQUESTS, "requests"), (Unit.TOKENS, "tokens"))
)
_ANTHROPIC = tuple(
    (unit, *(f"anthropic-ratelimit-{name}-{what}" for what in ("limit", "remaining", "reset")))
    for unit, name in (
        (Unit.REQUESTS, "requests"),
        (Unit.TOKENS, "tokens"),
        (Unit.INPUT_TOKENS, "input-tokens"),
        (Unit.OUTPUT_TOKENS, "output-tokens"),
    )
)
_UNNAMED = (
    (Unit.REQUESTS, "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    (Unit.REQUESTS, "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
)


def read_allowances(headers: Mapping[str, str], now: float) -> tuple[Allowance, ...]:
    """Return what `headers` (lower-case names) tell; times are seen from the Unix time `now`. Never raises.

    - OpenAI, and those who follow it (Azure, Groq, LiteLLM): `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`,
      resets as durations ("6m0s", "12ms"), in seconds, or as Unix times (LiteLLM). Azure sends -1 or 0 for "unknown".
    - Anthropic: `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, resets as
      RFC 3339 times. Its `tokens` are those of whichever of its token quotas is tightest, not a sum: left aside where
      it tells them apart.
    - where none of these is there, of requests: `x-ratelimit-{limit,remaining,reset}` (OpenRouter: Unix milliseconds)
      and `ratelimit-{limit,remaining,reset}` (draft-ietf-httpapi-ratelimit-headers-06, §3: seconds).
    """
    told = tuple(_told(_OPENAI, headers, now)) + tuple(_told(_ANTHROPIC, headers, now))
    if not told:
        return tuple(_told(_UNNAMED, headers, now))[:1]
    if any(each.unit is Unit.INPUT_TOKENS for each in told):
        return tuple(each for each in told if each.unit is not Unit.TOKENS)
    return told


def _told(family: tuple[tuple[Unit | str, ...], ...], headers: Mapping[str, str], now: float) -> Iterator[Allowance]:
    for unit, limit_name, remaining_name, reset_name in family:
        if (remaining := headers.get(remaining_name)) is None:
            continue
        limit, left = _whole(headers.get(limit_name, "")), _whole(remaining)
        resets_in = _seconds_until(headers.get(reset_name, ""), now)
        if left is None or (not left and not limit and resets_in is None):
            # "None remaining" of an unknown limit, until an unknown time, is how Azure says that it does not know.
            continue
        if limit and left > limit:
            continue
        yield Allowance(Unit(unit), limit or None, left, resets_in)


def _whole(text: str) -> int | None:
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return None
    value = int(float(text))
    return value if value <= _MOST else None


def _seconds_until(text: str, now: float) -> float | None:
    """Return the seconds of a duration, or until a Unix time or an RFC 3339 time; None for anything else."""
    text = text.strip()[:60]
    if _NUMBER.fullmatch(text) and (number := float(text)) >= _UNIX_S:
        return bounded((number / 1000 if number >= _UNIX_MS else number) - now)
    if "-" not in text:
        return duration_s(text)
    try:
        at = datetime.fromisoformat(text)
        return bounded(at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now)
    except (ValueError, OverflowError):
        return None
