"""The curves of a training as text: loss of both sides of the data, learning rate, gradient norm, tokens a second."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, plural
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.plot import FRAME_ROWS, LEAST_ROWS, Curve, Drawn, Sample, Span, plot

_MORE_FROM = 15
"""Lines from which there is room for more than the loss."""
_BESIDE_FROM = 90
"""Cells from which two plots stand side by side."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How the curves are looked at."""

    log_scale: bool = False
    smooth: bool = True
    mark: int | None = None
    """The step that is pointed at."""


def figure(value: float | None) -> str:
    """Return a loss, a rate or a norm in at most seven characters: 4.3227, 1.2e-05."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2g}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"


def course_text(course: TrainingCourse, looks: Looks, width: int, height: int) -> Content:
    """Return what the newest step, or the one that is pointed at, was like, and beneath it the curves."""
    if not len(course):
        return Content.styled("no step yet: the curves begin with the first one", QUIET)
    lines = [_step_line(course, looks.mark).truncate(width, ellipsis=True)]
    room = height - 1
    if room < _MORE_FROM:
        return Content("\n").join(lines + _loss(course, looks, width, room))
    more = [
        ("Learning rate", course.rates, "$accent", figure),
        ("Gradient norm", course.norms, "$warning", figure),
        ("Tokens/s", course.token_rates, "$secondary", compact),
    ]
    side_by_side = width >= _BESIDE_FROM
    per_row = 3 if width >= 1.5 * _BESIDE_FROM else 2 if side_by_side else 1
    least = FRAME_ROWS + LEAST_ROWS + 1
    rows = max(min(-(-len(more) // per_row), (room // 2) // least), 1)
    low = max(room * 2 // 5 // rows, least)
    lines += _loss(course, looks, width, room - low * rows)
    each = width // per_row
    for row in range(rows):
        drawn = [
            _curve(course, title, values, style, words, looks.mark, each, low)
            for title, values, style, words in more[row * per_row : (row + 1) * per_row]
        ]
        lines += [_beside(parts, each) for parts in zip(*drawn, strict=True)]
    return Content("\n").join(lines)


def _step_line(course: TrainingCourse, mark: int | None) -> Content:
    index = course.index_of(mark) if mark is not None else None
    at = len(course) - 1 if index is None else index
    total = f" of {count(course.started.total_steps)}" if course.started and index is None else ""
    looked = next((look for look in reversed(course.looks) if look.step <= course.steps[at]), None)
    step = Content.assemble(
        ("▲ " if index is not None else "", WARN), (f"step {count(course.steps[at])}{total}", "bold")
    )
    if index is not None and (rows := course.rows_of(course.steps[at])):
        step = Content.assemble(step, (f", {plural(len(rows), 'row')}", ""), (" (o)", QUIET))
    tokens = course.token_rates[at]
    parts = [
        step,
        Content.assemble(("loss ", QUIET), figure(course.losses[at])),
        Content.assemble(("held out ", QUIET), figure(looked.loss)) if looked else Content(""),
        Content.assemble(("rate ", QUIET), figure(course.rates[at])),
        Content.assemble(("norm ", QUIET), figure(course.norms[at])),
        Content.assemble(compact(tokens) if math.isfinite(tokens) else UNKNOWN, (" tokens/s", QUIET)),
    ]
    return Content("   ").join([part for part in parts if part.plain])


def _loss(course: TrainingCourse, looks: Looks, width: int, height: int) -> list[Content]:
    held_steps = [look.step for look in course.looks if look.loss is not None]
    held = [look.loss for look in course.looks if look.loss is not None]
    floor = _floor((*course.losses, *held)) if looks.log_scale else None
    span = _span(course, looks.mark)
    shown: list[Curve] = []
    if looks.smooth:
        shown.append(Curve("each step", _scaled(course.steps, course.losses, span, floor), QUIET, Drawn.DOTTED))
        shown.append(Curve("smoothed", _scaled(course.steps, course.smoothed, span, floor), "$primary"))
    else:
        shown.append(Curve("training", _scaled(course.steps, course.losses, span, floor), "$primary"))
    if held:
        shown.append(
            Curve("held out", _scaled(held_steps, held, span, floor, joined=False), "$text-warning", Drawn.SINGLE)
        )
    title = "Loss, logarithmic" if floor is not None else "Loss"
    return plot(title, shown, span, width, height, _label(floor))


def _curve(
    course: TrainingCourse,
    title: str,
    values: Sequence[float],
    style: str,
    words: Callable[[float], str],
    mark: int | None,
    width: int,
    height: int,
) -> list[Content]:
    span = _span(course, mark)
    return plot(title, [Curve("", per_step(course.steps, values, span), style)], span, width - 1, height, words)


def _beside(parts: Sequence[Content], width: int) -> Content:
    return Content("").join([part.pad_right(max(width - part.cell_length, 0)) for part in parts])


def _span(course: TrainingCourse, mark: int | None) -> Span:
    start = course.steps[0] - 1
    return Span(start, max(course.steps[-1], start + 1), None if mark is None else mark - 0.5, counts=True)


def _floor(values: Sequence[float]) -> float | None:
    """Return the exponent of ten where a logarithmic axis begins; None where nothing is above zero."""
    positive = [value for value in values if value > 0]
    return math.floor(math.log10(min(positive)) * 10) / 10 if positive else None


def _label(floor: float | None) -> Callable[[float], str]:
    if floor is None:
        return figure
    return lambda value: figure(10 ** (floor + value))


def _scaled(
    steps: Sequence[int], values: Sequence[float], span: Span, floor: float | None, *, joined: bool = True
) -> Sample:
    sample = per_step(steps, values, span, joined=joined)
    if floor is None:
        return sample

    def logarithmic(columns: int) -> list[float | None]:
        return [math.log10(each) - floor if each is not None and each > 0 else None for each in sample(columns)]

    return logarithmic


def per_step(steps: Sequence[int], values: Sequence[float], span: Span, *, joined: bool = True) -> Sample:
    """Sample the mean of the values in each column; between two steps a straight line where they are `joined`, else
    nothing. `steps` ascend."""

    def sample(columns: int) -> list[float | None]:
        found: list[float | None] = []
        wide = span.seconds / columns
        first = bisect_right(steps, span.start)
        for column in range(columns):
            end = bisect_right(steps, span.start + (column + 1) * wide, first)
            if end > first:
                found.append(_mean(values[first:end]))
            else:
                found.append(_between(steps, values, end, span, wide, column) if joined else None)
            first = end
        return found

    return sample


def _mean(values: Sequence[float]) -> float | None:
    total = sum(values)
    if math.isfinite(total):
        return total / len(values)
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else None


def _between(
    steps: Sequence[int], values: Sequence[float], after: int, span: Span, wide: float, column: int
) -> float | None:
    if not 0 < after < len(steps):
        return None
    left, right = values[after - 1], values[after]
    if not (math.isfinite(left) and math.isfinite(right)):
        return None
    at = span.start + (column + 0.5) * wide
    share = min(max((at - steps[after - 1]) / (steps[after] - steps[after - 1]), 0.0), 1.0)
    return left + (right - left) * share
