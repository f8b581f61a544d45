"""Retry, skip and requeue as recorded edits, and taking them back; tallies always agree with the rows."""

import asyncio

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import EditVerb, Stock, TakenBack
from vqa_tui.domain.run import Intent, TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import queue_edits, reads, runs
from vqa_tui.store.db import Database
from vqa_tui.store.pace import Pace
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue, move_tasks, newest_edit, stock, take_back
from vqa_tui.store.run_deletion import mark_deleted

DONE, FAILED, PENDING, SKIPPED = TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.PENDING, TaskStatus.SKIPPED


async def settled(builder: Builder, run_id: int, statuses: list[TaskStatus], answer: str = "a") -> TaskQueue:
    """Settle the next pending tasks with these statuses, each by one paid attempt."""
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(len(statuses), now=1e12, pilot_only=False)
    outcomes = []
    for task, status in zip(tasks, statuses, strict=True):
        kind = "server" if status is FAILED else "ok"
        attempt = AttemptRecord("main", 1.0, 10.0, kind, cost_nano=7)
        pairs = (Pair("q", answer), Pair("r", answer)) if status is DONE else ()
        outcomes.append(
            TaskOutcome(task.id, status, attempt, True, kind=kind if status is FAILED else None, pairs=pairs)
        )
    await queue.settle(outcomes)
    return queue


async def rows(builder: Builder) -> dict[int, tuple[object, ...]]:
    found = await builder.database.read(
        "SELECT id, status, last_kind, finished_at IS NOT NULL, attempts, attempts_spent, requeued_after FROM task"
    )
    return {row[0]: tuple(row)[1:] for row in found}


async def put_back(builder: Builder, run_id: int) -> int:
    row = await builder.database.read_one("SELECT put_back FROM run WHERE id = ?", (run_id,))
    assert row is not None
    return int(row[0])


@pytest.fixture
async def run_id(builder: Builder) -> int:
    """Tasks 1 and 2 are done, 3 and 4 failed, 5 and 6 wait."""
    run_id = await builder.run(await builder.dataset(6))
    await settled(builder, run_id, [DONE, DONE, FAILED, FAILED])
    return run_id


@pytest.mark.parametrize(
    ("verb", "moved", "after", "back_again"),
    [
        (EditVerb.RETRY, 2, {"done": 2, "pending": 4}, 2),
        (EditVerb.SKIP, 4, {"done": 2, "skipped": 4}, 2),
        (EditVerb.REQUEUE, 4, {"pending": 6}, 4),
    ],
)
async def test_an_edit_moves_what_it_may_and_undo_restores_every_column(
    builder: Builder, run_id: int, verb: EditVerb, moved: int, after: dict[str, int], back_again: int
) -> None:
    before = await rows(builder)
    assert await edit_queue(builder.database, run_id, verb, who="a", ids=range(1, 7)) == moved
    assert await builder.counts(run_id) == await builder.tallied(run_id) == after
    assert await put_back(builder, run_id) == back_again
    undone = await take_back(builder.database, run_id, who="a")
    assert undone is not None and undone[0] == TakenBack(verb, moved, moved)
    assert await rows(builder) == before
    assert await builder.counts(run_id) == await builder.tallied(run_id)
    assert await put_back(builder, run_id) == 0
    assert await take_back(builder.database, run_id, who="a") is None


async def test_what_was_asked_since_is_left_alone(builder: Builder, run_id: int) -> None:
    await edit_queue(builder.database, run_id, EditVerb.REQUEUE, who="a", ids=[1, 2, 3, 4])
    queue = await settled(builder, run_id, [DONE], answer="new")
    (leased,) = await queue.claim(1, now=1e12, pilot_only=False)
    undone = await take_back(builder.database, run_id, who="a")
    assert undone == (TakenBack(EditVerb.REQUEUE, 4, 2), frozenset({FAILED}))
    assert leased.id == 2
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {
        "done": 1, "leased": 1, "failed": 2, "pending": 2
    }  # fmt: skip


async def test_new_pairs_replace_those_of_a_requeued_picture_and_the_attempts_stay(
    builder: Builder, run_id: int
) -> None:
    await edit_queue(builder.database, run_id, EditVerb.REQUEUE, who="a", ids=[1])
    samples = "SELECT answer FROM sample WHERE task_id = 1"
    assert [row[0] for row in await builder.database.read(samples)] == ["a", "a"]
    await settled(builder, run_id, [DONE], answer="new")
    assert [row[0] for row in await builder.database.read(samples)] == ["new", "new"]
    assert len(await builder.database.read("SELECT 1 FROM attempt WHERE task_id = 1")) == 2
    (tally,) = await builder.database.read("SELECT n FROM sample_tally")
    assert tally["n"] == 4


async def test_undo_goes_back_edit_by_edit(builder: Builder, run_id: int) -> None:
    before = await rows(builder)
    await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", ids=[3])
    await edit_queue(builder.database, run_id, EditVerb.SKIP, who="a", ids=[3, 5])
    first = await take_back(builder.database, run_id, who="a")
    assert first is not None and first[0] == TakenBack(EditVerb.SKIP, 2, 2)
    second = await take_back(builder.database, run_id, who="a")
    assert second is not None and second[0] == TakenBack(EditVerb.RETRY, 1, 1)
    assert await rows(builder) == before


async def test_an_edit_that_was_changed_by_a_later_one_is_not_torn_out_from_under_it(
    builder: Builder, run_id: int
) -> None:
    await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", ids=[3, 4])
    await edit_queue(builder.database, run_id, EditVerb.SKIP, who="b", ids=[3])
    async with builder.database.write() as transaction:
        await transaction.execute("UPDATE edit SET undone_at = 1 WHERE verb = 'skip'")
    undone = await take_back(builder.database, run_id, who="a")
    assert undone is not None and undone[0] == TakenBack(EditVerb.RETRY, 2, 1)
    counts = await builder.counts(run_id)
    assert counts == {"done": 2, "skipped": 1, "failed": 1, "pending": 2}


async def test_an_edit_of_nothing_leaves_nothing_to_take_back(builder: Builder, run_id: int) -> None:
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", ids=[1, 2, 99]) == 0
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", kinds=["refused"]) == 0
    assert await take_back(builder.database, run_id, who="a") is None


async def test_the_tasks_of_other_runs_are_never_moved(builder: Builder, run_id: int) -> None:
    other = await builder.run(1, name="other")
    assert await edit_queue(builder.database, other, EditVerb.RETRY, who="a", ids=[3, 4]) == 0
    assert await edit_queue(builder.database, other, EditVerb.SKIP, who="a", ids=range(1, 13)) == 6
    assert await builder.counts(run_id) == {"done": 2, "failed": 2, "pending": 2}
    assert await take_back(builder.database, run_id, who="a") is None


async def test_many_tasks_go_piece_by_piece(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_edits, "MOST_AT_ONCE", 7)
    run_id = await builder.run(await builder.dataset(50))
    await settled(builder, run_id, [FAILED] * 40)
    assert await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a") == 40
    undone = await take_back(builder.database, run_id, who="a")
    assert undone is not None and undone[0].restored == 40
    assert await edit_queue(builder.database, run_id, EditVerb.SKIP, who="a", ids=list(range(1, 51))) == 50
    assert (await stock(builder.database, run_id, list(range(1, 51)))).by_status == {SKIPPED: 50}
    undone = await take_back(builder.database, run_id, who="a")
    assert undone is not None and undone[0].restored == 50
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"failed": 40, "pending": 10}


async def test_stock_counts_what_is_at_stake(builder: Builder, run_id: int) -> None:
    async with builder.database.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE task_id = 1")
    found = await stock(builder.database, run_id, [1, 3, 5, 99])
    assert found == Stock({DONE: 1, FAILED: 1, PENDING: 1}, pairs=2, verdicts=2)
    assert [found.movable(verb) for verb in EditVerb] == [1, 2, 2, 2]


async def test_only_the_newest_edits_are_kept(builder: Builder, run_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_edits, "EDITS_KEPT", 3)
    for _ in range(3):
        await edit_queue(builder.database, run_id, EditVerb.SKIP, who="a", ids=[5])
        await edit_queue(builder.database, run_id, EditVerb.REQUEUE, who="a", ids=[5])
    kept = await builder.database.read("SELECT id FROM edit")
    noted = await builder.database.read("SELECT DISTINCT edit_id FROM edit_task")
    assert len(kept) == 3 and {row[0] for row in noted} == {row[0] for row in kept}


async def test_everybody_takes_back_their_own(builder: Builder, run_id: int) -> None:
    await edit_queue(builder.database, run_id, EditVerb.RETRY, who="ada", ids=[3, 4])
    await edit_queue(builder.database, run_id, EditVerb.SKIP, who="bob", ids=[3, 5])
    await edit_queue(builder.database, run_id, EditVerb.REQUEUE, who="bob", ids=[3])
    newest = await newest_edit(builder.database, run_id)
    assert newest is not None and (newest.who, newest.verb, newest.tasks) == ("bob", EditVerb.REQUEUE, 1)
    assert await take_back(builder.database, run_id, who="cy") is None
    # Task 3 waits as after Ada's retry, but it is Bob who put it back.
    back = await take_back(builder.database, run_id, who="ada")
    assert back == (TakenBack(EditVerb.RETRY, 2, 1), frozenset({FAILED}))
    for verb, restored in ((EditVerb.REQUEUE, 1), (EditVerb.SKIP, 2)):
        back = await take_back(builder.database, run_id, who="bob")
        assert back is not None and back[0] == TakenBack(verb, restored, restored)
    assert await builder.counts(run_id) == await builder.tallied(run_id) == {"done": 2, "failed": 1, "pending": 3}
    assert await newest_edit(builder.database, run_id) is None


async def test_asking_again_is_taken_back_with_its_changes_and_nothing_older_instead(
    builder: Builder, run_id: int
) -> None:
    async def changes() -> list[str]:
        return [row[0] for row in await builder.database.read("SELECT changes FROM task ORDER BY id")]

    before = await rows(builder)
    await edit_queue(builder.database, run_id, EditVerb.SKIP, who="a", ids=[6])
    first, second = TaskChanges(max_side=512), TaskChanges(max_tokens=4000)
    moved = await move_tasks(builder.database, run_id, EditVerb.AGAIN, who="a", ids=[1, 3, 5, 6], changes=first)
    assert moved == {DONE: 1, FAILED: 1}
    assert await changes() == ['{"max_side":512}', "{}", '{"max_side":512}', "{}", "{}", "{}"]
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(9, now=1e12, pilot_only=False)
    await queue.settle([TaskOutcome(task.id, FAILED, kind="bad_image", problem="too large") for task in claimed])
    await move_tasks(builder.database, run_id, EditVerb.AGAIN, who="a", ids=[3, 4], changes=second)
    assert (await changes())[2:4] == ['{"max_side":512,"max_tokens":4000}', '{"max_tokens":4000}']
    back = await take_back(builder.database, run_id, who="a")
    assert back == (TakenBack(EditVerb.AGAIN, 2, 2), frozenset({FAILED}))
    assert await changes() == ["{}", "{}", '{"max_side":512}', "{}", "{}", "{}"]
    # Its tasks have ended since: nothing of it can be restored, and it is done with all the same.
    back = await take_back(builder.database, run_id, who="a")
    assert back is not None and back[0] == TakenBack(EditVerb.AGAIN, 2, 0)
    back = await take_back(builder.database, run_id, who="a")
    assert back is not None and back[0] == TakenBack(EditVerb.SKIP, 1, 1)
    assert (await rows(builder))[6] == before[6]


async def test_an_edit_that_is_taken_back_while_it_is_written_ends_there(
    builder: Builder, paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting, go_on = asyncio.Event(), asyncio.Event()

    class HeldUp(Pace):
        async def rest(self, took_s: float) -> None:
            resting.set()
            await go_on.wait()

    run_id = await builder.run(await builder.dataset(40))
    await settled(builder, run_id, [FAILED] * 40)
    with monkeypatch.context() as patched:
        patched.setattr(queue_edits, "_pace", lambda: HeldUp(least=5, most=5, first=5))
        edit = asyncio.create_task(
            edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", ids=list(range(1, 41)))
        )
        await resting.wait()
    async with Database.open(paths) as other:
        undone = await take_back(other, run_id, who="a")
        assert undone is not None and undone[0] == TakenBack(EditVerb.RETRY, 5, 5)
        go_on.set()
        with pytest.raises(VqaError, match="this retry was taken back while it was being written"):
            await edit
        assert await builder.counts(run_id) == await builder.tallied(run_id) == {"failed": 40}
        assert await take_back(other, run_id, who="a") is None


async def test_an_edit_that_died_before_it_moved_anything_hides_none(builder: Builder, run_id: int) -> None:
    await edit_queue(builder.database, run_id, EditVerb.RETRY, who="a", ids=[3])
    await queue_edits._begin(builder.database, run_id, EditVerb.SKIP, "a")
    undone = await take_back(builder.database, run_id, who="a")
    assert undone is not None and undone[0] == TakenBack(EditVerb.RETRY, 1, 1)


@pytest.mark.parametrize("gone", [True, False], ids=["never there", "deleted"])
async def test_a_run_that_is_gone_is_named_in_words(builder: Builder, run_id: int, gone: bool) -> None:
    if gone:
        run_id = 99
    else:
        await mark_deleted(builder.database, run_id, who="x", words="", flights=[])
    for refused in (
        edit_queue(builder.database, run_id, EditVerb.RETRY, who="a"),
        runs.set_intent(builder.database, run_id, Intent.RUN, who="a"),
        runs.approve(builder.database, run_id, who="a"),
        runs.change_limits(builder.database, run_id, lambda limits: (limits, []), who="a"),
        runs.note_action(builder.database, run_id, who="a", verb="retry"),
        runs.begin_session(builder.database, run_id, 1),
    ):
        with pytest.raises(VqaError, match=f"there is no run {run_id}"):
            await refused
    assert await runs.frozen_run(builder.database, run_id) is None
    if gone:
        for refused_read in (runs.wishes(builder.database, run_id), reads.standing(builder.database, run_id)):
            with pytest.raises(VqaError, match="there is no run 99"):
                await refused_read
    else:
        assert (await runs.wishes(builder.database, run_id)).intent is Intent.STOP


async def test_the_file_is_left_to_others_while_a_large_choice_is_asked_again(
    builder: Builder, paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_edits, "MOST_AT_ONCE", 50)
    run_id = await builder.run(await builder.dataset(600))
    await settled(builder, run_id, [FAILED] * 600)
    async with Database.open(paths) as other:
        asking = asyncio.create_task(
            move_tasks(
                builder.database, run_id, EditVerb.AGAIN, who="a", ids=list(range(1, 601)), changes=TaskChanges(4000)
            )
        )
        seen = set[int]()
        while not asking.done():
            await runs.set_intent(other, run_id, Intent.PAUSE, who="b")
            seen |= {row[0] for row in await other.read("SELECT tasks FROM edit")}
        assert await asking == {FAILED: 600}
    # Another face wrote in between, and met it half done.
    assert seen - {0, 600} and all(number % 50 == 0 for number in seen)
