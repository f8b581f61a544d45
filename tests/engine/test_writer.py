"""Group commit: nothing counted before it is stored, and nothing lost while the store is in trouble."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from tests.engine.conftest import until
from tests.store.conftest import Builder
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.engine import writer as writer_module
from vqa_tui.engine.writer import GROUP_SIZE, Writer
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.db import Database, StoreTrouble, Unstorable
from vqa_tui.store.queue import TaskQueue

PAIRS = (Pair("What is it?", "A cat."),)


class Store:
    """Stands in for the queue: keeps groups, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.groups: list[list[int]] = []
        self.failures = failures
        self.gate = asyncio.Event()
        self.gate.set()
        self.failed = asyncio.Event()

    async def settle(self, outcomes: Sequence[TaskOutcome]) -> None:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            self.failed.set()
            raise StoreTrouble("cannot write to the workspace file: database or disk is full")
        self.groups.append([outcome.task_id for outcome in outcomes])


def outcome(task_id: int) -> TaskOutcome:
    return TaskOutcome(task_id, TaskStatus.DONE)


async def test_outcomes_are_committed_in_order_in_groups_and_then_counted() -> None:
    store, counted = Store(), list[int]()
    writer = Writer(store, lambda group: counted.extend(each.task_id for each in group))
    work = asyncio.create_task(writer.work())
    for number in range(200):
        await writer.submit(outcome(number))
    assert not writer.at_rest
    await asyncio.wait_for(writer.drained(), 20)
    assert counted == list(range(200)) == [task for group in store.groups for task in group]
    assert all(len(group) <= GROUP_SIZE for group in store.groups) and len(store.groups) <= 5
    work.cancel()


async def test_nothing_is_counted_before_the_commit() -> None:
    store, counted = Store(), list[int]()
    writer = Writer(store, lambda group: counted.extend(each.task_id for each in group))
    work = asyncio.create_task(writer.work())
    store.gate.clear()
    await writer.submit(outcome(1))
    await asyncio.sleep(0)
    assert counted == [] and not writer.at_rest
    store.gate.set()
    await asyncio.wait_for(writer.drained(), 20)
    assert counted == [1] and writer.at_rest
    work.cancel()


async def test_a_lone_outcome_does_not_wait_for_a_full_group() -> None:
    store, stored = Store(), asyncio.Event()
    writer = Writer(store, lambda group: stored.set())
    work = asyncio.create_task(writer.work())
    await writer.submit(outcome(1))
    await asyncio.wait_for(stored.wait(), 20)
    assert store.groups == [[1]]
    work.cancel()


async def test_trouble_is_told_and_no_paid_reply_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", (0.01,))
    store, counted = Store(failures=3), list[int]()
    writer = Writer(store, lambda group: counted.extend(each.task_id for each in group))
    work = asyncio.create_task(writer.work())
    for number in range(10):
        await writer.submit(outcome(number))
    await asyncio.wait_for(store.failed.wait(), 20)
    await asyncio.sleep(0)
    assert "disk is full" in writer.trouble and "10 results wait in memory" in writer.trouble
    await asyncio.wait_for(writer.drained(), 20)
    assert counted == list(range(10)) and writer.trouble == ""
    work.cancel()


async def test_a_file_that_becomes_read_only_is_told_and_paid_replies_wait_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", (0.01,))
    async with Database.open(WorkspacePaths(tmp_path)) as database:
        builder = Builder(database)
        run_id = await builder.run(await builder.dataset(3))
        queue = TaskQueue(database, run_id, await builder.session(run_id))
        tasks = await queue.claim(3, now=time.time(), pilot_only=False)
        # SQLite refuses a write to a connection like this as it does for a file on a disk that became read-only.
        await database.read("PRAGMA query_only = ON")
        counted: list[int] = []
        writer = Writer(queue, lambda group: counted.extend(each.task_id for each in group))
        work = asyncio.create_task(writer.work())
        for task in tasks:
            paid = AttemptRecord("a", time.time(), 3.0, "ok", cost_nano=7)
            await writer.submit(TaskOutcome(task.id, TaskStatus.DONE, paid, True, pairs=PAIRS))
        await until(lambda: bool(writer.trouble))
        assert "attempt to write a readonly database" in writer.trouble and "3 results wait in memory" in writer.trouble
        assert not writer.healthy.is_set() and counted == []
        await database.read("PRAGMA query_only = OFF")
        await asyncio.wait_for(writer.drained(), 10)
        work.cancel()
        assert counted == [task.id for task in tasks] and writer.trouble == ""
        (totals,) = await database.read("SELECT count(*) AS n, sum(cost_nano) AS cost FROM attempt")
        assert (totals["n"], totals["cost"]) == (3, 21)


async def test_one_result_that_the_schema_refuses_fails_alone_and_keeps_its_cost() -> None:
    class Picky(Store):
        async def settle(self, outcomes: Sequence[TaskOutcome]) -> None:
            if any(each.task_id == 3 and each.pairs for each in outcomes):
                raise Unstorable("the workspace file refuses these values")
            self.kept.extend(outcomes)

        kept: ClassVar[list[TaskOutcome]] = []

    store, counted = Picky(), list[int]()
    writer = Writer(store, lambda group: counted.extend(each.task_id for each in group))
    work = asyncio.create_task(writer.work())
    for number in range(6):
        paid = AttemptRecord("a", 1.0, 2.0, "ok", cost_nano=7, raw_reply="kept")
        await writer.submit(TaskOutcome(number, TaskStatus.DONE, paid, True, pairs=(Pair("q", "a"),)))
    await asyncio.wait_for(writer.drained(), 20)
    assert counted == list(range(6)) and writer.trouble == ""
    by_task = {each.task_id: each for each in store.kept}
    assert sorted(by_task) == list(range(6))
    refused = by_task[3]
    assert refused.status is TaskStatus.FAILED and refused.attempt is not None
    assert (refused.attempt.cost_nano, refused.attempt.raw_reply) == (7, "kept")
    work.cancel()


async def test_a_refused_result_keeps_both_requests_of_a_straggler_and_says_nothing_of_a_settled_task() -> None:
    class Picky(Store):
        async def settle(self, outcomes: Sequence[TaskOutcome]) -> None:
            if any(attempt.request_id == "odd" and attempt.kind == "ok" for o in outcomes for attempt in o.attempts):
                raise Unstorable("the workspace file refuses these values")
            kept.extend(outcomes)

    kept: list[TaskOutcome] = []
    writer = Writer(Picky(), lambda group: None)
    work = asyncio.create_task(writer.work())
    paid = AttemptRecord("a", 1.0, 2.0, "ok", cost_nano=7)
    odd = AttemptRecord("a", 2.0, 2.0, "ok", cost_nano=11, request_id="odd")
    await writer.submit(TaskOutcome(1, TaskStatus.DONE, paid, True, hedge=odd))
    await writer.submit(TaskOutcome(2, TaskStatus.DONE, odd, attempt_alone=True))
    await asyncio.wait_for(writer.drained(), 20)
    assert [[attempt.cost_nano for attempt in each.attempts] for each in kept] == [[7, 11], [11]]
    assert [each.attempt_alone for each in kept] == [False, True]
    work.cancel()
