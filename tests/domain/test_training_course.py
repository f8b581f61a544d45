"""The course of a training: curves, a resumed session, pace, spikes, checkpoints."""

import math

import pytest

from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.domain.training_events import Answered, Event, LeftOut, Looked, Saved, Started, Stepped, checkpoints


def started(
    first: int = 0, total: int = 100, at: float = 0.0, *, look_every: int | None = None, save_every: int | None = None
) -> Started:
    every = {"look_every": look_every, "save_every": save_every}
    return Started(at, first, total, 3.0, 40, 4, "CPU", "fp32", 1_000, 10, **every)


def stepped(
    step: int,
    loss: float | None = 1.0,
    *,
    at: float | None = None,
    seconds: float = 0.5,
    rows: tuple[int, ...] = (1, 2),
) -> Stepped:
    return Stepped(step if at is None else at, step, step / 10, loss, 0.01, 1.0, seconds, 50, rows, 1_000 + step)


def course_of(*events: Event) -> TrainingCourse:
    course = TrainingCourse()
    course.take(events)
    return course


def test_curves_and_the_rows_of_a_step() -> None:
    course = course_of(started(), stepped(1, 4.0, rows=(7,)), stepped(2, None, rows=(8, 9)), stepped(3, 2.0))
    assert list(course.steps) == [1, 2, 3]
    assert course.losses[0] == 4.0 and math.isnan(course.losses[1])
    assert course.rows_of(1) == (7,) and course.rows_of(2) == (8, 9) and course.rows_of(9) == ()
    assert course.index_of(3) == 2 and course.index_of(4) is None
    assert course.token_rates[0] == 100.0 and course.peak_memory_bytes == 1_003


def test_the_smoothed_loss_is_a_corrected_exponential_mean() -> None:
    course = course_of(started(), stepped(1, 4.0), stepped(2, 2.0), stepped(3, None))
    assert course.smoothed[0] == pytest.approx(4.0)
    assert course.smoothed[1] == pytest.approx((0.09 * 4 + 0.1 * 2) / 0.19)
    assert course.smoothed[2] == course.smoothed[1]


def test_a_resumed_session_does_the_steps_after_its_checkpoint_again() -> None:
    first: list[Event] = [started(), *(stepped(n, 10.0 - n, rows=(n,)) for n in range(1, 6))]
    answers = [Answered(1.0, step, 1, "k", "p", "q", "r", "a") for step in (2, 4)]
    first += [
        Looked(1.0, 2, 3.0, 0.1),
        Looked(1.0, 4, 2.0, 0.1),
        Saved(1.0, 2, "c", 9, 3.0),
        Saved(1.0, 4, "c", 9, 2.0),
    ]
    course = course_of(*first, *answers, started(2, at=50.0), stepped(3, 1.0, at=51.0, rows=(33,)))
    assert list(course.steps) == [1, 2, 3] and course.rows_of(3) == (33,) and course.rows_of(2) == (2,)
    assert [each.step for each in course.looks] == [2] and [each.step for each in course.saved] == [2]
    assert [each.step for each in course.answers] == [2] and course.sessions == 2
    fresh = course_of(started(), stepped(1, 9.0), stepped(2, 8.0), stepped(3, 1.0))
    assert list(course.smoothed) == pytest.approx(list(fresh.smoothed))
    assert course.pace is None, "the pace is that of the new session, which has done one step"


def test_the_pace_and_the_eta_are_those_of_this_session() -> None:
    slow = [stepped(n, at=100.0 * n, seconds=100.0) for n in range(1, 5)]
    fast = [stepped(n, at=1_000.0 + 2 * (n - 4), seconds=2.0) for n in range(5, 11)]
    course = course_of(started(), *slow, started(4, at=1_000.0), *fast)
    pace = course.pace
    assert pace is not None and pace.steps_per_s == pytest.approx(0.5) and pace.tokens_per_s == pytest.approx(25.0)
    assert course.eta_s == pytest.approx(180.0)


@pytest.mark.parametrize("done", [150, 199, 200, 201, 205, 340, 1_000])
def test_the_eta_holds_wherever_the_newest_look_was(done: int) -> None:
    """Steps of 12 s; each hundred a checkpoint of 20 s and a look of ten minutes, 100 s of them for answers."""
    total, now = 1_000, 0.0
    told: list[Event] = [started(total=total, look_every=100, save_every=100)]
    for step in range(1, done + 1):
        now += 12
        told.append(stepped(step, at=now, seconds=12.0))
        if step % 100 == 0 and step < done:
            told += [Saved(now + 20, step, "c", 9, seconds=20.0), Looked(now + 520, step, 1.0, 500.0)]
            told += [Answered(now + 520 + 25 * n, step, n, "k", "p", "q", "r", "a") for n in range(1, 5)]
            now += 620
    looks_left = total // 100 - done // 100
    pace = course_of(*told).pace
    assert pace is not None and pace.steps_per_s == pytest.approx(1 / 12)
    assert course_of(*told).eta_s == pytest.approx((total - done) * 12 + looks_left * 620)


def test_a_checkpoint_gets_the_loss_of_the_look_behind_it() -> None:
    told: list[Event] = [started(), Saved(1, 10, "a", 5), Looked(2, 10, 3.0, 1.0), Saved(3, 15, "b", 5)]
    assert [each.loss for each in course_of(*told).saved] == [3.0, None]
    assert checkpoints(told) == course_of(*told).saved


def test_spikes_are_steps_above_the_smoothed_loss_the_highest_first() -> None:
    losses = [2.0] * 20 + [9.0] + [2.0] * 20 + [5.0] + [2.0]
    course = course_of(started(), *(stepped(n + 1, loss) for n, loss in enumerate(losses)))
    found = course.spikes()
    assert [(each.step, each.loss) for each in found[:2]] == [(21, 9.0), (42, 5.0)]
    assert found[0].above == pytest.approx(7.0)


def test_the_best_checkpoint_and_rows_left_out() -> None:
    course = course_of(
        started(),
        Saved(1, 10, "a", 5, 3.0),
        Saved(2, 20, "b", 5, 1.0),
        Saved(3, 30, "c", 5, None),
        LeftOut(1, 3, "k", "r"),
    )
    assert course.best is not None and course.best.step == 20
    assert course.left_out[0].key == "k"


def test_steps_that_are_told_twice_count_once() -> None:
    course = course_of(started(), stepped(1), stepped(1), stepped(2))
    assert list(course.steps) == [1, 2]
