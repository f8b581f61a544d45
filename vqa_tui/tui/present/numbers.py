"""Numbers as a person reads them: counts, money, durations, rates, shares, clock times."""

import math
import time
from decimal import ROUND_HALF_UP, Decimal

UNKNOWN = "–"
"""Stands where a value is not known yet."""

_LARGEST_IN_FULL = Decimal(10) ** 15
_SMALLEST_IN_FULL = Decimal("0.000000001")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def count(number: int) -> str:
    """Return whole `number` in groups of three: 13 487."""
    return f"{number:,}".replace(",", " ")


def compact(number: float) -> str:
    """Return `number` in at most four characters and a unit: 950, 41k, 1.2M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= limit:
            scaled = number / limit
            return f"{scaled:.1f}{unit}" if abs(scaled) < 10 and scaled != int(scaled) else f"{scaled:.0f}{unit}"
    return f"{number:.0f}"


def plural(number: int, singular: str, many: str = "") -> str:
    """Return `number` with its noun: 1 task, 12 tasks."""
    return f"{count(number)} {singular if number == 1 else many or singular + 's'}"


def money(dollars: Decimal | None) -> str:
    """Return dollars: cents from one dollar upward, three significant digits below: $1.84, $0.000137.

    Total: what is not a number is unknown, a quadrillion and more is shortened, and less than a billionth says so.
    """
    if dollars is None or not dollars.is_finite():
        return UNKNOWN
    sign, size = ("-" if dollars < 0 else ""), abs(dollars)
    if size >= _LARGEST_IN_FULL:
        return f"{sign}${size:.2e}"
    if 0 < size < _SMALLEST_IN_FULL:
        return f"{sign}<${_SMALLEST_IN_FULL:f}"
    if size == 0 or size >= 1:
        return f"{sign}${size.quantize(Decimal('0.01'), ROUND_HALF_UP):,}".replace(",", " ")
    places = max(2, 2 - size.adjusted())
    text = f"{size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    whole, _, digits = text.partition(".")
    return f"{sign}${whole}.{digits.rstrip('0').ljust(2, '0')}"


def known_money(dollars: Decimal | None, *, price_known: bool) -> str:
    """Return dollars as they stand in a table; what has no known price has cost nobody knows what."""
    return money(dollars) if price_known else UNKNOWN


def money_words(dollars: Decimal | None, *, price_known: bool) -> str:
    """Return dollars as they stand in a sentence."""
    return money(dollars) if price_known else "price unknown"


def duration(seconds: float | None) -> str:
    """Return a span of time in its two largest units: 8s, 55m 12s, 3h 04m, 2d 05h."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR:02}h"


def short_age(seconds: float) -> str:
    """Return the age of something young with a tenth below ten seconds: 0.8s, 12s, 2m 05s."""
    return f"{max(seconds, 0):.1f}s" if seconds < 9.95 else duration(seconds)


def countdown(seconds: float) -> str:
    """Return the time left as a clock shows it: 0:12, 4:05, 1:02:09."""
    left = max(0, math.ceil(seconds))
    hours, rest = divmod(left, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def milliseconds(value: float | None) -> str:
    """Return a latency: 812 ms, 1.9 s, 48 s."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 999.5:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if value < 9_950 else f"{value / 1000:.0f} s"


def rate(per_second: float | None) -> str:
    """Return a rate per second, or per minute where that reads better: 4.98/s, 118/s, 3.2/min."""
    if per_second is None or not math.isfinite(per_second):
        return UNKNOWN
    if 0 < per_second < 0.1:
        return f"{per_second * 60:.1f}/min"
    digits = 2 if per_second < 10 else 1 if per_second < 100 else 0
    return f"{per_second:.{digits}f}/s"


def share(part: float, whole: float) -> str:
    """Return part of whole in percent; 100.0 % only when nothing is left: 44.9 %."""
    if whole <= 0:
        return f"{0:.1f} %"
    percent = 100 * part / whole
    if part < whole:
        percent = min(percent, 99.9)
    return f"{percent:.1f} %"


def clock(at: float, *, seconds: bool = True) -> str:
    """Return the local time of day of Unix time `at`: 14:02:17."""
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))


def utc(at: float) -> str:
    """Return a moment that reads the same on every machine: `2026-11-21 05:29:29 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def moment(at: float, now: float) -> str:
    """Return when something was: the time of day if it was today, else the date."""
    then, today = time.localtime(at), time.localtime(now)
    same_day = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d", then)


def file_size(size: int) -> str:
    """Return bytes in decimal units: 812 B, 37 kB, 4.1 MB."""
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= limit:
            scaled = size / limit
            return f"{scaled:.1f} {unit}" if scaled < 10 else f"{scaled:.0f} {unit}"
    return f"{size} B"
