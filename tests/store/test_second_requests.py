"""Second requests in the store: of stragglers, after bad replies, and after a crash; every one is kept and counted."""

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import CUT, LONGEST_WAIT_S, AttemptRecord, ClaimedTask, Flight, Purpose, TaskOutcome
from vqa_tui.store import reads
from vqa_tui.store.budget_notice import tell_of_cap
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue

PAIRS = (Pair("What?", "A knife.", "specific"),)


def attempt(kind: str = "ok", sent_at: float = 1.0, **more: Any) -> AttemptRecord:
    made = AttemptRecord("a", sent_at, 12.5, kind, usage=Usage(100, 20), cost_nano=7)
    return replace(made, **more)


def bad(task: ClaimedTask, purpose: Purpose, *, finish_reason: str = "stop", final: bool = False) -> TaskOutcome:
    status = TaskStatus.FAILED if final else TaskStatus.PENDING
    record = attempt("bad_reply", message=f"{purpose} was bad", purpose=purpose, finish_reason=finish_reason)
    return TaskOutcome(task.id, status, record, True, kind="bad_reply", problem="told to a person")


async def queue_of(builder: Builder, items: int = 1) -> tuple[int, TaskQueue]:
    run_id = await builder.run(await builder.dataset(items))
    return run_id, TaskQueue(builder.database, run_id, await builder.session(run_id))


async def claimed(queue: TaskQueue) -> ClaimedTask:
    (task,) = await queue.claim(1, now=10**12, pilot_only=False)
    return task


async def test_a_claim_tells_what_was_wrong_with_the_newest_bad_reply_and_what_was_tried(builder: Builder) -> None:
    _run_id, queue = await queue_of(builder)
    task = await claimed(queue)
    assert (task.bad_reply, task.cut, task.tried) == ("", False, frozenset())
    await queue.settle([bad(task, Purpose.ASK, finish_reason=CUT)])
    task = await claimed(queue)
    assert (task.bad_reply, task.cut, task.tried) == ("ask was bad", True, frozenset({"ask"}))
    await queue.settle([bad(task, Purpose.LONGER)])
    # What a key or the endpoint did says nothing about the reply, and a repair that got no reply was not tried.
    for kind in ("rate_limited", "server", "lost"):
        task = await claimed(queue)
        again = TaskOutcome(task.id, TaskStatus.PENDING, attempt(kind, purpose=Purpose.REPAIR), kind=kind)
        await queue.settle([again])
    task = await claimed(queue)
    assert (task.bad_reply, task.cut, task.tried) == ("longer was bad", False, frozenset({"ask", "longer"}))


async def test_a_person_who_requeues_allows_everything_again_and_nothing_recorded_is_lost(builder: Builder) -> None:
    run_id, queue = await queue_of(builder)
    for purpose in (Purpose.ASK, Purpose.REPAIR):
        await queue.settle([bad(await claimed(queue), purpose)])
    await queue.settle([bad(await claimed(queue), Purpose.ASK, final=True)])
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester") == 1
    task = await claimed(queue)
    assert (task.bad_reply, task.cut, task.tried, task.attempts_spent) == ("", False, frozenset(), 0)
    await queue.settle([bad(task, Purpose.ASK)])
    task = await claimed(queue)
    assert (task.bad_reply, task.tried, task.attempts_spent) == ("ask was bad", frozenset({"ask"}), 1)
    rows = await builder.database.read("SELECT number, purpose FROM attempt ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, "ask"), (2, "repair"), (3, "ask"), (4, "ask")]


@pytest.mark.parametrize("together", [True, False])
async def test_a_straggler_is_recorded_without_touching_its_task_in_one_group_or_later(
    builder: Builder, together: bool
) -> None:
    run_id, queue = await queue_of(builder)
    task = await claimed(queue)
    done = TaskOutcome(task.id, TaskStatus.DONE, attempt(purpose=Purpose.HEDGE), True, pairs=PAIRS)
    late = TaskOutcome(task.id, TaskStatus.FAILED, attempt("server", 2.0), kind="server", attempt_alone=True)
    for group in [[done, late]] if together else [[done], [late]]:
        await queue.settle(group)
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"done": 1}
    row = await builder.database.read_one("SELECT attempts, attempts_spent, last_kind FROM task")
    assert row is not None and tuple(row) == (2, 1, None)
    assert [row["n"] for row in await builder.database.read("SELECT count(*) AS n FROM sample")] == [1]
    totals = await reads.attempt_totals(builder.database, run_id)
    assert totals.spent_nano == 14


async def test_both_requests_of_a_straggler_are_recorded_with_its_outcome(builder: Builder) -> None:
    run_id, queue = await queue_of(builder)
    task = await claimed(queue)
    both = TaskOutcome(
        task.id, TaskStatus.DONE, attempt(), True, pairs=PAIRS, hedge=attempt("timeout", 2.0, purpose=Purpose.HEDGE)
    )
    await queue.settle([both])
    rows = await builder.database.read("SELECT number, kind, purpose FROM attempt ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, "ok", "ask"), (2, "timeout", "hedge")]
    row = await builder.database.read_one("SELECT attempts, attempts_spent FROM task")
    assert row is not None and tuple(row) == (2, 1)
    assert (await reads.attempt_totals(builder.database, run_id)).spent_nano == 14


async def test_a_rescue_counts_every_flight_that_has_no_attempt_whatever_became_of_its_task(builder: Builder) -> None:
    run_id, dead = await queue_of(builder, items=3)
    first, second, _third = await dead.claim(3, now=0, pilot_only=False)
    await dead.settle([TaskOutcome(first.id, TaskStatus.DONE, attempt(sent_at=5.5), True, pairs=PAIRS)])
    flights = [
        Flight(first.id, 5.0, 100, "a"),
        Flight(first.id, 5.5, 7, "a", answered=True),
        Flight(second.id, 6.0, 100, "a"),
        Flight(second.id, 7.0, 100, "b"),
        Flight(999, 8.0, 100, "a"),
    ]
    for round_number in range(2):
        queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
        rescue = await queue.rescue(flights)
        # A second look at the same journal, by an engine that follows one killed at this very moment, adds nothing.
        expected = (2, 3, 300) if round_number == 0 else (0, 0, 0)
        assert (rescue.tasks, rescue.requests, rescue.uncertain_nano) == expected
    rows = await builder.database.read(
        "SELECT task_id, started_at, session_id, uncertain_nano FROM attempt WHERE kind = 'lost' ORDER BY started_at"
    )
    assert [tuple(row) for row in rows] == [(first.id, 5.0, 1, 100), (second.id, 6.0, 1, 100), (second.id, 7.0, 1, 100)]
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"done": 1, "pending": 2}


async def test_a_clock_that_was_set_back_does_not_put_retries_off(builder: Builder) -> None:
    run_id, queue = await queue_of(builder, items=2)
    soon, late = await queue.claim(2, now=0, pilot_only=False)
    now = time.time()
    for task, due in ((soon, now + 5), (late, now + 3600)):
        outcome = TaskOutcome(task.id, TaskStatus.PENDING, attempt("server"), True, due, FailureKind.SERVER, "p")
        await queue.settle([outcome])
    await TaskQueue(builder.database, run_id, await builder.session(run_id)).rescue([])
    rows = await builder.database.read("SELECT not_before FROM task ORDER BY id")
    assert rows[0]["not_before"] == now + 5
    assert now + LONGEST_WAIT_S <= rows[1]["not_before"] <= time.time() + LONGEST_WAIT_S


async def test_the_nearness_of_a_cap_is_told_once_for_each_cap_by_whomever(builder: Builder) -> None:
    run_id, _queue = await queue_of(builder)
    other = await builder.run(await builder.dataset(1, name="other"), name="other")
    told = [await tell_of_cap(builder.database, run_id, cap, f"near {cap}") for cap in (10, 10, 20, 20)]
    assert told == [True, False, True, False]
    assert await tell_of_cap(builder.database, other, 20, "near 20")
    rows = await builder.database.read("SELECT run_id, level, message FROM event ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (run_id, "warning", "near 10"),
        (run_id, "warning", "near 20"),
        (other, "warning", "near 20"),
    ]


async def test_a_repair_whose_second_request_was_the_bad_one_was_tried(builder: Builder) -> None:
    _run_id, queue = await queue_of(builder)
    await queue.settle([bad(await claimed(queue), Purpose.ASK)])
    task = await claimed(queue)
    record = attempt("bad_reply", message="bad", purpose=Purpose.HEDGE, question=Purpose.REPAIR)
    await queue.settle([TaskOutcome(task.id, TaskStatus.PENDING, record, True, kind="bad_reply", problem="p")])
    assert (await claimed(queue)).tried == frozenset({"ask", "repair"})


async def test_the_worst_ratio_is_to_the_bound_and_leaves_out_what_is_beyond_all_reason(builder: Builder) -> None:
    run_id, queue = await queue_of(builder, items=4)
    tasks = await queue.claim(4, now=0, pilot_only=False)
    # The second was set aside with the ratio that the first had shown; the third is nonsense; the last failed.
    made = [
        attempt(cost_nano=300, reserved_nano=100, bound_nano=100),
        attempt(cost_nano=330, reserved_nano=300, bound_nano=100),
        attempt(cost_nano=30_001, reserved_nano=300, bound_nano=100),
        attempt("server", cost_nano=0, uncertain_nano=300, reserved_nano=300, bound_nano=100),
    ]
    await queue.settle([TaskOutcome(tasks[3].id, TaskStatus.PENDING, made[3])])
    assert not (await reads.attempt_totals(builder.database, run_id)).answered
    for task, record in zip(tasks, made[:3], strict=False):
        await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, record, True)])
    totals = await reads.attempt_totals(builder.database, run_id)
    assert (totals.worst_ratio, totals.answered) == (3.3, True)


async def test_a_journal_without_any_earlier_session_is_rescued_to_our_own(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    session = await builder.session(run_id)
    (row,) = await builder.database.read("SELECT id FROM task")
    rescue = await TaskQueue(builder.database, run_id, session).rescue([Flight(row["id"], 5.0, 100, "a")])
    assert (rescue.tasks, rescue.requests) == (0, 1)
    assert [row["session_id"] for row in await builder.database.read("SELECT session_id FROM attempt")] == [session]


async def test_putting_failures_back_does_not_raise_what_one_picture_is_said_to_cost(builder: Builder) -> None:
    endpoint = '{"prices": {"input_per_million": "1", "output_per_million": "1"}}'
    run_id = await builder.run(await builder.dataset(100), endpoint=endpoint)
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(100, now=0, pilot_only=False)
    await queue.settle([bad(task, Purpose.ASK, final=True) for task in tasks[1:]])
    await queue.settle([TaskOutcome(tasks[0].id, TaskStatus.DONE, attempt(), True, pairs=PAIRS)])
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester") == 99
    view = await reads.run_view(builder.database, run_id, now=time.time(), flights=())
    assert view is not None and view.cost.projected is not None
    # 100 were paid at 7 each, and 99 are asked once more.
    assert view.cost.projected * 10**9 == 100 * 7 + 99 * 7
    assert await queue.count_left(at_most=4, pilot_only=False) == 4
