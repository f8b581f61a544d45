"""Plots as text: exactly as large as asked for, with units on both axes, readable without colour."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.content import Content

from vqa_tui.domain.course import FailureCount
from vqa_tui.tui.present.curves import Piece, mean_of, newest_of, number_of, straight
from vqa_tui.tui.present.numbers import rate
from vqa_tui.tui.present.plot import GUTTER, Curve, Drawn, Level, Span, plot

SPAN = Span(1_790_000_000, 1_790_000_600)


def flat(value: float | None, drawn: Drawn = Drawn.AREA, name: str = "rate") -> Curve:
    return Curve(name, lambda columns: [value] * columns, "$primary", drawn)


def text(lines: list[Content]) -> str:
    return "\n".join(line.plain for line in lines)


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=40),
    st.sampled_from(Drawn), st.integers(0, 120), st.integers(0, 30), st.integers(0, 10**8), st.floats(0, 1e9),
)  # fmt: skip
@example([5e-324], next(iter(Drawn)), 40, 10, 100, 5e-324)
def test_a_plot_has_exactly_the_size_that_it_is_given(
    values: list[float | None], drawn: Drawn, width: int, height: int, seconds: int, cap: float
) -> None:
    span = Span(1_790_000_000, 1_790_000_000 + seconds, 1_790_000_000 + seconds / 3)
    curve = Curve("c", lambda columns: [values[i % len(values)] if values else None for i in range(columns)], "", drawn)
    lines = plot("Title", [curve], span, width, height, rate, levels=[Level("cap", cap, "$error")])
    assert len(lines) in (0, height)
    assert all(line.cell_length <= width for line in lines)
    assert all(line.cell_length == width for line in lines[1:])


def test_both_axes_have_units_and_the_legend_names_the_curves() -> None:
    shown = text(plot("Rate", [flat(5.0, name="finished")], SPAN, 80, 9, rate))
    lines = shown.splitlines()
    assert lines[0] == "Rate   ▆ finished"
    assert lines[1].startswith("   5.00/s ┤") and lines[-2].startswith("   0.00/s ┤")
    assert time.strftime("┴%H:%M", time.localtime(SPAN.start + 300)) in lines[-1]
    assert lines[4].startswith("   2.50/s ┤")


def test_kinds_of_curves_are_told_apart_without_colour() -> None:
    shown = {drawn: text(plot("", [flat(3.0, drawn, "x")], SPAN, 40, 6, rate)) for drawn in Drawn}
    assert len(set(shown.values())) == len(Drawn)
    assert "█" in shown[Drawn.AREA] and "▒" in shown[Drawn.SHADED]
    body = {drawn: shown[drawn].splitlines()[1][GUTTER:] for drawn in (Drawn.LINE, Drawn.DOTTED)}
    assert " " not in body[Drawn.LINE].strip() and " " in body[Drawn.DOTTED].strip()


def test_a_value_above_nothing_always_shows_and_nothing_recorded_is_said() -> None:
    curve = Curve("x", lambda columns: [1e-9] + [1e9] * (columns - 1), "", Drawn.AREA)
    assert plot("", [curve], SPAN, 40, 6, rate)[-2].plain[GUTTER] == "▁"
    assert "nothing is recorded yet" in text(plot("", [flat(None)], SPAN, 60, 6, rate))
    assert "nothing" not in text(plot("", [flat(0.0)], SPAN, 60, 6, rate))


def test_a_level_and_the_moment_looked_at_stand_where_nothing_else_is() -> None:
    span = Span(SPAN.start, SPAN.end, SPAN.start + 300)
    lines = plot("", [flat(2.0)], span, 80 + GUTTER, 8, rate, levels=[Level("cap", 4.0, "$error")])
    assert "cap 4.00/s" in lines[0].plain
    assert lines[1].plain[GUTTER:] == "╌" * 40 + "┊" + "╌" * 39
    assert lines[-1].plain[GUTTER + 40] == "▲"
    assert lines[-2].plain[GUTTER:] == "█" * 80


@pytest.mark.parametrize(
    ("seconds", "form"), [(30, "%H:%M:%S"), (7_200, "%H:%M"), (40 * 86_400, "%d %b"), (5_000 * 86_400, "%d %b")]
)
def test_times_are_told_in_words_for_their_scale(seconds: int, form: str) -> None:
    axis = plot("", [flat(1.0)], Span(SPAN.start, SPAN.start + seconds), 100, 5, rate)[-1].plain
    label = axis.split("┴")[1].rstrip("─┘")
    assert time.strftime(form, time.strptime(label, form)) == label


def test_means_are_weighted_by_time_and_what_was_no_work_stays_empty() -> None:
    pieces = [Piece(SPAN.start, SPAN.start + 30, 1.0), Piece(SPAN.start + 30, SPAN.start + 60, 3.0)]
    pieces.append(Piece(SPAN.start + 120, SPAN.start + 180, 7.0))
    assert mean_of(pieces, SPAN)(10) == [2.0, None, 7.0, *[None] * 7]


def test_what_was_spent_holds_until_more_is_and_ends_with_the_record() -> None:
    values = [(SPAN.start + 60.0, 1.0), (SPAN.start + 300.0, 4.0)]
    assert newest_of(values, SPAN)(10) == [1.0, 1.0, 1.0, 1.0, 4.0, 4.0, None, None, None, None]
    assert newest_of([], SPAN)(3) == [None, None, None]


def test_a_straight_line_stands_between_its_ends_alone() -> None:
    sample = straight((SPAN.start + 300, 0.0), (SPAN.end, 10.0), SPAN)(10)
    assert sample == [None] * 5 + [1.0, 3.0, 5.0, 7.0, 9.0]


def test_failures_are_added_up_in_a_column_and_shown_in_all_that_a_step_covers() -> None:
    counts = [FailureCount(int(SPAN.start), "a", 2), FailureCount(int(SPAN.start), "b", 3)]
    assert number_of(counts, 10, SPAN)(10) == [5, *[None] * 9]
    assert number_of(counts, 120, SPAN)(10) == [5, 5, *[None] * 8]
