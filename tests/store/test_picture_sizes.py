"""The sizes of the pictures that a run would ask about."""

import json
from collections.abc import Sequence

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.clip import VIDEO
from vqa_tui.domain.run import TaskStatus
from vqa_tui.store import asking_again
from vqa_tui.store.asking_again import sizes_of
from vqa_tui.store.datasets import SizeGroup, picture_sizes


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


async def test_further_pictures_count_beside_those_of_the_requests(builder: Builder) -> None:
    dataset_id = await sized(builder, [(640, 480), (1000, 1000), (640, 480)])
    facts = '"format":"JPEG","sha256":"ab","orientation":1,"modified_ns":0'
    further = [f'{{"path":"f","facts":{{{facts},"width":{w},"height":50,"size_bytes":7}}}}' for w in (100, 100, 90)]
    async with builder.database.write() as transaction:
        await transaction.execute_many(
            "UPDATE item SET truth = ?, pictures = ? WHERE dataset_id = ? AND key = ?",
            [
                (f'{{"further":[{",".join(further)}]}}', 4, dataset_id, "000000.jpg"),
                (f'{{"further":[{further[2]}]}}', 2, dataset_id, "000002.jpg"),
            ],
        )
    for parts in (1, 3):
        sizes = await picture_sizes(builder.database, dataset_id, chosen=3, total=3, parts=parts)
        assert (sizes.requests, sizes.most_in_one) == (3 * parts, 4)
        assert [group for group in sizes.groups if group.further] == [
            SizeGroup(90, 50, 2 * parts, 14 * parts, further=True),
            SizeGroup(100, 50, 2 * parts, 14 * parts, further=True),
        ]
    run_id = await builder.run(dataset_id)
    ids = [row["id"] for row in await builder.database.read("SELECT id FROM task WHERE run_id = ?", (run_id,))]
    again = await sizes_of(builder.database, run_id, ids[:2], (TaskStatus.PENDING,))
    assert (again.requests, again.most_in_one) == (2, 4)
    assert sum(group.pictures for group in again.groups if group.further) == 3


async def lasting(builder: Builder, lengths: Sequence[float]) -> int:
    """Make a dataset of clips of these lengths in seconds, each two seconds into its video."""
    dataset_id = await builder.dataset(len(lengths))
    async with builder.database.write() as transaction:
        await transaction.execute_many(
            "UPDATE item SET format = ?, truth = ? WHERE dataset_id = ? AND key = ?",
            [
                (VIDEO, json.dumps({"clip": {"start_s": 2, "end_s": 2 + length}}), dataset_id, f"{number:06}.jpg")
                for number, length in enumerate(lengths)
            ],
        )
    return dataset_id


async def test_the_length_of_a_clip_is_never_understated(builder: Builder) -> None:
    dataset_id = await lasting(builder, [0.04, 1, 1.4, 1.41, 2.3, 7.65])
    sizes = await picture_sizes(builder.database, dataset_id, chosen=6, total=6)
    assert sorted(group.seconds for group in sizes.groups) == pytest.approx([0.1, 1, 1.4, 1.5, 2.3, 7.7])


@pytest.mark.parametrize("every_size", [20_000, 3])
async def test_clips_that_are_asked_again_have_their_length(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, every_size: int
) -> None:
    monkeypatch.setattr(asking_again, "_EVERY_SIZE", every_size)
    run_id = await builder.run(await lasting(builder, [1, 1, 1.41, 12.5]))
    ids = [row["id"] for row in await builder.database.read("SELECT id FROM task WHERE run_id = ?", (run_id,))]
    sizes = await sizes_of(builder.database, run_id, ids, (TaskStatus.PENDING,))
    assert (sizes.requests, sizes.step) == (4, 1 if every_size > 4 else 64)
    found = sorted((group.seconds, group.pictures) for group in sizes.groups)
    assert found == ([(1, 2), (1.5, 1), (12.5, 1)] if sizes.step == 1 else [(10, 3), (20, 1)])


async def test_very_many_lengths_are_put_together_and_none_is_lost(builder: Builder) -> None:
    lengths = [0.5 + number / 10 for number in range(300)]
    dataset_id = await lasting(builder, lengths)
    sizes = await picture_sizes(builder.database, dataset_id, chosen=300, total=300, most_groups=60)
    assert len(sizes.groups) <= 60 and sum(group.pictures for group in sizes.groups) == 300
    whole = sum(group.seconds * group.pictures for group in sizes.groups)
    assert sum(lengths) <= whole <= sum(lengths) + 300
