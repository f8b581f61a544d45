"""Lengths of time as endpoints write them: "34.07s", "900ms", "6m0s", "1h2m3.5s", plain numbers."""

import math
import re

LONGEST_WAIT_S = 86_400.0
"""A day: no quota takes longer to come back, and a larger number is a mistake of the server."""

_UNIT_S = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
PART = r"\d{1,12}(?:\.\d{1,12})?\s?(?:ms|us|µs|ns|d|h|m|s)"
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|us|µs|ns|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")


def duration_s(text: str) -> float | None:
    """Return the seconds of a duration such as "34.07s", "900ms", "6m0s", "1h2m3.5s" or a bare number; else None.

    Zero says nothing; the rest is held below a day.
    """
    text = text.strip().lower()
    if _DURATION.fullmatch(text):
        return bounded(sum(float(amount) * _UNIT_S[unit] for amount, unit in _PART.findall(text)))
    return bounded(number(text))


def bounded(seconds: float | None) -> float | None:
    """Return `seconds` held below a day; None where they are none, or no wait at all."""
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_WAIT_S)


def number(text: str) -> float | None:
    """Return a plain decimal number of at most 12 digits before the point; else None."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None
