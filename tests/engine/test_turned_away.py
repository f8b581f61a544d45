"""A picture that alone is larger than the quota ends its run at last; where nobody gets through none is given up."""

from dataclasses import replace

from tests.engine.conftest import Workshop, answers, fails
from tests.engine.rings import Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import TaskStatus
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.clock import steady_time
from vqa_tui.engine.turned_away import LONGEST_WAIT_S, MOST, PATIENT, TurnedAway
from vqa_tui.engine.worker import Worker


def test_it_is_put_off_for_longer_and_longer_and_given_up_where_as_many_others_got_through() -> None:
    counted = TurnedAway()
    waits = []
    for number in range(MOST - 1):
        counted.answered(1000 + number)
        verdict = counted.rate_limited(7)
        waits.append(verdict.wait_s)
        assert not verdict.given_up
    assert waits[: PATIENT + 3] == [0.0] * PATIENT + [2.0, 4.0, 8.0] and max(waits) == LONGEST_WAIT_S
    counted.answered(9999)
    counted.answered(9998)
    assert counted.rate_limited(7).given_up == (
        f"rate limited {MOST} times in a row while {MOST} other requests got through: it probably takes more than the "
        "quota allows for one request"
    )


def test_none_is_given_up_where_nobody_gets_through_or_most_others_are_turned_away_too() -> None:
    alone, among_others = TurnedAway(), TurnedAway()
    for number in range(10 * MOST):
        assert alone.rate_limited(7).given_up == ""
        assert among_others.rate_limited(7).given_up == ""
        among_others.answered(100 + number)
        among_others.rate_limited(10_000 + 2 * number)
        among_others.rate_limited(10_001 + 2 * number)


def test_a_night_of_rate_limits_breaks_nothing_is_told_once_and_fails_nobody_when_it_is_over() -> None:
    counted = TurnedAway()
    verdicts = [counted.rate_limited(task_id) for _ in range(5_000) for task_id in (7, 8)]
    assert max(verdict.wait_s for verdict in verdicts) == LONGEST_WAIT_S
    assert not any(verdict.given_up for verdict in verdicts)
    (notice,) = [verdict.notice for verdict in verdicts if verdict.notice]
    assert f"{MOST} times in a row" in notice
    for number in range(100_000):
        counted.answered(100 + number)
    assert counted.rate_limited(7).given_up == ""


def test_an_answer_begins_the_count_anew() -> None:
    counted = TurnedAway()
    for _ in range(3):
        for number in range(MOST - 1):
            counted.answered(100 + number)
            assert counted.rate_limited(7).given_up == ""
        counted.answered(7)


async def test_a_worker_fails_the_picture_with_that_reason_and_spends_no_attempt(workshop: Workshop) -> None:
    ring = Ring(endpoint(KeyConfig(name="a")))
    gate = Gatekeeper(ring, workshop.budget, workshop.bench.board)
    worker = Worker(replace(workshop.bench, gatekeeper=gate))
    for number in range(MOST + 1):
        workshop.client.script = answers()
        ring.keys[0].group.cooling_until = 0.0
        await worker.handle(workshop.task(number=100 + number))
        workshop.writer.outcomes.clear()
        workshop.client.script = fails(FailureKind.RATE_LIMITED, 429, retry_after_s=0.0)
        before = steady_time()
        # One rate limit after another without a rest would be the keyring's to forbid; here only the count matters.
        ring.keys[0].group.cooling_until = 0.0
        await worker.handle(workshop.task())
        (outcome,) = workshop.writer.outcomes
        workshop.writer.outcomes.clear()
        assert not outcome.spends_attempt and outcome.attempt is not None
        if number < MOST:
            assert outcome.status is TaskStatus.PENDING and outcome.problem is None
            assert (outcome.not_before > before) is (number >= PATIENT)
    assert (outcome.status, outcome.kind) == (TaskStatus.FAILED, FailureKind.RATE_LIMITED)
    assert outcome.problem is not None and outcome.problem.startswith(f"rate limited {MOST + 1} times in a row")
