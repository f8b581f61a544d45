"""Curves of a training: sampled by step, over a linear or a logarithmic axis, with a mark."""

import math

from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.domain.training_events import Looked, Started, Stepped
from vqa_tui.tui.present.plot import Span
from vqa_tui.tui.present.training_plot import Looks, course_text, figure, per_step


def made_course(steps: int = 40) -> TrainingCourse:
    course = TrainingCourse()
    course.take([Started(0, 0, 100, 3, 40, 4, "CPU", "fp32", 1_000, 10)])
    course.take(Stepped(float(n), n, n / 10, 8 / n, 0.01, 1.0, 0.5, 50, (n, n + 1), 1_000) for n in range(1, steps + 1))
    course.take([Looked(1.0, 10, 1.0, 0.1), Looked(1.0, 20, 0.5, 0.1)])
    return course


def test_a_column_has_the_mean_of_its_steps_and_between_two_a_straight_line() -> None:
    steps, values = [1, 2, 3, 4], [1.0, 3.0, 5.0, 7.0]
    assert per_step(steps, values, Span(0, 4))(2) == [2.0, 6.0]
    assert per_step([2, 6], [0.0, 4.0], Span(0, 8))(8) == [None, 0.0, 0.5, 1.5, 2.5, 4.0, None, None]


def test_single_values_are_drawn_apart_from_lines_without_colour() -> None:
    assert per_step([2, 6], [0.0, 4.0], Span(0, 8), joined=False)(8) == [None, 0.0, None, None, None, 4.0, None, None]
    plain = course_text(made_course(), Looks(), 76, 13).plain
    assert plain.count("◆") == 3, "one in the legend, one for each look"


def test_values_that_are_no_numbers_leave_a_gap() -> None:
    assert per_step([1, 2, 3], [1.0, math.nan, 3.0], Span(0, 3))(3) == [1.0, None, 3.0]
    assert per_step([1, 2], [math.nan, 4.0], Span(0, 2))(1) == [4.0]


def test_it_fills_what_it_is_given_and_no_more() -> None:
    course = made_course()
    for width, height in ((60, 8), (76, 13), (100, 20), (160, 30), (24, 5)):
        lines = course_text(course, Looks(), width, height).split("\n")
        assert len(lines) <= height
        assert all(line.cell_length <= width for line in lines), (width, height)


def test_a_logarithmic_axis_is_labelled_in_losses() -> None:
    linear = course_text(made_course(), Looks(smooth=False), 76, 13).plain
    logarithmic = course_text(made_course(), Looks(log_scale=True, smooth=False), 76, 13).plain
    assert "0.0000 ┤" in linear and "8.0000 ┤" in linear
    assert "0.0000 ┤" not in logarithmic and "Loss, logarithmic" in logarithmic and "0.1995 ┤" in logarithmic


def test_the_axis_counts_steps_and_the_mark_names_one() -> None:
    plain = course_text(made_course(), Looks(mark=20), 76, 13).plain
    assert "▲ step 20, 2 rows (o)   loss 0.4000   held out 0.5000" in plain
    assert "┴10─" in plain and "▲20─" in plain
    assert "step 40 of 100" in course_text(made_course(), Looks(), 76, 13).plain


def test_large_panels_show_more_curves() -> None:
    plain = course_text(made_course(), Looks(), 150, 24).plain
    assert "Learning rate" in plain and "Gradient norm" in plain and "Tokens/s" in plain
    assert "Learning rate" not in course_text(made_course(), Looks(), 76, 13).plain


def test_without_a_step_it_says_so() -> None:
    assert "no step yet" in course_text(TrainingCourse(), Looks(), 76, 13).plain


def test_figures_are_short() -> None:
    assert [figure(each) for each in (4.32271, 0.0, 1.2e-5, 123.456, 3e6, None, math.nan)] == [
        "4.3227", "0.0000", "1.2e-05", "123.5", "3e+06", "–", "–",
    ]  # fmt: skip
