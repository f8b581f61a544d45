"""Reading a run's past while somebody looks: only what is new is read, and what is kept stays the same as all of it."""

from collections.abc import Sequence

import pytest

from tests.course_points import point, steady
from tests.tui.fake_history import FakeHistory
from vqa_tui.domain.course import CoursePoint, FailureCourse, LogEntry, Spending, merged_steps, stretches
from vqa_tui.tui.course_reader import MOST_STEPS, CourseReader, LogReader


def gains(steps: Sequence[tuple[CoursePoint, CoursePoint]]) -> tuple[int, int]:
    return sum(after.done - before.done for before, after in steps), sum(
        after.at - before.at for before, after in steps
    )


@pytest.mark.parametrize("length", [1, 2, 900, 5_000])
async def test_what_comes_in_piece_by_piece_is_what_all_of_it_is(length: int) -> None:
    points = [point(at, 3 * at) for at in range(length)]
    history = FakeHistory()
    reader = CourseReader(history)
    for end in (length // 3, length // 2, length // 2, length):
        # The newest second is written anew while it lasts.
        history.points = [*points[:end], *([points[end]._replace(done=0)] if end < length else [])]
        await reader.read(1)
        assert reader.points == history.points
        assert len(reader.steps) <= 2 * MOST_STEPS
    assert gains(reader.steps) == gains(list(stretches(points)))
    assert gains(reader.steps) == gains(merged_steps(points, MOST_STEPS))


async def test_another_run_begins_anew() -> None:
    history = FakeHistory()
    reader = CourseReader(history)
    history.points = steady(1_000, 20)
    await reader.read(1)
    await reader.read_spending(1)
    history.points = steady(10, 5)
    await reader.read(2)
    assert reader.points == history.points and reader.spending is None


async def test_what_is_read_of_a_run_that_was_left_meanwhile_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    history = FakeHistory()
    reader = CourseReader(history)
    await reader.read(1)

    async def spending(run_id: int) -> Spending:
        await reader.read(2)
        return Spending()

    async def failure_course(run_id: int, *, every_s: int) -> FailureCourse:
        await reader.read(2)
        return FailureCourse(1)

    monkeypatch.setattr(history, "spending", spending)
    monkeypatch.setattr(history, "failure_course", failure_course)
    await reader.read_spending(1)
    await reader.read(1)
    await reader.read_failures(1)
    assert reader.spending is None and reader.failures is None


async def test_the_log_grows_at_the_top_and_begins_anew_for_another_choice() -> None:
    history = FakeHistory()
    reader = LogReader(history)
    history.log = (LogEntry(2, 2.0, "error", "b"), LogEntry(1, 1.0, "info", "a"))
    await reader.read(1, (), None)
    history.log = (LogEntry(1, 3.0, "action", "c"), *history.log)
    await reader.read(1, (), None)
    assert [entry.message for entry in reader.entries] == ["c", "b", "a"]
    await reader.read(1, ("error",), None)
    assert [entry.message for entry in reader.entries] == ["b"]
    assert not await reader.read_older()
