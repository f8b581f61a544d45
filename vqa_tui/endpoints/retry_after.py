"""How long an endpoint asks us to wait, in the several ways in which endpoints say so."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from vqa_tui.endpoints.durations import PART, bounded, duration_s, number
from vqa_tui.endpoints.rate_headers import read_allowances

_IN_TEXT = re.compile(rf"(?:retry|try again) (?:in|after) ((?:{PART}(?![a-z]))+)", re.I)
_IN_TEXT_SECONDS = re.compile(r"(?:retry|try again) (?:in|after) (\d{1,12}(?:\.\d{1,12})?) seconds?", re.I)
_READ_CHARS = 4000


def wait_from_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait that `headers` (lower-case names) ask for, or None when they do not say.

    First what `asked_wait` finds; then the reset of whatever rate-limit headers (`rate_headers`) say that none of it
    remains. The latter answers only a refusal for want of quota: an overloaded server does not recover by it.
    """
    if wait := asked_wait(headers, now):
        return wait
    waits = [told.resets_in_s for told in read_allowances(headers, now) if told.remaining == 0]
    return max((wait for wait in waits if wait), default=None)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that the `retry-after` headers among `headers` (lower-case names) ask for, or None.

    In this order: `retry-after-ms`; `retry-after` in seconds or as an HTTP date (RFC 9110 §10.2.3), seen from the Unix
    time `now`. Zero, negative and past values say nothing (Azure sends 0 and -1 for "unknown"); the rest is held below
    a day.
    """
    if wait := bounded(_milliseconds(headers.get("retry-after-ms", ""))):
        return wait
    retry_after = headers.get("retry-after", "").strip()
    if not retry_after:
        return None
    seconds = number(retry_after)
    return bounded(_until_date(retry_after, now) if seconds is None else seconds)


def wait_from_text(message: str) -> float | None:
    """Return the seconds in "Please retry in 37.6s", "try again in 6m0s" or "retry after 20 seconds", or None."""
    message = message[:_READ_CHARS]
    if found := _IN_TEXT.search(message):
        return duration_s(re.sub(r"\s", "", found[1]))
    if found := _IN_TEXT_SECONDS.search(message):
        return bounded(number(found[1]))
    return None


def _milliseconds(text: str) -> float | None:
    milliseconds = number(text)
    return None if milliseconds is None else milliseconds / 1000


def _until_date(text: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
