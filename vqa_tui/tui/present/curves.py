"""The recorded course of a run as curves: its points sampled into as many columns as a plot has."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from vqa_tui.domain.course import CoursePoint, FailureCount, Stretch
from vqa_tui.tui.present.plot import Sample, Span


class Piece(NamedTuple):
    """A value that held from `start` to `end`."""

    start: float
    end: float
    value: float


def rate_pieces(steps: Sequence[Stretch], value: Callable[[Stretch], float]) -> list[Piece]:
    """Return one piece for each stretch of work; pauses stay empty."""
    return [Piece(step.before.at, step.after.at, value(step)) for step in steps]


def state_pieces(steps: Sequence[Stretch], value: Callable[[CoursePoint], float | None]) -> list[Piece]:
    """Return what a point says of the stretch that ends with it; where it says nothing there is no piece."""
    found = ((step, value(step.after)) for step in steps)
    return [Piece(step.before.at, step.after.at, known) for step, known in found if known is not None]


def mean_of(pieces: Sequence[Piece], span: Span) -> Sample:
    """Sample the mean of `pieces` over each column, weighted by time; a column without any has no value."""

    def sample(columns: int) -> list[float | None]:
        sums, weights = [0.0] * columns, [0.0] * columns
        scale = columns / span.seconds
        for piece in pieces:
            first, last = (piece.start - span.start) * scale, (piece.end - span.start) * scale
            for column in range(max(int(first), 0), min(int(last) + 1, columns)):
                weight = min(last, column + 1) - max(first, column)
                if weight > 0:
                    sums[column] += piece.value * weight
                    weights[column] += weight
        return [total / weight if weight else None for total, weight in zip(sums, weights, strict=True)]

    return sample


def newest_of(values: Sequence[tuple[float, float]], span: Span) -> Sample:
    """Sample the newest of (Unix time, value) at the end of each column; it holds until the next, or the last one."""

    def sample(columns: int) -> list[float | None]:
        found: list[float | None] = []
        position = 0
        last = values[-1][0] if values else span.start
        for column in range(columns):
            end = span.start + (column + 1) * span.seconds / columns
            while position < len(values) and values[position][0] <= end:
                position += 1
            beyond = end - span.seconds / columns > last
            found.append(values[position - 1][1] if position and not beyond else None)
        return found

    return sample


def straight(start: tuple[float, float], end: tuple[float, float], span: Span) -> Sample:
    """Sample the straight line from one (Unix time, value) to another; nothing outside of it."""

    def sample(columns: int) -> list[float | None]:
        long = max(end[0] - start[0], 1e-9)
        found: list[float | None] = []
        for column in range(columns):
            at = span.start + (column + 0.5) * span.seconds / columns
            inside = start[0] <= at <= end[0]
            found.append(start[1] + (end[1] - start[1]) * (at - start[0]) / long if inside else None)
        return found

    return sample


def number_of(counts: Iterable[FailureCount], every_s: int, span: Span) -> Sample:
    """Sample how many failed in each column; a step wider than a column shows its number in all that it covers."""
    numbers: dict[int, int] = {}
    for count in counts:
        numbers[count.at] = numbers.get(count.at, 0) + count.number

    def sample(columns: int) -> list[float | None]:
        sums = [0.0] * columns
        scale = columns / span.seconds
        for at, number in numbers.items():
            first, last = int((at - span.start) * scale), int((at + every_s - span.start) * scale)
            # What failed in the second before the first record belongs to the first column.
            for column in range(max(first, 0), min(max(last, first + 1, 1), columns)):
                sums[column] += number
        return [total or None for total in sums]

    return sample
