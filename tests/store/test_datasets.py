"""Datasets in the file: batches, pages by key, counts, and problems that come and go."""

from itertools import pairwise

import pytest

from vqa_tui.domain.item import Box, GroundTruth, ImportProblem, PictureFacts
from vqa_tui.store import datasets as store
from vqa_tui.store.datasets import CategoryCount, StoredItem
from vqa_tui.store.db import Database


def item(key: str, *, truth: GroundTruth | None = None, split: str | None = None, size: int = 100) -> StoredItem:
    facts = PictureFacts("JPEG", 64, 48, size, "0" * 64, 1, 5)
    return StoredItem(key, f"{key}.jpg", facts, split, store.truth_json(truth or GroundTruth()))


async def dataset(database: Database, name: str = "bags", at: float = 1.0) -> int:
    row = await store.ensure_dataset(database, name=name, kind="folder", root="/r", source="/s", at=at)
    return row.id


async def put(database: Database, dataset_id: int, *items: StoredItem) -> None:
    await store.write_batch(database, dataset_id, items=items, healed=[], problems=[], at=1.0)


async def test_a_second_ensure_returns_the_first_dataset_as_it_was(database: Database) -> None:
    first = await store.ensure_dataset(database, name="bags", kind="folder", root="/r", source="/s", at=1.0)
    second = await store.ensure_dataset(database, name="bags", kind="coco", root="/q", source="/t", at=2.0)
    assert second == first
    assert await store.dataset_names(database) == ["bags"]
    assert await store.dataset_named(database, "none") is None


async def test_items_are_inserted_once_and_changed_in_place(database: Database) -> None:
    dataset_id = await dataset(database)
    await put(database, dataset_id, item("a"), item("b"))
    before = {found.key: found.id for found in await store.item_page(database, dataset_id)}
    changed = item("a", truth=GroundTruth(captions=("new",)), split="train", size=250)
    await put(database, dataset_id, changed, item("c"))
    page = await store.item_page(database, dataset_id)
    assert [found.key for found in page] == ["a", "b", "c"]
    assert {found.key: found.id for found in page if found.key in before} == before
    assert (page[0].truth.captions, page[0].split, page[0].facts.size_bytes) == (("new",), "train", 250)
    assert await store.stored_items(database, dataset_id, ["a", "zz"]) == {"a": changed}
    row = await store.dataset_named(database, "bags")
    assert row is not None and (row.items, row.size_bytes) == (3, 450)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_pages_by_key_hold_every_item_of_one_dataset_once(database: Database, size: int) -> None:
    dataset_id, other = await dataset(database), await dataset(database, "other")
    keys = [f"k{number % 7}/{number:03}" for number in range(20)]
    await put(database, dataset_id, *(item(key) for key in keys))
    await put(database, other, item("k0/000"), item("zz"))
    seen: list[str] = []
    while page := await store.item_page(database, dataset_id, after_key=seen[-1] if seen else "", size=size):
        assert len(page) <= size
        seen += [found.key for found in page]
    assert seen == sorted(keys)


@pytest.mark.parametrize(("total", "count"), [(0, 5), (3, 5), (10, 1), (10, 3), (100, 7), (7, 7)])
async def test_spread_items_are_as_many_as_asked_and_evenly_placed(database: Database, total: int, count: int) -> None:
    dataset_id, other = await dataset(database), await dataset(database, "other")
    await put(database, other, *(item(f"{number:03}") for number in range(5)))
    await put(database, dataset_id, *(item(f"{number:03}") for number in range(total)))
    places = [int(found.key) for found in await store.spread_items(database, dataset_id, count)]
    assert len(places) == min(total, count)
    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert not gaps or max(gaps) - min(gaps) <= 1


async def test_counts_by_split_and_category(database: Database) -> None:
    dataset_id = await dataset(database)
    box = Box(label="Knife", x=1, y=1, width=1, height=1)
    await put(
        database,
        dataset_id,
        item("a", truth=GroundTruth(categories=("Knife", "Knife", "Gun"), boxes=(box,)), split="train"),
        item("b", truth=GroundTruth(categories=("Knife",)), split="train"),
        item("c", split="test"),
        item("d"),
    )
    assert await store.split_counts(database, dataset_id) == {None: 1, "test": 1, "train": 2}
    assert await store.category_counts(database, dataset_id) == [
        CategoryCount("Knife", 2, 3),
        CategoryCount("Gun", 1, 1),
    ]


async def test_problems_come_are_corrected_and_are_forgotten_when_solved(database: Database) -> None:
    dataset_id = await dataset(database)
    first = [ImportProblem(key, f"line {key}", "is broken") for key in "abc"]
    await store.write_batch(database, dataset_id, items=[], healed=[], problems=first, at=1.0)
    again = ImportProblem("c", "line 9", "is still broken")
    await store.write_batch(database, dataset_id, items=[item("a")], healed=["a"], problems=[again], at=2.0)
    assert [problem.key for problem in await store.problem_page(database, dataset_id)] == ["b", "c"]
    assert await store.problem_page(database, dataset_id, after_key="b", size=1) == [again]

    await store.finish_import(database, dataset_id, source="/data", at=2.0, complete=False)
    assert len(await store.problem_page(database, dataset_id)) == 2
    await store.finish_import(database, dataset_id, source="/data", at=2.0, complete=True)
    assert await store.problem_page(database, dataset_id) == [again]
    row = await store.dataset_named(database, "bags")
    assert row is not None and (row.imported_at, row.created_at, row.problems) == (2.0, 1.0, 1)


async def test_datasets_are_listed_the_latest_import_first(database: Database) -> None:
    await dataset(database, "old", 1.0)
    await dataset(database, "new", 2.0)
    assert [row.name for row in await store.list_datasets(database)] == ["new", "old"]


def test_equal_truths_give_equal_text_and_survive_it() -> None:
    truth = GroundTruth(categories=("Knife",), extra={"b": [1, {"c": None}], "a": "ü"})
    text = store.truth_json(truth)
    assert text == store.truth_json(GroundTruth.model_validate_json(text))
    assert GroundTruth.model_validate_json(text) == truth
    assert store.truth_json(GroundTruth()) == "{}"
