"""How long an endpoint asks us to wait, in the several ways in which endpoints say so."""

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 86_400.0
"""A day: no quota takes longer to come back, and a larger number is a mistake of the server."""

_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|h|m|s)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_IN_TEXT = re.compile(r"(?:retry|try again) (?:in|after) ((?:\d{1,12}(?:\.\d{1,12})?\s?(?:ms|h|m|s)(?![a-z]))+)", re.I)
_IN_TEXT_SECONDS = re.compile(r"(?:retry|try again) (?:in|after) (\d{1,12}(?:\.\d{1,12})?) seconds?", re.I)
_READ_CHARS = 4000


def wait_from_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait that `headers` (lower-case names) ask for, or None when they do not say.

    In this order: `retry-after-ms`; `retry-after` in seconds or as an HTTP date (RFC 9110 §10.2.3), seen from the Unix
    time `now`; `x-ratelimit-reset-requests` and `-tokens` (OpenAI: "6m0s", "12ms") of what has none remaining.
    Zero, negative and past values say nothing (Azure sends 0 and -1 for "unknown"); the rest is held below a day.
    """
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return _bounded(milliseconds / 1000)
    if retry_after := headers.get("retry-after", "").strip():
        seconds = _number(retry_after)
        if wait := _bounded(_until_date(retry_after, now) if seconds is None else seconds):
            return wait
    waits = [
        duration_s(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if _is_used_up(headers.get(f"x-ratelimit-remaining-{what}", ""))
    ]
    return max((wait for wait in waits if wait), default=None)


def wait_from_text(message: str) -> float | None:
    """Return the seconds in "Please retry in 37.6s", "try again in 6m0s" or "retry after 20 seconds", or None."""
    message = message[:_READ_CHARS]
    if found := _IN_TEXT.search(message):
        return duration_s(re.sub(r"\s", "", found[1]))
    if found := _IN_TEXT_SECONDS.search(message):
        return _bounded(_number(found[1]))
    return None


def duration_s(text: str) -> float | None:
    """Return the seconds of a duration such as "34.07s", "900ms", "6m0s", "1h2m3.5s" or a bare number; else None."""
    text = text.strip().lower()
    if _DURATION.fullmatch(text):
        return _bounded(sum(float(amount) * _UNIT_S[unit] for amount, unit in _PART.findall(text)))
    return _bounded(_number(text))


def _bounded(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_WAIT_S)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _is_used_up(remaining: str) -> bool:
    return _number(remaining) == 0


def _until_date(text: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
