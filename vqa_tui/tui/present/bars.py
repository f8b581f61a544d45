"""Bars and sparklines as text; every value is also written as a number beside them."""

import math
from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FULL, _REST, _TIP = "━", "─", "╾"
REST_STYLE = "$foreground 25%"


def gauge(part: float, whole: float, width: int, *, style: str = "$primary", rest: str = REST_STYLE) -> Content:
    """Return a solid gauge of `width` cells: ▰▰▰▱▱▱. Something above nothing always shows at least one cell."""
    if width <= 0:
        return Content("")
    filled = _filled(part, whole, width)
    return Content.assemble(("▰" * filled, style), ("▱" * (width - filled), rest))


def line(part: float, whole: float, width: int, *, style: str = "$primary", rest: str = REST_STYLE) -> Content:
    """Return a thin progress line of `width` cells with half-cell steps."""
    if width <= 0:
        return Content("")
    halves = _filled(part, whole, width * 2)
    full, half = divmod(halves, 2)
    return Content.assemble((_FULL * full + _TIP * half, style), (_REST * (width - full - half), rest))


def segments(parts: Sequence[tuple[int, str]], whole: int, width: int, *, rest: str = REST_STYLE) -> Content:
    """Return a progress line of several coloured parts (amount, style); cells are shared out by largest boundary."""
    if width <= 0:
        return Content("")
    pieces: list[tuple[str, str]] = []
    total, drawn = 0, 0
    for amount, style in parts:
        total += amount
        end = max(_filled(total, whole, width), drawn)
        if amount > 0 and end == drawn and drawn < width:
            end += 1
        pieces.append((_FULL * (end - drawn), style))
        drawn = end
    pieces.append((_REST * (width - drawn), rest))
    return Content.assemble(*(piece for piece in pieces if piece[0]))


def sparkline(values: Sequence[float], width: int, height: int = 1) -> list[str]:
    """Return `height` lines of `width` cells, newest value at the right, scaled from zero to the largest value.

    More values than cells are averaged in groups; values that are not finite count as zero.
    """
    if width <= 0 or height <= 0:
        return []
    finite = [value if math.isfinite(value) and value > 0 else 0.0 for value in values]
    columns = _squeezed(finite, width)
    top = max(columns, default=0.0)
    levels = [0 if top <= 0 else max(1 if value > 0 else 0, round(value / top * height * 8)) for value in columns]
    levels = [0] * (width - len(levels)) + levels
    lines = []
    for row in range(height - 1, -1, -1):
        lines.append("".join(_EIGHTHS[min(8, max(0, level - row * 8))] for level in levels))
    return lines


def _filled(part: float, whole: float, width: int) -> int:
    if whole <= 0 or part <= 0:
        return 0
    if part >= whole:
        return width
    return min(max(1, int(width * part / whole)), width - 1 if width > 1 else 1)


def _squeezed(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [round(index * len(values) / width) for index in range(width + 1)]
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
