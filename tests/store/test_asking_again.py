"""Tasks asked again: what was changed holds until they are done, and pairs are replaced or kept, never lost."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.conftest import Builder
from tests.store.test_queue import attempt, done
from vqa_tui.domain.changes import TaskChanges, changes_of
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import AttemptRecord, Flight, TaskOutcome
from vqa_tui.store import runs, tasks
from vqa_tui.store.asking_again import sizes_of, spread_items_of, standing
from vqa_tui.store.db import Database
from vqa_tui.store.follow_ups import create_follow_up
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue, move_tasks
from vqa_tui.store.reads import run_summaries, run_view
from vqa_tui.store.run_creation import NewRun

MORE = TaskChanges(max_tokens=4000)


def failed(task_id: int, kind: str = "bad_reply") -> TaskOutcome:
    return TaskOutcome(task_id, TaskStatus.FAILED, attempt(kind), True, kind=kind, problem="no JSON")


def answered(task_id: int, *answers: str) -> TaskOutcome:
    pairs = tuple(Pair("What?", answer) for answer in answers)
    return TaskOutcome(task_id, TaskStatus.DONE, attempt(), True, pairs=pairs)


async def put_back(database: Database, run_id: int, ids: Sequence[int], changes: TaskChanges) -> dict[TaskStatus, int]:
    return await move_tasks(database, run_id, EditVerb.AGAIN, who="x", ids=ids, changes=changes)


async def fetch(builder: Builder, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await builder.database.read(sql, values)]


async def test_changes_are_claimed_add_up_and_end_with_the_task(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(3))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    first, second, third = await queue.claim(3, now=0, pilot_only=False)
    assert not first.changes
    await queue.settle([failed(first.id), failed(second.id), failed(third.id, "rejected")])
    assert await put_back(builder.database, run_id, [first.id, second.id], MORE) == {TaskStatus.FAILED: 2}
    assert {task.id: task.changes for task in await queue.claim(9, now=0, pilot_only=False)} == {
        first.id: MORE,
        second.id: MORE,
    }
    await queue.settle([failed(first.id), answered(second.id, "Bag.")])
    # A plain retry keeps what holds; another change is added to it.
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="x", ids=[first.id]) == 1
    (again,) = await queue.claim(1, now=0, pilot_only=False)
    assert again.changes == MORE
    await queue.settle([failed(first.id)])
    assert await put_back(
        builder.database, run_id, [first.id, second.id, third.id], TaskChanges(max_side="original")
    ) == {TaskStatus.FAILED: 2, TaskStatus.DONE: 1}
    assert [task.changes for task in await queue.claim(9, now=0, pilot_only=False)] == [
        TaskChanges(4000, "original"),
        TaskChanges(None, "original"),
        TaskChanges(None, "original"),
    ]


async def test_only_failed_and_done_tasks_of_the_run_are_put_back(builder: Builder) -> None:
    dataset = await builder.dataset(5)
    run_id, other = await builder.run(dataset), await builder.run(dataset, name="other")
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    first, second, third = await queue.claim(3, now=0, pilot_only=False)
    await queue.settle([failed(first.id), done(second.id)])
    ids = [row[0] for row in await fetch(builder, "SELECT id FROM task ORDER BY id")]
    await edit_queue(builder.database, run_id, EditVerb.SKIP, who="x", ids=[ids[3]])
    found = await standing(builder.database, run_id, ids)
    assert found.counts == {"failed": 1, "done": 1, "leased": 1, "skipped": 1, "pending": 1}
    assert (found.pairs, found.judged, found.cut, found.changed) == (1, 0, 0, 0)
    assert await put_back(builder.database, run_id, ids, MORE) == {TaskStatus.FAILED: 1, TaskStatus.DONE: 1}
    assert await fetch(builder, "SELECT id FROM task WHERE changes <> '{}' ORDER BY id") == [(first.id,), (second.id,)]
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"pending": 3, "leased": 1, "skipped": 1}
    assert await builder.counts(other) == {"pending": 5}
    assert (await standing(builder.database, run_id, ids)).changed == 2
    # The leased one is worked off as it was claimed.
    await queue.settle([done(third.id)])
    assert (await builder.counts(run_id))["done"] == 1


async def test_new_pairs_take_the_place_of_the_old_ones_and_none_of_their_ids(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    await queue.settle([answered(task.id, "a", "b", "c")])
    before = await fetch(builder, "SELECT max(id) FROM sample")
    await put_back(builder.database, run_id, [task.id], MORE)
    assert await fetch(builder, "SELECT answer FROM sample ORDER BY ordinal") == [("a",), ("b",), ("c",)]
    await queue.claim(1, now=0, pilot_only=False)
    await queue.settle([answered(task.id, "d", "e")])
    assert await fetch(builder, "SELECT ordinal, answer FROM sample ORDER BY ordinal") == [(0, "d"), (1, "e")]
    assert await fetch(builder, "SELECT min(id) > ? FROM sample", before[0][0]) == [(1,)]
    assert await fetch(builder, "SELECT n FROM sample_tally") == [(2,)]
    assert await fetch(builder, "SELECT changes, last_kind FROM task") == [("{}", None)]


async def test_a_failure_of_the_second_asking_leaves_the_task_done_and_says_so(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(6))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(6, now=0, pilot_only=False)
    await queue.settle([answered(task.id, "a") for task in claimed[:5]] + [failed(claimed[5].id)])
    await put_back(builder.database, run_id, [task.id for task in claimed], MORE)
    await queue.claim(6, now=0, pilot_only=False)
    await queue.settle([failed(task.id, "refused") for task in claimed])
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"done": 5, "failed": 1}
    rows = await fetch(builder, "SELECT last_kind, last_problem, changes FROM task WHERE status = 'done'")
    assert rows == [("refused", "asked again in vain, the pairs of before are kept: no JSON", "{}")] * 5
    # What failed before and again has nothing to keep, so the change holds.
    assert changes_of((await fetch(builder, "SELECT changes FROM task WHERE status = 'failed'"))[0][0]) == MORE
    ((level, message),) = await fetch(builder, "SELECT level, message FROM event")
    assert level == "warning" and "000000.jpg: refused, no JSON" in message and message.endswith("and 2 more")
    assert await fetch(builder, "SELECT count(*) FROM sample") == [(5,)]


async def test_skipping_what_is_asked_again_leaves_it_done_with_its_pairs(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(2))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    await queue.settle([answered(task.id, "a")])
    await put_back(builder.database, run_id, [task.id], MORE)
    assert await edit_queue(builder.database, run_id, EditVerb.SKIP, who="x", ids=[task.id, task.id + 1]) == 2
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"done": 1, "skipped": 1}
    assert await fetch(builder, "SELECT changes FROM task WHERE status = 'done'") == [("{}",)]
    assert await fetch(builder, "SELECT put_back FROM run") == [(0,)]


async def test_an_attempt_says_what_it_was_asked_with_and_so_does_a_lost_one(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(2))
    dead = TaskQueue(builder.database, run_id, await builder.session(run_id))
    first, second = await dead.claim(2, now=0, pilot_only=False)
    await dead.settle([failed(first.id), failed(second.id)])
    await put_back(builder.database, run_id, [first.id, second.id], TaskChanges(4000, "original"))
    await dead.claim(2, now=0, pilot_only=False)
    record = AttemptRecord("a", 2.0, 5.0, "ok", changes=TaskChanges(4000, "original"))
    await dead.settle([TaskOutcome(first.id, TaskStatus.DONE, record, True, pairs=(Pair("q", "a"),))])
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    await queue.rescue([Flight(second.id, 5.0, 1000, "a")])
    for task in (first, second):
        attempts = await tasks.task_attempts(builder.database, task.id)
        assert [each.changes for each in attempts] == [TaskChanges(), TaskChanges(4000, "original")]
    assert await tasks.task_changes(builder.database, second.id) == TaskChanges(4000, "original")
    assert not await tasks.task_changes(builder.database, first.id)


async def test_sizes_and_a_sample_of_the_chosen(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(200))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(150, now=0, pilot_only=False)
    await queue.settle([failed(task.id) for task in claimed[:120]] + [done(task.id) for task in claimed[120:]])
    ids = [task.id for task in claimed[20:]] + [10**6]
    statuses = (TaskStatus.FAILED,)
    (group,) = (await sizes_of(builder.database, run_id, ids, statuses)).groups
    assert (group.width, group.height, group.pictures, group.size_bytes) == (64, 48, 100, 10_000)
    sample = await spread_items_of(builder.database, run_id, ids, statuses, 10)
    assert len(sample) == 10 and sample[0][0].key < "000030.jpg" and sample[-1][0].key > "000100.jpg"
    assert len(await spread_items_of(builder.database, run_id, ids[:3], statuses, 10)) == 3
    assert (await sizes_of(builder.database, run_id, [], statuses)).groups == ()


def new_run(name: str, dataset_id: int) -> NewRun:
    return NewRun(name, dataset_id, "caption", "other", "m-2", "{}", "{}", "1" * 64, 0, None, Limits(), True)


async def test_a_follow_up_has_the_chosen_tasks_and_outlives_the_run_that_it_follows(builder: Builder) -> None:
    dataset = await builder.dataset(4)
    run_id = await builder.run(dataset)
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(3, now=0, pilot_only=False)
    await queue.settle([failed(claimed[0].id), done(claimed[1].id)])
    ids = [task.id for task in claimed]
    asked = (TaskStatus.FAILED, TaskStatus.DONE)
    new_id, count = await create_follow_up(
        builder.database, new_run("next", dataset), follows=run_id, ids=ids, statuses=asked, changes=MORE
    )
    assert count == 2
    assert await fetch(builder, "SELECT item_id, pilot, changes, status FROM task WHERE run_id = ?", new_id) == [
        (claimed[0].item.id, 0, MORE.as_json(), "pending"),
        (claimed[1].item.id, 0, MORE.as_json(), "pending"),
    ]
    assert await builder.tallied(new_id) == {"pending": 2}
    (newest, _beat), (followed, _) = await run_summaries(builder.database)
    assert (newest.follows, newest.followed_by, followed.follows, followed.followed_by) == ("run", (), "", ("next",))
    view = await run_view(builder.database, run_id, now=0, flights=())
    assert view is not None and view.followed_by == ("next",)
    # None of the chosen stands so: nothing is stored.
    assert await create_follow_up(
        builder.database, new_run("none", dataset), follows=run_id, ids=ids[2:], statuses=asked, changes=MORE
    ) == (0, 0)
    assert [name for _id, name in await runs.run_names(builder.database)] == ["next", "run"]
    async with builder.database.write() as transaction:
        # As who deletes a run would: sessions are named by leases, so tasks go first.
        await transaction.execute("DELETE FROM task WHERE run_id = ?", (run_id,))
        await transaction.execute("DELETE FROM run_state WHERE run_id = ?", (run_id,))
        await transaction.execute("DELETE FROM run WHERE id = ?", (run_id,))
    assert await fetch(builder, "SELECT id, follows FROM run") == [(new_id, None)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["claim", "finish", "fail", "put off", "again", "retry", "skip", "crash"]),
            st.integers(1, 4),
        ),
        max_size=30,
    )
)
async def test_pairs_are_never_lost_and_every_ending_is_counted_once(
    builder: Builder, history: list[tuple[str, int]]
) -> None:
    number = len(await runs.run_names(builder.database))
    run_id = await builder.run(await builder.dataset(5, name=f"d{number}"), name=f"r{number}")
    every = [row[0] for row in await fetch(builder, "SELECT id FROM task WHERE run_id = ? ORDER BY id", run_id)]
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    held: list[int] = []
    pairs: dict[int, list[str]] = {}
    changes: dict[int, TaskChanges] = {}
    endings = 0
    for step, count in history:
        some, rest = held[:count], held[count:]
        if step == "claim":
            for task in await queue.claim(count, now=10**12, pilot_only=False):
                assert task.changes == changes.get(task.id, TaskChanges())
                held.append(task.id)
        elif step == "finish":
            await queue.settle([answered(i, *(f"{endings} {n}" for n in range(count))) for i in some])
            pairs |= {i: [f"{endings} {n}" for n in range(count)] for i in some}
            changes = {i: each for i, each in changes.items() if i not in some}
            endings, held = endings + len(some), rest
        elif step == "fail":
            await queue.settle([failed(i) for i in some])
            changes = {i: each for i, each in changes.items() if i not in some or i not in pairs}
            endings, held = endings + len(some), rest
        elif step == "put off":
            await queue.settle([TaskOutcome(i, TaskStatus.PENDING, attempt("timeout"), True) for i in some])
            held = rest
        elif step == "again":
            chosen = every[: count + 1]
            rows = await fetch(builder, "SELECT id FROM task WHERE run_id = ? AND status IN ('done', 'failed')", run_id)
            side = 16 * count
            moved = await put_back(builder.database, run_id, chosen, TaskChanges(max_side=side))
            put = [i for (i,) in rows if i in chosen]
            assert sum(moved.values()) == len(put)
            changes |= {i: TaskChanges(max_side=side) for i in put}
        elif step == "retry":
            await edit_queue(builder.database, run_id, EditVerb.RETRY, who="x")
        elif step == "skip":
            waiting = await fetch(builder, "SELECT id FROM task WHERE run_id = ? AND status = 'pending'", run_id)
            await edit_queue(builder.database, run_id, EditVerb.SKIP, who="x", ids=every[-count:])
            for (i,) in waiting:
                if i in every[-count:] and i in pairs:
                    changes.pop(i, None)
        else:
            queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
            await queue.rescue([Flight(i, 1.0, 11, "a") for i in some])
            held = []
    counts = await builder.counts(run_id)
    assert counts == await builder.tallied(run_id)
    found: dict[int, list[str]] = {}
    for task_id, answer in await fetch(
        builder, "SELECT task_id, answer FROM sample WHERE run_id = ? ORDER BY task_id, ordinal", run_id
    ):
        found.setdefault(task_id, []).append(answer)
    assert found == pairs
    stored = await fetch(builder, "SELECT coalesce(sum(n), 0) FROM sample_tally WHERE run_id = ?", run_id)
    assert stored == [(sum(map(len, pairs.values())),)]
    (back,) = (await fetch(builder, "SELECT put_back FROM run WHERE id = ?", run_id))[0]
    assert endings == counts.get("done", 0) + counts.get("failed", 0) + back
    # Whoever has pairs is done, or on the way to be.
    lost = await fetch(
        builder,
        "SELECT t.id FROM task t JOIN sample s ON s.task_id = t.id WHERE t.run_id = ? "
        "AND t.status IN ('failed', 'skipped')",
        run_id,
    )
    assert lost == []
