"""Failures by what went wrong: counted as they are committed, and gathered where an older version recorded them."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.failure_cluster import OTHER_MESSAGES, TREND_MINUTES, FailureCluster
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, Flight, TaskOutcome
from vqa_tui.store import clusters
from vqa_tui.store.clusters import count_ungathered, gather
from vqa_tui.store.db import Database
from vqa_tui.store.failures import cluster_detail, cluster_task_ids, failure_table
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue, take_back


def outcome(
    task_id: int,
    kind: str = "server",
    message: str = "",
    *,
    status: TaskStatus = TaskStatus.FAILED,
    problem: str | None = None,
    at: float | None = None,
    **facts: Any,
) -> TaskOutcome:
    """A request that ended in `kind`, and the task with it."""
    attempt = AttemptRecord("a", at or time.time(), 800.0, kind, message=message, **facts)
    if kind == "ok":
        return TaskOutcome(task_id, TaskStatus.DONE, attempt, True)
    return TaskOutcome(task_id, status, attempt, True, kind=kind, problem=message if problem is None else problem)


class Trouble:
    """A run of `items` pictures whose tasks are all leased."""

    def __init__(self, database: Database, run_id: int, tasks: TaskQueue, ids: Sequence[int]) -> None:
        self.database, self.run_id, self.queue, self.ids = database, run_id, tasks, ids

    async def clusters(self) -> dict[str, FailureCluster]:
        table = await failure_table(self.database, self.run_id, now=time.time())
        return {each.form: each for each in table.clusters}

    async def counts(self) -> dict[str, tuple[int, int]]:
        return {form: (each.pictures, each.tries) for form, each in (await self.clusters()).items()}

    async def counted_row_by_row(self) -> dict[str, tuple[int, int]]:
        rows = await self.database.read(
            "SELECT form, (SELECT count(*) FROM task WHERE cluster_id = c.id AND status = 'failed') AS pictures, "
            "(SELECT count(*) FROM attempt WHERE cluster_id = c.id) AS tries FROM failure_cluster c"
        )
        return {row["form"]: (row["pictures"], row["tries"]) for row in rows if row["pictures"] or row["tries"]}


@pytest.fixture
async def trouble(database: Database, builder: Builder) -> Trouble:
    run_id = await builder.run(await builder.dataset(12))
    tasks = TaskQueue(database, run_id, await builder.session(run_id))
    claimed = await tasks.claim(12, now=time.time(), pilot_only=False)
    return Trouble(database, run_id, tasks, [task.id for task in claimed])


async def test_failures_that_differ_in_numbers_alone_are_one_cluster(trouble: Trouble) -> None:
    first, second, third, *_ = trouble.ids
    await trouble.queue.settle([outcome(first, message="upstream 1 is down"), outcome(second, "ok")])
    await trouble.queue.settle([outcome(third, message="upstream 22 is down")])
    assert await trouble.counts() == {"upstream <n> is down": (2, 2)}
    (cluster,) = (await trouble.clusters()).values()
    assert [(each.kind, each.pictures) for each in cluster.kinds] == [("server", 2)]
    assert list(await cluster_task_ids(trouble.database, cluster.ids, tries=False)) == [first, third]


async def test_a_try_that_was_asked_again_counts_as_a_try_alone(trouble: Trouble) -> None:
    task_id = trouble.ids[0]
    await trouble.queue.settle([outcome(task_id, message="down", status=TaskStatus.PENDING)])
    assert await trouble.counts() == {"down": (0, 1)}
    (cluster,) = (await trouble.clusters()).values()
    assert list(await cluster_task_ids(trouble.database, cluster.ids, tries=False)) == []
    assert list(await cluster_task_ids(trouble.database, cluster.ids, tries=True)) == [task_id]


async def test_a_picture_is_with_its_try_though_its_problem_says_more(trouble: Trouble) -> None:
    first, second, *_ = trouble.ids
    advice = "the reply was cut; max_tokens is 300"
    await trouble.queue.settle([outcome(first, "bad_reply", "the reply was cut", problem=advice)])
    given_up = outcome(second, "rate_limited", "wait 3 s", problem="turned away 20 times")
    await trouble.queue.settle([given_up])
    assert await trouble.counts() == {
        "the reply was cut": (1, 1),
        "wait <time>": (0, 1),
        "turned away <n> times": (1, 0),
    }


async def test_what_fails_without_a_request_is_counted_too(trouble: Trouble) -> None:
    await trouble.queue.settle([TaskOutcome(trouble.ids[0], TaskStatus.FAILED, kind="bad_image", problem="is missing")])
    assert await trouble.counts() == {"is missing": (1, 0)}
    (cluster,) = (await trouble.clusters()).values()
    detail = await cluster_detail(trouble.database, trouble.run_id, cluster.ids, tries=False)
    assert (detail.message, detail.looked_at, detail.keys, detail.statuses) == ("is missing", 1, (), ())


async def test_counts_follow_retries_skips_and_taking_them_back(trouble: Trouble) -> None:
    database, run_id, ids = trouble.database, trouble.run_id, trouble.ids
    await trouble.queue.settle([outcome(task_id, message="down") for task_id in ids[:4]])
    await edit_queue(database, run_id, EditVerb.RETRY, who="x", ids=ids[:1])
    await edit_queue(database, run_id, EditVerb.SKIP, who="x", ids=ids[1:2])
    assert await trouble.counts() == {"down": (2, 4)} == await trouble.counted_row_by_row()
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE task SET status = 'failed', finished_at = 5 WHERE id IN (?, ?)", (ids[0], ids[1])
        )
    assert await trouble.counts() == {"down": (4, 4)} == await trouble.counted_row_by_row()
    await edit_queue(database, run_id, EditVerb.RETRY, who="x", ids=ids[:2])
    claimed = await trouble.queue.claim(2, now=time.time(), pilot_only=False)
    await trouble.queue.settle([outcome(claimed[0].id, "ok"), outcome(claimed[1].id, message="up")])
    assert await trouble.counts() == {"down": (2, 4), "up": (1, 1)} == await trouble.counted_row_by_row()


@pytest.mark.parametrize("verb", [EditVerb.RETRY, EditVerb.SKIP])
async def test_the_trend_is_of_those_that_have_failed_for_good(trouble: Trouble, verb: EditVerb) -> None:
    database, run_id, ids = trouble.database, trouble.run_id, trouble.ids

    async def in_trend() -> int:
        (cluster,) = (await trouble.clusters()).values()
        assert sum(cluster.pictures_by_minute) == cluster.pictures
        return cluster.pictures

    await trouble.queue.settle([outcome(task_id, message="down") for task_id in ids[:4]])
    assert await in_trend() == 4
    await edit_queue(database, run_id, verb, who="x", ids=ids[:3])
    assert await in_trend() == 1
    assert await take_back(database, run_id, who="x")
    assert await in_trend() == 4
    await edit_queue(database, run_id, EditVerb.RETRY, who="x", ids=ids[:1])
    await trouble.queue.claim(1, now=time.time(), pilot_only=False)
    await trouble.queue.settle([outcome(ids[0], message="down")])
    assert await in_trend() == 4


async def test_one_message_of_two_kinds_is_one_cluster(trouble: Trouble) -> None:
    first, second, third, *_ = trouble.ids
    await trouble.queue.settle([outcome(first, "network", "it broke"), outcome(second, "timeout", "it broke")])
    await trouble.queue.settle([outcome(third, "timeout", "it broke")])
    (cluster,) = (await trouble.clusters()).values()
    assert [(each.kind, each.pictures) for each in cluster.kinds] == [("timeout", 2), ("network", 1)]
    assert list(await cluster_task_ids(trouble.database, cluster.ids, tries=False)) == [first, second, third]
    detail = await cluster_detail(trouble.database, trouble.run_id, cluster.ids, tries=True)
    assert detail.looked_at == 3 and len(detail.examples) == 3


async def test_failures_that_say_nothing_are_told_apart_by_kind(trouble: Trouble) -> None:
    await trouble.queue.settle([outcome(trouble.ids[0], "network"), outcome(trouble.ids[1], "timeout")])
    table = await failure_table(trouble.database, trouble.run_id, now=time.time())
    assert sorted(cluster.kind for cluster in table.clusters) == ["network", "timeout"]


async def test_a_cluster_that_was_rolled_back_is_made_again(trouble: Trouble) -> None:
    first = trouble.ids[0]
    no_pair: Any = None
    refused = TaskOutcome(first, TaskStatus.FAILED, None, kind="server", problem="down", pairs=(no_pair,))
    with pytest.raises(AttributeError):
        await trouble.queue.settle([refused])
    assert await trouble.counts() == {}
    await trouble.queue.settle([outcome(first, message="down")])
    assert await trouble.counts() == {"down": (1, 1)} == await trouble.counted_row_by_row()


async def test_an_endpoint_that_never_says_the_same_twice_makes_a_bounded_number_of_clusters(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MOST_CLUSTERS", 3)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    for task_id, word in zip(trouble.ids, words, strict=False):
        await trouble.queue.settle([outcome(task_id, message=word)])
    assert await trouble.counts() == {"alpha": (1, 1), "beta": (1, 1), "gamma": (1, 1), OTHER_MESSAGES: (3, 3)}


async def test_requests_that_an_engine_left_behind_are_counted(trouble: Trouble, builder: Builder) -> None:
    later = TaskQueue(trouble.database, trouble.run_id, await builder.session(trouble.run_id))
    await later.rescue([Flight(trouble.ids[0], 5.0, 7, "a"), Flight(trouble.ids[1], 6.0, 7, "a")])
    ((form, counts),) = (await trouble.counts()).items()
    assert form.startswith("the engine ended before") and counts == (0, 2)


async def test_what_an_older_version_recorded_is_gathered_in_pieces(trouble: Trouble) -> None:
    ids = trouble.ids
    cut = outcome(ids[2], "bad_reply", "the reply was cut", problem="the reply was cut; max_tokens is 300")
    await trouble.queue.settle([outcome(ids[0], message="down 1"), outcome(ids[1], message="down 2"), cut])
    await trouble.queue.settle([TaskOutcome(ids[3], TaskStatus.FAILED, kind="bad_image", problem="is missing")])
    await trouble.queue.settle([outcome(ids[4], "ok")])
    counted = await trouble.counts()
    async with trouble.database.write() as transaction:
        await transaction.execute("UPDATE task SET cluster_id = NULL")
        await transaction.execute("UPDATE attempt SET cluster_id = NULL")
        await transaction.execute("DELETE FROM failure_cluster")
    table = await failure_table(trouble.database, trouble.run_id, now=time.time())
    assert (table.clusters, table.ungathered) == ((), 7)
    pieces = []
    while moved := await gather(trouble.database, trouble.run_id, limit=2):
        pieces.append(moved)
    assert pieces == [4, 3]
    assert await count_ungathered(trouble.database, trouble.run_id) == 0
    assert await trouble.counts() == counted == await trouble.counted_row_by_row()


async def test_the_last_minutes_are_a_ring(trouble: Trouble) -> None:
    now = time.time() // 60 * 60 + 30
    at = [now, now - 60, now - 61, now - 60 * 16, now - 60 * (TREND_MINUTES - 1), now - 60 * 60]
    for task_id, moment in zip(trouble.ids, at, strict=False):
        failed = outcome(task_id, message="down", status=TaskStatus.PENDING, at=moment)
        await trouble.queue.settle([failed])
    (cluster,) = (await failure_table(trouble.database, trouble.run_id, now=now)).clusters
    assert cluster.tries == 6 and cluster.first_at == at[-1] and cluster.last_at == now
    assert cluster.tries_by_minute == (1, *[0] * (TREND_MINUTES - 3), 2, 1)
    (later,) = (await failure_table(trouble.database, trouble.run_id, now=now + 120)).clusters
    assert later.tries_by_minute[-3:] == (1, 0, 0)
    assert sum(later.tries_by_minute) == 3


async def test_a_cluster_in_full(trouble: Trouble) -> None:
    database, ids = trouble.database, trouble.ids
    async with database.write() as transaction:
        await transaction.execute("UPDATE item SET width = 4000, size_bytes = 9000 WHERE id IN (1, 2, 3, 4)")
    facts: dict[str, Any] = {"http_status": 503, "model": "m-1"}
    await trouble.queue.settle([outcome(task_id, message=f"too large {task_id}", **facts) for task_id in ids[:4]])
    await trouble.queue.settle([outcome(ids[4], message="too large 0"), outcome(ids[5], "ok"), outcome(ids[6], "ok")])
    (cluster,) = (await trouble.clusters()).values()
    detail = await cluster_detail(database, trouble.run_id, cluster.ids, tries=False)
    assert detail.message == "too large 0"
    assert detail.keys == (("a", 5),) and detail.statuses == ((503, 4), (None, 1)) and detail.models == (("m-1", 4),)
    assert detail.sizes is not None and detail.answered_sizes is not None
    assert (detail.sizes.side.least, detail.sizes.side.median, detail.sizes.side.most) == (64, 4000, 4000)
    assert (detail.answered_sizes.number, detail.answered_sizes.side.median) == (2, 64)
    assert [(each.task_id, each.path) for each in detail.examples] == [
        (task_id, f"/x/{number:06}.jpg") for number, task_id in enumerate(ids[:3])
    ]


async def test_the_tables_answer_from_their_indexes(trouble: Trouble) -> None:
    plans = {
        "SELECT id FROM task WHERE cluster_id = 1 AND status = 'failed' ORDER BY id DESC LIMIT 3": "task_by_cluster",
        "SELECT id FROM attempt WHERE cluster_id = 1 ORDER BY id DESC LIMIT 3": "attempt_by_cluster",
    }
    for sql, index in plans.items():
        (plan,) = await trouble.database.read(f"EXPLAIN QUERY PLAN {sql}")
        assert f"COVERING INDEX {index}" in plan["detail"]


async def test_clusters_go_with_their_run(trouble: Trouble) -> None:
    await trouble.queue.settle([outcome(trouble.ids[0], message="down")])
    async with trouble.database.write() as transaction:
        await transaction.execute("UPDATE run_state SET session_id = NULL")
        await transaction.execute("UPDATE task SET lease = NULL, status = 'pending' WHERE status = 'leased'")
        await transaction.execute("DELETE FROM run")
    assert await trouble.database.read("SELECT * FROM failure_cluster") == []
    assert await trouble.database.read("SELECT * FROM failure_minute") == []


def test_the_hint_names_the_command() -> None:
    from vqa_tui.domain.failure_cluster import FailureTable
    from vqa_tui.operations.failures import find_cluster

    with pytest.raises(VqaError, match="no cluster 9"):
        find_cluster(FailureTable(()), 9)
