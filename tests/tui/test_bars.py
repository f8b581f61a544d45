"""Bars and sparklines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.tui.present import bars


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 10, "▱▱▱▱"),
        (0.01, 10, "▰▱▱▱"),
        (5, 10, "▰▰▱▱"),
        (9.99, 10, "▰▰▰▱"),
        (10, 10, "▰▰▰▰"),
        (12, 10, "▰▰▰▰"),
        (1, 0, "▱▱▱▱"),
    ],
)
def test_a_gauge_is_empty_or_full_only_when_that_is_true(part: float, whole: float, shown: str) -> None:
    assert bars.gauge(part, whole, 4).plain == shown


def test_a_line_has_half_cell_steps() -> None:
    assert bars.line(3, 8, 4).plain == "━╾──"


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=3),
    st.integers(0, 10**7),
    st.integers(0, 200),
)
def test_a_segmented_line_always_fills_its_width(parts: list[int], rest: int, width: int) -> None:
    drawn = bars.segments([(part, "") for part in parts], sum(parts) + rest, width)
    assert drawn.cell_length == width


def test_one_failure_in_a_million_is_seen() -> None:
    drawn = bars.segments([(999_998, "$success"), (1, "$error")], 10_000_000, 40)
    assert "$error" in [span.style for span in drawn.spans]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=300), st.integers(0, 90), st.integers(0, 6))
def test_a_sparkline_has_the_size_asked_for(values: list[float], width: int, height: int) -> None:
    lines = bars.sparkline(values, width, height)
    assert len(lines) == (height if width else 0)
    assert all(len(line) == width for line in lines)


def test_a_sparkline_scales_to_its_largest_value_and_ends_with_the_newest() -> None:
    assert bars.sparkline([0, 1, 8], 4) == ["  ▁█"]
    assert bars.sparkline([4, 8], 2, 2) == [" █", "██"]


def test_more_values_than_cells_are_averaged() -> None:
    assert bars.sparkline([8, 8, 0, 0, 4, 4], 3) == ["█ ▄"]


def test_values_that_are_not_finite_count_as_nothing() -> None:
    assert bars.sparkline([math.nan, math.inf, 1], 3) == ["  █"]
