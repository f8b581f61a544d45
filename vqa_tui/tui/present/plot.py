"""Plots as text: areas of block characters and lines of braille over a time axis, with units on both axes.

Told apart without colour: an area is filled or shaded, a line is drawn through, a dotted
one has gaps, a level is dashed, single values are diamonds.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from textual.content import Content

from vqa_tui.tui.present.phases import QUIET

Sample = Callable[[int], Sequence[float | None]]
"""(number of columns) -> that many values, evenly over the span of the plot; None where there is nothing to draw."""
Words = Callable[[float], str]

LEAST_ROWS = 2
"""Rows of a plot below which nothing could be read from it."""
FRAME_ROWS = 2
"""Lines of a plot besides its rows: the title and the time axis."""
GUTTER = 11
"""Columns for the words of the upright axis: the same for every plot, so that those below one another are in line."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character, by column and by row from the top."""
_BRAILLE = 0x2800
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    1, 2, 5, 10, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE,
    _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY,
)  # fmt: skip
_LABEL_ROOM = 13
"""Columns between two labels of the time axis, at the least."""


class Drawn(StrEnum):
    """How a curve is drawn."""

    AREA = "area"
    SHADED = "shaded"
    LINE = "line"
    DOTTED = "dotted"
    SINGLE = "single"


_SPOT = "◆"
_LEGEND = {Drawn.AREA: "▆", Drawn.SHADED: "▒", Drawn.LINE: "━", Drawn.DOTTED: "┅", Drawn.SINGLE: _SPOT}

_AREAS = (Drawn.AREA, Drawn.SHADED)
_BY_COLUMN = (*_AREAS, Drawn.SINGLE)
"""Drawn with one value a column; the others have two."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One series: its name in the legend, and what there is to draw."""

    name: str
    sample: Sample
    style: str
    drawn: Drawn = Drawn.LINE


@dataclass(frozen=True, slots=True)
class Level:
    """One value that holds all along, such as a cap."""

    name: str
    value: float
    style: str


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a plot is of, in Unix seconds; `mark` is the moment that is looked at, if one is.

    With `counts` it is a span of whole numbers, such as steps, and the axis says so.
    """

    start: float
    end: float
    mark: float | None = None
    counts: bool = False

    @property
    def seconds(self) -> float:
        return max(self.end - self.start, 1.0)


def plot(
    title: str,
    curves: Sequence[Curve],
    span: Span,
    width: int,
    height: int,
    words: Words,
    *,
    levels: Sequence[Level] = (),
) -> list[Content]:
    """Return `height` lines: a title with the legend, the curves between their axes, and the time below.

    `words` writes a value with its unit. Where there is nothing to draw, the frame stands and says so. Returns nothing
    where there is no room for two rows.
    """
    rows = height - FRAME_ROWS
    columns = width - GUTTER
    if rows < LEAST_ROWS or columns < 8:
        return []
    sampled = [(curve, list(curve.sample(_samples(curve, columns)))) for curve in curves]
    top = _top([value for _, values in sampled for value in values], levels)
    cells = _Cells(columns, rows)
    for curve, values in sampled:
        if curve.drawn in _AREAS:
            cells.fill(values, top, curve.style, shaded=curve.drawn is Drawn.SHADED)
    for curve, values in sampled:
        if curve.drawn not in _BY_COLUMN:
            cells.trace(values, top, curve.style, gaps=curve.drawn is Drawn.DOTTED)
    for curve, values in sampled:
        if curve.drawn is Drawn.SINGLE:
            cells.spot(values, top, curve.style)
    for level in levels:
        cells.dash(level.value / top, level.style)
    if span.mark is not None:
        cells.mark(_column(span, span.mark, columns))
    if not any(value is not None for _, values in sampled for value in values):
        cells.write("nothing is recorded yet")
    labels = {0: words(top), rows - 1: words(0)}
    if rows >= 4:
        labels[rows // 2] = words(top / 2)
    lines = [_title(title, curves, levels, words, width)]
    for row in range(rows):
        label = labels.get(row, "")
        axis = f"{label[: GUTTER - 2]:>{GUTTER - 2}} {'┤' if label else '│'}"
        lines.append(Content.assemble((axis, QUIET), *cells.row(row)))
    lines.append(_time_axis(span, columns))
    return lines


def _samples(curve: Curve, columns: int) -> int:
    return columns if curve.drawn in _BY_COLUMN else 2 * columns


def _top(values: Sequence[float | None], levels: Sequence[Level]) -> float:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return _nice_top(max([*finite, *(level.value for level in levels)], default=0.0))


def _nice_top(highest: float) -> float:
    """Return a round number not below `highest`."""
    if not highest >= sys.float_info.min:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(highest))
    return next(step * unit for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12) if step * unit >= highest * 0.999)


def _column(span: Span, at: float, columns: int) -> int:
    return min(max(int((at - span.start) / span.seconds * columns), 0), columns - 1)


class _Cells:
    """The rows and columns between the axes; what is drawn later lies above."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._marks = [[" "] * columns for _ in range(rows)]
        self._styles = [[""] * columns for _ in range(rows)]

    def fill(self, values: Sequence[float | None], top: float, style: str, *, shaded: bool) -> None:
        """Draw an area: one value a column, in eighths of a cell, or in whole ones that are `shaded`.

        Something above nothing always shows.
        """
        for column, value in enumerate(values):
            if value is None or not value > 0:
                continue
            level = max(1, round(min(value / top, 1.0) * self._rows * 8))
            for row in range(self._rows):
                eighths = min(level - (self._rows - 1 - row) * 8, 8)
                if eighths > 0:
                    self._put(row, column, "▒" if shaded else _EIGHTHS[eighths], style)

    def trace(self, values: Sequence[float | None], top: float, style: str, *, gaps: bool) -> None:
        """Draw a line of braille dots: two values a column; neighbours are joined, except where nothing is between."""
        dots = self._rows * 4
        before: int | None = None
        for x, value in enumerate(values):
            if value is None or not math.isfinite(value):
                before = None
                continue
            y = dots - 1 - round(min(max(value / top, 0.0), 1.0) * (dots - 1))
            if gaps and x % 4 >= 2:
                before = y
                continue
            between = range(min(before, y), max(before, y) + 1) if before is not None and not gaps else (y,)
            for dot in between:
                self._dot(x, dot, style)
            before = y

    def _dot(self, x: int, y: int, style: str) -> None:
        row, column = y // 4, x // 2
        bit = _DOTS[x % 2][y % 4]
        mark = self._marks[row][column]
        known = ord(mark) - _BRAILLE if _BRAILLE <= ord(mark) < _BRAILLE + 256 else 0
        self._put(row, column, chr(_BRAILLE + (known | bit)), style)

    def spot(self, values: Sequence[float | None], top: float, style: str) -> None:
        """Draw a diamond for each value: one a column."""
        for column, value in enumerate(values):
            if value is not None and math.isfinite(value):
                share = min(max(value / top, 0.0), 1.0)
                self._put(self._rows - 1 - min(int(share * self._rows), self._rows - 1), column, _SPOT, style)

    def dash(self, share: float, style: str) -> None:
        """Draw a level where nothing else is."""
        row = self._rows - 1 - min(int(share * self._rows), self._rows - 1)
        for column in range(self._columns):
            if self._marks[row][column] == " ":
                self._put(row, column, "╌", style)

    def mark(self, column: int) -> None:
        """Point out one column where nothing else is."""
        for row in range(self._rows):
            if self._marks[row][column] in " ╌":
                self._put(row, column, "┊", "$text-warning")

    def write(self, words: str) -> None:
        """Put words in the middle."""
        start = max((self._columns - len(words)) // 2, 0)
        for position, letter in enumerate(words[: self._columns]):
            self._put(self._rows // 2, start + position, letter, QUIET)

    def _put(self, row: int, column: int, mark: str, style: str) -> None:
        self._marks[row][column] = mark
        self._styles[row][column] = style

    def row(self, row: int) -> list[tuple[str, str]]:
        """Return one row as runs of text with one style."""
        runs: list[tuple[str, str]] = []
        for mark, style in zip(self._marks[row], self._styles[row], strict=True):
            if runs and runs[-1][1] == style:
                runs[-1] = (runs[-1][0] + mark, style)
            else:
                runs.append((mark, style))
        return runs


def _title(title: str, curves: Sequence[Curve], levels: Sequence[Level], words: Words, width: int) -> Content:
    parts = [Content.styled(title, "bold")]
    named = [(_LEGEND[curve.drawn], curve.name, curve.style) for curve in curves if curve.name]
    named += [("╌", f"{level.name} {words(level.value)}", level.style) for level in levels]
    for glyph, name, style in named:
        parts.append(Content.assemble((f"{glyph} ", style), (name, QUIET)))
    line = Content("   ").join(parts)
    return line if line.cell_length <= width else line.truncate(width, ellipsis=True)


def _time_axis(span: Span, columns: int) -> Content:
    """Return the axis with the local time at round moments; the one looked at is pointed out."""
    line = ["─"] * columns
    if span.counts:
        _label_counts(line, span)
        return _axis_with_mark(line, span)
    step = next((each for each in _STEPS if each * columns / span.seconds >= _LABEL_ROOM), _STEPS[-1])
    offset = time.localtime(span.start).tm_gmtoff
    at = math.ceil((span.start + offset) / step) * step - offset
    while at <= span.end:
        column = _column(span, at, columns)
        label = time.strftime(_axis_format(step), time.localtime(at))
        if column + 1 + len(label) <= columns:
            line[column : column + 1 + len(label)] = ["┴", *label]
        at += step
    return _axis_with_mark(line, span)


def _label_counts(line: list[str], span: Span) -> None:
    """Write round numbers into the axis."""
    columns = len(line)
    unit = 10 ** max(math.floor(math.log10(max(span.seconds * _LABEL_ROOM / columns, 1))), 0)
    step = next(each * unit for each in (1, 2, 5, 10) if each * unit * columns / span.seconds >= _LABEL_ROOM)
    for at in range(math.floor(span.start / step + 1) * step, math.floor(span.end) + 1, step):
        column = _column(span, at - 0.5, columns)  # step n is what lies between n - 1 and n
        label = f"{at:,}".replace(",", " ")
        if column + 1 + len(label) <= columns:
            line[column : column + 1 + len(label)] = ["┴", *label]


def _axis_with_mark(line: list[str], span: Span) -> Content:
    columns = len(line)
    if span.mark is None:
        return Content.styled(" " * (GUTTER - 1) + "└" + "".join(line), QUIET)
    column = _column(span, span.mark, columns)
    return Content.assemble(
        (" " * (GUTTER - 1) + "└" + "".join(line[:column]), QUIET), ("▲", "bold $text-warning"),
        ("".join(line[column + 1 :]), QUIET),
    )  # fmt: skip


def _axis_format(step: int) -> str:
    if step < _MINUTE:
        return "%H:%M:%S"
    return "%H:%M" if step < _DAY else "%d %b"
