"""Runs whose pictures are several requests: how their tasks are made, claimed, followed, compared and exported."""

import json
from collections import Counter

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.changes import UNCHANGED
from vqa_tui.domain.part import BY_PAIR, ONLY, Part
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import TaskOutcome
from vqa_tui.store.compare import names_of_tasks, tasks_of_both
from vqa_tui.store.datasets import askable_pictures, picture_sizes, spread_items
from vqa_tui.store.exports import exported_pictures, exported_run, last_hashes
from vqa_tui.store.follow_ups import asked_elsewhere, create_follow_up
from vqa_tui.store.made_of import made_of
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.reads import run_summaries, run_view
from vqa_tui.store.run_creation import NewRun
from vqa_tui.store.tasks import find_tasks, task_rows

PROMPTS = json.dumps({"prompts": [{"name": name} for name in ("caption", "count", "where")]})


async def tasks(builder: Builder, run_id: int) -> list[tuple[str, int, int, int]]:
    """Return key, part, parts and pilot of every task in the order of their ids."""
    rows = await builder.database.read(
        "SELECT i.key, t.part, t.parts, t.pilot FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? "
        "ORDER BY t.id",
        (run_id,),
    )
    return [(row["key"][5], row["part"], row["parts"], row["pilot"]) for row in rows]


async def answer(builder: Builder, run_id: int, wanted: set[tuple[str, int]] | None = None, word: str = "a") -> None:
    """Answer every task of a run, or fail those that are not `wanted` (key, part)."""
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(1000, now=0, pilot_only=False)
    outcomes = []
    for task in claimed:
        place = (task.item.key[5], task.part.index)
        if wanted is None or place in wanted:
            pair = Pair(f"q{task.part.index}", f"{word}{task.part.index}")
            outcomes.append(TaskOutcome(task.id, TaskStatus.DONE, pairs=(pair,)))
        else:
            outcomes.append(TaskOutcome(task.id, TaskStatus.FAILED, kind="refused", problem="no"))
    await queue.settle(outcomes)


async def follow(builder: Builder, run_id: int, dataset: int, *, parts: int, name: str = "later") -> tuple[int, int]:
    ids = [row["id"] for row in await builder.database.read("SELECT id FROM task WHERE run_id = ?", (run_id,))]
    new = NewRun(name, dataset, "r", "e", "m", "{}", "{}", "h", 0, None, Limits(), True, parts)
    statuses = (TaskStatus.FAILED,)
    return await create_follow_up(builder.database, new, follows=run_id, ids=ids, statuses=statuses, changes=UNCHANGED)


async def test_every_picture_gets_all_of_its_requests_one_behind_the_other(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(3), parts=3, pilot=1)
    made = await tasks(builder, run_id)
    assert [task[:3] for task in made] == [(key, part, 3) for key in "012" for part in range(3)]
    assert Counter(key for key, _part, _parts, pilot in made if pilot) == {"2": 3}
    assert await builder.tallied(run_id) == {"pending": 9}


async def test_a_limit_counts_pictures(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(9), parts=2, limit=3, pilot=2)
    made = await tasks(builder, run_id)
    assert Counter(task[0] for task in made) == {"2": 2, "5": 2, "8": 2}
    assert sum(task[3] for task in made) == 4


async def test_by_pairs_a_picture_without_one_is_not_asked_and_not_counted(builder: Builder) -> None:
    dataset = await builder.dataset(6, pairs=(2, 0, 3, 1, 0, 1))
    assert await askable_pictures(builder.database, dataset, BY_PAIR) == 4
    run_id = await builder.run(dataset, parts=BY_PAIR)
    assert [task[:3] for task in await tasks(builder, run_id)] == [
        ("0", 0, 2), ("0", 1, 2), ("2", 0, 3), ("2", 1, 3), ("2", 2, 3), ("3", 0, 1), ("5", 0, 1),
    ]  # fmt: skip
    half = await builder.run(dataset, name="half", parts=BY_PAIR, limit=2)
    assert Counter(task[0] for task in await tasks(builder, half)) == {"2": 3, "5": 1}
    sizes = await picture_sizes(builder.database, dataset, chosen=2, total=4, parts=BY_PAIR)
    assert [(group.pictures, group.size_bytes) for group in sizes.groups] == [(4, 400)]
    looked_at = await spread_items(builder.database, dataset, 10, parts=BY_PAIR)
    assert [item.key[5] for item in looked_at] == ["0", "2", "3", "5"]


async def test_a_run_like_it_takes_the_same_pictures(builder: Builder) -> None:
    dataset = await builder.dataset(6, pairs=(2, 0, 3, 1, 0, 1))
    for parts, limit in ((BY_PAIR, None), (BY_PAIR, 2), (3, None), (3, 4), (1, None), (1, 4)):
        run_id = await builder.run(dataset, name=f"{parts}-{limit}", parts=parts, limit=limit)
        made = await made_of(builder.database, run_id)
        assert made is not None and made.limit == limit


async def test_what_is_claimed_says_which_request_it_is(builder: Builder) -> None:
    dataset = await builder.dataset(1)
    run_id, plain = await builder.run(dataset, parts=2), await builder.run(dataset, name="plain")
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    assert [task.part for task in await queue.claim(9, now=0, pilot_only=False)] == [Part(0, 2), Part(1, 2)]
    queue = TaskQueue(builder.database, plain, await builder.session(plain))
    assert [task.part for task in await queue.claim(9, now=0, pilot_only=False)] == [ONLY]


async def test_tasks_are_listed_and_found_by_key_and_part(builder: Builder) -> None:
    dataset = await builder.dataset(2)
    run_id = await builder.run(dataset, parts=3, recipe=PROMPTS)
    ids = [row["id"] for row in await builder.database.read("SELECT id FROM task ORDER BY id")]
    rows = await task_rows(builder.database, run_id, ids)
    assert [rows[task_id].name for task_id in ids[:3]] == [
        "000000.jpg · 1/3 caption", "000000.jpg · 2/3 count", "000000.jpg · 3/3 where",
    ]  # fmt: skip
    assert await find_tasks(builder.database, run_id, "000001.jpg") == ids[3:]
    assert await find_tasks(builder.database, run_id, "000001.jpg#3") == [ids[5]]
    assert await find_tasks(builder.database, run_id, "000001.jpg#4") == []
    assert await find_tasks(builder.database, run_id, str(ids[4])) == [ids[4]]
    plain = await builder.run(dataset, name="plain")
    assert await find_tasks(builder.database, plain, "000001.jpg#1") == []
    (row,) = (await task_rows(builder.database, plain, [ids[-1] + 1])).values()
    assert row.name == "000000.jpg"


async def test_views_count_requests_and_the_pilot_its_own(builder: Builder) -> None:
    dataset = await builder.dataset(4)
    run_id, plain = await builder.run(dataset, parts=3, pilot=2), await builder.run(dataset, name="plain", pilot=2)
    view = await run_view(builder.database, run_id, now=10, flights=())
    assert view is not None and view.in_parts and view.counts.total == 12
    assert view.pilot is not None and (view.pilot.size, view.pilot.finished) == (6, 0)
    other = await run_view(builder.database, plain, now=10, flights=())
    assert other is not None and not other.in_parts and other.pilot is not None and other.pilot.size == 2
    assert {summary.name: summary.in_parts for summary, _beat in await run_summaries(builder.database)} == {
        "run": True, "plain": False,
    }  # fmt: skip


async def test_a_follow_up_asks_the_same_parts(builder: Builder) -> None:
    dataset = await builder.dataset(2)
    run_id = await builder.run(dataset, parts=2)
    await answer(builder, run_id, {("0", 0), ("1", 0), ("1", 1)})
    later, count = await follow(builder, run_id, dataset, parts=2)
    assert count == 1 and await tasks(builder, later) == [("0", 1, 2, 0)]
    ids = [row["id"] for row in await builder.database.read("SELECT id FROM task WHERE run_id = ?", (run_id,))]
    every = tuple(TaskStatus)
    assert list((await asked_elsewhere(builder.database, run_id, ids, every)).ids) == [ids[1]]
    # Who asks the rest again leaves out what is asked there.
    assert await follow(builder, run_id, dataset, parts=2, name="again") == (0, 0)


async def test_two_runs_are_compared_part_by_part(builder: Builder) -> None:
    dataset = await builder.dataset(3)
    first = await builder.run(dataset, parts=2, recipe=PROMPTS)
    second = await builder.run(dataset, name="second", parts=2)
    await answer(builder, first, {("0", 0), ("0", 1), ("2", 1)})
    await answer(builder, second, {("0", 1), ("2", 1), ("2", 0)})
    found = await tasks_of_both(builder.database, first, second, 10)
    assert found.number == 2 and len(found.tasks) == 2
    mine = await names_of_tasks(builder.database, [each[0] for each in found.tasks])
    theirs = await names_of_tasks(builder.database, [each[1] for each in found.tasks])
    assert [(key[5], part.index) for key, part in mine.values()] == [("0", 1), ("2", 1)]
    assert [(key[5], part.index) for key, part in theirs.values()] == [("0", 1), ("2", 1)]
    assert next(iter(mine.values()))[1].words == "2/2 count"


@pytest.mark.parametrize("page", [1, 2, 3, 4, 500])
async def test_all_pairs_of_a_picture_are_exported_together_whatever_the_pages(builder: Builder, page: int) -> None:
    dataset = await builder.dataset(4, pairs=(2, 3, 1, 2))
    run_id = await builder.run(dataset, parts=BY_PAIR)
    await answer(builder, run_id, {("0", 0), ("0", 1), ("1", 0), ("1", 2), ("2", 0)})
    later, _count = await follow(builder, run_id, dataset, parts=BY_PAIR)
    await answer(builder, later, {("1", 1), ("3", 1)}, word="later")
    run = await exported_run(builder.database, run_id)
    assert run is not None and run.parts == BY_PAIR
    pages = [each async for each in exported_pictures(builder.database, run, page_pictures=page)]
    pictures = [picture for each in pages for picture in each.pictures]
    assert {picture.key[5]: [(pair.ordinal, pair.answer) for pair in picture.pairs] for picture in pictures} == {
        "0": [(0, "a0"), (1, "a1")],
        "1": [(0, "a0"), (1, "later1"), (2, "a2")],
        "2": [(0, "a0")],
        "3": [(0, "later1")],
    }
    assert len(pictures) == 4
    assert [pair.source.name if pair.source else "" for pair in pictures[1].pairs] == ["", "later", ""]
    assert pictures[1].statuses == ("done", "failed", "done")
    # A picture is on one side of a split, with all of its requests.
    assert await last_hashes(builder.database, run, (0.5, 0.25, 0.25)) == (pictures[1].sha256, pictures[2].sha256)
