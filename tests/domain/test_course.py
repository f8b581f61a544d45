"""What recorded points say: stretches of work, the moment that is looked at, the course in even steps."""

from hypothesis import given
from hypothesis import strategies as st

from tests.course_points import point, steady
from vqa_tui.domain.course import (
    CoursePoint,
    MomentFacts,
    course_rows,
    index_at,
    index_showing,
    merged_steps,
    moment_at,
    stretches,
)

_FACTS = MomentFacts()


def test_a_pause_and_a_new_session_are_no_stretch_of_work() -> None:
    points = [point(101), point(102), point(109), point(110, session_id=2), point(111, session_id=2)]
    assert [(step.before.at, step.after.at) for step in stretches(points)] == [(101, 102), (110, 111)]


def test_rows_that_were_thinned_are_one_stretch_from_round_second_to_round_second() -> None:
    points = [point(at) for at in (60, 120, 180, 190, 200, 201, 202)]
    assert [step.seconds for step in stretches(points)] == [60, 60, 10, 10, 1, 1]


def test_pictures_put_back_are_no_rate_below_nothing() -> None:
    (step,) = stretches([point(1, 10), point(2, 4)])
    assert step.rate == step.bytes_per_s == 0


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 9), st.booleans()), max_size=200), st.integers(1, 50))
def test_joined_stretches_gain_and_last_as_much_as_those_that_they_are_made_of(
    steps: list[tuple[int, int, bool]], most: int
) -> None:
    at, done, session, points = 1_000, 0, 1, [point(1_000)]
    for seconds, gained, restarts in steps:
        at, done, session = at + seconds, done + gained, session + restarts
        points.append(point(at, done, session_id=session))
    single, joined = list(stretches(points)), merged_steps(points, most)
    assert sum(step.seconds for step in joined) == sum(step.seconds for step in single)
    assert sum(step.after.done - step.before.done for step in joined) == sum(
        step.after.done - step.before.done for step in single
    )
    assert len(joined) <= len(single)


def test_a_long_course_is_joined_to_what_a_plot_has_room_for() -> None:
    assert len(merged_steps(steady(0, 20_000), 100)) <= 101


def test_the_rate_of_a_moment_is_that_of_the_minute_before_it() -> None:
    slow, fast = steady(0, 120, 1), [point(120 + s, 120 + 9 * s) for s in range(1, 121)]
    points = [*slow, *fast]
    assert moment_at(points, 120, _FACTS).rate == 1
    assert moment_at(points, 240, _FACTS).rate == 9
    assert moment_at(points, 150, _FACTS).rate == 5
    assert moment_at(points, 240, _FACTS).bytes_per_s == 9_000


def test_a_thinned_minute_has_its_true_rate() -> None:
    assert moment_at(steady(0, 600, 5, every=60), 5, _FACTS).rate == 5
    assert moment_at(steady(0, 600, 5, every=10), 20, _FACTS).rate == 5


def test_the_first_moment_of_a_session_says_nothing_of_the_one_before() -> None:
    points = [*steady(0, 10), point(11, 99, session_id=2)]
    moment = moment_at(points, len(points) - 1, _FACTS)
    assert (moment.rate, moment.history, moment.throttle_history, moment.bytes_per_s) == (None, (), (12,), None)


def test_the_newest_point_not_later_than_a_time_is_found() -> None:
    points = [point(10), point(20), point(30)]
    assert [index_at(points, at) for at in (5, 10, 19.9, 20, 99)] == [0, 0, 0, 1, 2]


def test_an_event_shows_at_the_first_point_that_is_not_before_its_second() -> None:
    points = [point(10), point(20), point(30)]
    assert [index_showing(points, at) for at in (3, 10.9, 11, 20.5, 30.9, 31)] == [0, 0, 1, 1, 2, 3]


def test_rows_end_with_the_last_point_of_each_step_and_know_the_rate_over_it() -> None:
    rows = course_rows(steady(0, 25), 10)
    assert [(row.point.at, row.rate) for row in rows] == [(9, 5), (19, 5), (25, 5)]
    with_pause: list[CoursePoint] = [*steady(1, 8), point(55, 40), point(56, 47)]
    assert [(row.point.at, row.rate) for row in course_rows(with_pause, 10)] == [(9, 5), (56, 7)]
    assert course_rows([], 10) == []
    assert course_rows([point(3)], 10)[0].rate is None
