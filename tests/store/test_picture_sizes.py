"""The sizes of the pictures that a run would ask about, and what earlier runs of the same kind took."""

import json
from collections.abc import Sequence

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store.datasets import SizeGroup, picture_sizes
from vqa_tui.store.earlier_runs import EarlierRuns, earlier_runs
from vqa_tui.store.queue import TaskQueue

RULE = '{"rule":"qwen","factor":28}'


async def sized(builder: Builder, sizes: Sequence[tuple[int, int]]) -> int:
    dataset_id = await builder.dataset(len(sizes))
    async with builder.database.write() as transaction:
        await transaction.execute_many(
            "UPDATE item SET width = ?, height = ?, size_bytes = ? WHERE dataset_id = ? AND key = ?",
            [(w, h, w * h, dataset_id, f"{number:06}.jpg") for number, (w, h) in enumerate(sizes)],
        )
    return dataset_id


async def test_pictures_are_counted_by_size(builder: Builder) -> None:
    dataset_id = await sized(builder, [(640, 480), (1000, 1000), (640, 480)])
    await builder.dataset(5, name="other")
    sizes = await picture_sizes(builder.database, dataset_id, chosen=3, total=3)
    assert set(sizes.groups) == {SizeGroup(640, 480, 2, 2 * 640 * 480), SizeGroup(1000, 1000, 1, 10**6)}
    assert sizes.step == 1


@pytest.mark.parametrize(("total", "chosen"), [(10, 3), (7, 7), (100, 1), (97, 31)])
async def test_a_limit_counts_the_very_pictures_that_the_run_asks(builder: Builder, total: int, chosen: int) -> None:
    dataset_id = await sized(builder, [(100 + number, 50) for number in range(total)])
    sizes = await picture_sizes(builder.database, dataset_id, chosen=chosen, total=total)
    run_id = await builder.run(dataset_id, limit=chosen)
    rows = await builder.database.read(
        "SELECT width FROM item JOIN task ON task.item_id = item.id WHERE run_id = ?", (run_id,)
    )
    assert sorted(group.width for group in sizes.groups) == sorted(row["width"] for row in rows)


async def test_very_many_sizes_are_put_together_and_none_is_lost(builder: Builder) -> None:
    dataset_id = await sized(builder, [(300 + number % 50, 200 + number // 50) for number in range(500)])
    sizes = await picture_sizes(builder.database, dataset_id, chosen=500, total=500, most_groups=60)
    assert 1 < sizes.step <= 64 and len(sizes.groups) <= 60
    assert sum(group.pictures for group in sizes.groups) == 500
    assert all(300 <= group.width < 350 and 200 <= group.height < 210 for group in sizes.groups)
    coarse = await picture_sizes(builder.database, dataset_id, chosen=500, total=500, most_groups=1)
    assert len(coarse.groups) == 1


async def answered(builder: Builder, run_id: int, records: Sequence[AttemptRecord]) -> None:
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    tasks = await queue.claim(len(records), now=0, pilot_only=False)
    await queue.settle(
        [
            TaskOutcome(task.id, TaskStatus.DONE if record.kind == "ok" else TaskStatus.PENDING, record, True)
            for task, record in zip(tasks, records, strict=True)
        ]
    )


def record(kind: str = "ok", *, read: int = 1200, written: int = 80, estimated: int = 1000) -> AttemptRecord:
    return AttemptRecord("a", 1.0, 500.0, kind, usage=Usage(read, written), estimated_input_tokens=estimated)


async def test_earlier_runs_of_the_same_kind_are_summed(builder: Builder) -> None:
    dataset_id = await builder.dataset(8)
    like_it = json.dumps({"image_tokens": json.loads(RULE)})
    for name in ("first", "second"):
        run_id = await builder.run(dataset_id, name=name, endpoint=like_it)
        await answered(builder, run_id, [record(), record(written=120), record("bad_reply"), record(estimated=0)])
    other_rule = await builder.run(dataset_id, name="other", endpoint='{"image_tokens":{"rule":"fixed"}}')
    await answered(builder, other_rule, [record(read=10**6)])
    await builder.run(dataset_id, name="unstarted", endpoint=like_it)

    found = await earlier_runs(builder.database, recipe="{}", model="m", endpoint_name="embedded", image_tokens=RULE)
    assert found == EarlierRuns(
        runs=2,
        pictures=6,
        billed=8,
        compared=6,
        estimated_input=6000,
        billed_input=7200,
        billed_output=2 * (80 + 120 + 80),
        mean_latency_ms=500.0,
    )
    elsewhere = await earlier_runs(
        builder.database, recipe="{}", model="m", endpoint_name="elsewhere", image_tokens=RULE
    )
    assert elsewhere is not None and elsewhere.mean_latency_ms is None


async def test_without_a_like_run_there_is_nothing_to_go_by(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(2), endpoint='{"image_tokens":{"rule":"qwen","factor":28}}')
    await answered(builder, run_id, [record()])
    for recipe, model in (('{"a":1}', "m"), ("{}", "n")):
        assert (
            await earlier_runs(
                builder.database, recipe=recipe, model=model, endpoint_name="embedded", image_tokens=RULE
            )
            is None
        )
