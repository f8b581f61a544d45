"""Claim, settle, rescue and requeue on a real file; the tallies always agree with the rows."""

import sqlite3
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.domain.work import AttemptRecord, Flight, TaskOutcome
from vqa_tui.store import reads, runs
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue

SENT_AT = 1.0


def attempt(kind: str = "ok", cost: int = 7, uncertain: int = 0) -> AttemptRecord:
    return AttemptRecord("a", SENT_AT, 12.5, kind, usage=Usage(100, 20), cost_nano=cost, uncertain_nano=uncertain)


def done(task_id: int) -> TaskOutcome:
    pairs = (Pair("What?", "A knife.", "specific", (SampleFlag.SHORT_ANSWER,)),)
    return TaskOutcome(task_id, TaskStatus.DONE, attempt(), spends_attempt=True, pairs=pairs)


async def test_claim_leases_each_task_once_in_order(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(10))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    first = await queue.claim(4, now=0, pilot_only=False)
    second = await queue.claim(100, now=0, pilot_only=False)
    assert [task.item.key for task in first + second] == [f"{n:06}.jpg" for n in range(10)]
    assert await queue.claim(1, now=0, pilot_only=False) == []
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"leased": 10}


async def test_retries_that_are_due_come_first_and_later_ones_wait(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(4))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(2, now=0, pilot_only=False)
    await queue.settle(
        [
            TaskOutcome(tasks[0].id, TaskStatus.PENDING, attempt("server"), True, not_before=50.0, kind="server"),
            TaskOutcome(tasks[1].id, TaskStatus.PENDING, attempt("server"), True, not_before=500.0, kind="server"),
        ]
    )
    again = await queue.claim(10, now=100.0, pilot_only=False)
    assert [task.item.key for task in again] == ["000000.jpg", "000002.jpg", "000003.jpg"]
    assert again[0].attempts_spent == 1 and again[0].last_kind == "server"
    assert await queue.next_due(pilot_only=False) == 500.0


async def test_next_due_is_none_when_nothing_is_pending(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    assert await queue.next_due(pilot_only=False) == 0.0
    await queue.claim(1, now=0, pilot_only=False)
    assert await queue.next_due(pilot_only=False) is None


@pytest.mark.parametrize(
    ("total", "limit", "pilot"), [(10, None, 3), (1000, 10, 10), (7, 100, 20), (97, 31, 5), (3, 1, 1)]
)
async def test_limit_and_pilot_are_exact_and_spread_evenly(
    builder: Builder, total: int, limit: int | None, pilot: int
) -> None:
    run_id = await builder.run(await builder.dataset(total), limit=limit, pilot=pilot)
    rows = await builder.database.read(
        "SELECT t.pilot, i.id FROM task t JOIN item i ON i.id = t.item_id WHERE run_id = ? ORDER BY i.id", (run_id,)
    )
    chosen = min(total, limit or total)
    assert len(rows) == chosen
    assert sum(row["pilot"] for row in rows) == min(pilot, chosen)
    gaps = [b["id"] - a["id"] for a, b in pairwise(rows)]
    assert not gaps or max(gaps) - min(gaps) <= 1
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    assert len(await queue.claim(total, now=0, pilot_only=True)) == min(pilot, chosen)
    assert await queue.next_due(pilot_only=True) is None


async def test_settle_stores_attempt_samples_and_status_together(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(2))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    first, second = await queue.claim(2, now=0, pilot_only=False)
    failure = TaskOutcome(second.id, TaskStatus.FAILED, attempt("refused", cost=3), True, kind="refused", problem="no")
    await queue.settle([done(first.id), failure])
    view = await reads.run_view(builder.database, run_id, now=0, flights=())
    assert view is not None
    assert (view.counts.done, view.counts.failed, view.samples) == (1, 1, 1)
    assert dict(view.failures) == {"refused": 1}
    assert (view.tokens.input, view.tokens.output) == (200, 40)
    assert view.cost.spent * 10**9 == 10
    sample = await builder.database.read_one("SELECT question, answer, flags FROM sample")
    assert sample is not None and tuple(sample) == ("What?", "A knife.", '["short_answer"]')


async def test_a_lost_lease_writes_nothing_but_the_paid_attempt_is_kept(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    old = TaskQueue(builder.database, run_id, await builder.session(run_id, pid=1))
    (task,) = await old.claim(1, now=0, pilot_only=False)
    new = TaskQueue(builder.database, run_id, await builder.session(run_id, pid=2))
    await new.rescue([])
    await new.claim(1, now=0, pilot_only=False)
    await old.settle([done(task.id)])
    assert await builder.counts(run_id) == {"leased": 1}
    assert await builder.database.read("SELECT * FROM sample") == []
    await new.settle([done(task.id)])
    assert await builder.counts(run_id) == {"done": 1}
    numbers = await builder.database.read("SELECT number, session_id FROM attempt ORDER BY number")
    assert [tuple(row) for row in numbers] == [(1, 1), (2, 2)]


async def test_rescue_puts_back_all_and_records_only_what_was_in_flight(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(5))
    dead = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await dead.claim(4, now=0, pilot_only=False)
    await dead.settle([done(tasks[0].id)])
    flights = [Flight(tasks[0].id, SENT_AT, 1000, "a"), *(Flight(task.id, 5.0, 1000, "a") for task in tasks[1:3])]
    session = await builder.session(run_id)
    rescue = await TaskQueue(builder.database, run_id, session).rescue(flights)
    # The journal still names the first, but its result was committed before the kill.
    assert (rescue.tasks, rescue.requests, rescue.uncertain_nano) == (3, 2, 2000)
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"pending": 4, "done": 1}
    lost = await builder.database.read("SELECT task_id, kind, uncertain_nano FROM attempt WHERE kind = 'lost'")
    assert [row["task_id"] for row in lost] == [tasks[1].id, tasks[2].id]
    view = await reads.run_view(builder.database, run_id, now=0, flights=())
    assert view is not None and view.cost.uncertain * 10**9 == 2000


async def test_done_tasks_forget_the_failure_before(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    await queue.settle(
        [TaskOutcome(task.id, TaskStatus.PENDING, attempt("bad_reply"), True, kind="bad_reply", problem="p")]
    )
    (again,) = await queue.claim(1, now=0, pilot_only=False)
    assert (again.last_kind, again.last_problem) == ("bad_reply", "p")
    await queue.settle([done(task.id)])
    row = await builder.database.read_one("SELECT last_kind, last_problem, attempts FROM task")
    assert row is not None and tuple(row) == (None, None, 2)


async def test_requeue_by_kind_and_by_id_and_skip(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(4))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(4, now=0, pilot_only=False)
    kinds = ["server", "server", "refused", "bad_image"]
    await queue.settle(
        [TaskOutcome(t.id, TaskStatus.FAILED, None, False, kind=k) for t, k in zip(tasks, kinds, strict=True)]
    )
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester", kinds=["server"]) == 2
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester", ids=[tasks[2].id, tasks[0].id]) == 1
    assert await edit_queue(builder.database, run_id, EditVerb.SKIP, who="tester", ids=[task.id for task in tasks]) == 4
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"skipped": 4}


async def test_finishing_is_refused_while_something_is_pending(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    assert not await runs.finish_if_drained(builder.database, run_id, "all")
    await builder.database.read("SELECT 1")
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    assert not await runs.finish_if_drained(builder.database, run_id, "all")
    await queue.settle([done(task.id)])
    assert await runs.finish_if_drained(builder.database, run_id, "all")
    view = await reads.run_view(builder.database, run_id, now=0, flights=())
    assert view is not None and view.phase is Phase.DONE


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE task SET status = 'leased'",
        "UPDATE task SET status = 'done'",
        "UPDATE task SET status = 'failed', finished_at = 1",
        "UPDATE task SET status = 'lost'",
        "UPDATE task SET finished_at = 1",
    ],
)
async def test_the_schema_refuses_impossible_states(builder: Builder, forbidden: str) -> None:
    await builder.run(await builder.dataset(1))
    with pytest.raises((sqlite3.IntegrityError, StoreTrouble)):
        async with builder.database.write() as transaction:
            await transaction.execute(forbidden)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["claim", "finish", "fail", "again", "requeue", "skip", "crash"]), st.integers(1, 5)),
        max_size=25,
    )
)
async def test_tallies_and_ledger_agree_with_the_rows_after_any_history(
    builder: Builder, history: list[tuple[str, int]]
) -> None:
    number = len(await runs.run_names(builder.database))
    dataset_id = await builder.dataset(8, name=f"d{number}")
    run_id = await builder.run(dataset_id, name=f"r{number}")
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    held: list[int] = []
    for step, count in history:
        some, rest = held[:count], held[count:]
        if step == "claim":
            held += [task.id for task in await queue.claim(count, now=10**12, pilot_only=False)]
        elif step == "finish":
            await queue.settle([done(task_id) for task_id in some])
            held = rest
        elif step == "fail":
            await queue.settle(
                [TaskOutcome(i, TaskStatus.FAILED, attempt("server", 5), True, kind=FailureKind.SERVER) for i in some]
            )
            held = rest
        elif step == "again":
            await queue.settle(
                [TaskOutcome(i, TaskStatus.PENDING, attempt("timeout", 0, 9), True, 20.0, "timeout") for i in some]
            )
            held = rest
        elif step == "requeue":
            await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester")
        elif step == "skip":
            await edit_queue(builder.database, run_id, EditVerb.SKIP, who="tester", ids=list(range(1, count * 3)))
        else:
            queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
            await queue.rescue([Flight(task_id, 1.0, 11, "a") for task_id in some])
            held = []
    assert await builder.counts(run_id) == await builder.tallied(run_id)
    assert sum((await builder.counts(run_id)).values()) == 8
    totals = await reads.attempt_totals(builder.database, run_id)
    rows = await builder.database.read(
        "SELECT coalesce(sum(cost_nano), 0) AS c, coalesce(sum(uncertain_nano), 0) AS u FROM attempt WHERE run_id = ?",
        (run_id,),
    )
    assert (totals.spent_nano, totals.uncertain_nano) == (rows[0]["c"], rows[0]["u"])
    twice = await builder.database.read(
        "SELECT task_id FROM sample WHERE run_id = ? GROUP BY task_id, ordinal HAVING count(*) > 1", (run_id,)
    )
    assert twice == []
