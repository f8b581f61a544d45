"""Renaming and deleting datasets, and pages of what they hold, on a real file."""

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.domain.run import Intent
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import dataset_edits, dataset_pages, run_deletion, runs
from vqa_tui.store import datasets as store
from vqa_tui.store.db import Database


async def actions(database: Database) -> list[tuple[str, str, str, str]]:
    rows = await database.read("SELECT who, verb, old_value, new_value FROM action ORDER BY id")
    return [(row["who"], row["verb"], row["old_value"], row["new_value"]) for row in rows]


async def delete_dataset(database: Database, dataset_id: int) -> bool:
    """Mark a dataset, as `ada`, and empty it."""
    marked = await dataset_edits.mark_deleted(database, dataset_id, who="ada")
    async for _records in dataset_edits.empty_dataset(database, dataset_id):
        pass
    return marked


async def number_of(database: Database, table: str, dataset_id: int) -> int:
    row = await database.read_one(f"SELECT count(*) AS n FROM {table} WHERE dataset_id = ?", (dataset_id,))
    assert row is not None
    return int(row["n"])


async def add_problems(database: Database, dataset_id: int, *keys: str) -> None:
    problems = [ImportProblem(key, f"place of {key}", "is broken") for key in keys]
    await store.write_batch(database, dataset_id, items=[], healed=[], problems=problems, at=1.0)


async def test_a_rename_is_noted_and_keeps_the_rest(database: Database) -> None:
    dataset_id = await Builder(database).dataset(3)
    assert await dataset_edits.rename_dataset(database, dataset_id, "sacks", who="ada")
    row = await store.dataset_named(database, "sacks")
    assert row is not None and (row.id, row.items) == (dataset_id, 3)
    assert await actions(database) == [("ada", "rename dataset", "bags", "sacks")]


async def test_a_name_that_is_taken_changes_nothing(database: Database) -> None:
    build = Builder(database)
    first, _second = await build.dataset(1), await build.dataset(1, "sacks")
    assert not await dataset_edits.rename_dataset(database, first, "sacks", who="ada")
    assert await store.dataset_names(database) == ["bags", "sacks"]
    assert await actions(database) == []


async def test_a_deleted_dataset_is_gone_and_others_stay_as_they_are(database: Database) -> None:
    build = Builder(database)
    doomed, kept = await build.dataset(5), await build.dataset(4, "kept")
    await add_problems(database, doomed, "a", "b")
    await add_problems(database, kept, "c")
    run_id = await build.run(kept)
    assert await delete_dataset(database, doomed)
    assert await store.dataset_names(database) == ["kept"]
    for table, left in (("item", 4), ("import_problem", 1)):
        assert await number_of(database, table, doomed) == 0
        assert await number_of(database, table, kept) == left
    tally = await database.read("SELECT dataset_id, n FROM item_tally")
    assert [(row["dataset_id"], row["n"]) for row in tally] == [(kept, 4)]
    assert await database.read("PRAGMA foreign_key_check") == []
    tasks = await database.read_one("SELECT count(*) AS n FROM task WHERE run_id = ?", (run_id,))
    assert tasks is not None and tasks["n"] == 4
    assert await actions(database) == [("ada", "delete dataset", "bags", "")]
    assert await dataset_edits.unfinished_deletions(database) == []


async def test_a_dataset_that_a_run_uses_is_not_deleted(database: Database) -> None:
    build = Builder(database)
    dataset_id = await build.dataset(3)
    await build.run(dataset_id, name="first")
    await build.run(dataset_id, name="second")
    assert await dataset_edits.runs_by_dataset(database) == {dataset_id: ("first", "second")}
    assert not await dataset_edits.mark_deleted(database, dataset_id, who="ada")
    assert [records async for records in dataset_edits.empty_dataset(database, dataset_id)] == []
    assert await number_of(database, "item", dataset_id) == 3
    assert await actions(database) == []


async def test_deleting_beside_a_large_run_does_not_look_at_every_task_for_each_picture(database: Database) -> None:
    build = Builder(database)
    doomed, kept = await build.dataset(300), await build.dataset(2_000, "kept")
    await build.run(kept)
    steps = 0

    def count_steps() -> int:
        nonlocal steps
        steps += 1_000
        return 0

    await database._connection.set_progress_handler(count_steps, 1_000)
    assert await delete_dataset(database, doomed)
    # A look at each of 2,000 tasks for each of 300 pictures would take millions of steps.
    assert steps < 500_000


async def test_a_large_dataset_goes_in_parts_and_others_write_in_between(
    database: Database, paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_edits, "_LEAST_ROWS", 50)
    monkeypatch.setattr(dataset_edits, "_MOST_ROWS", 50)
    build = Builder(database)
    doomed, kept = await build.dataset(500), await build.dataset(3, "kept")
    await add_problems(database, doomed, *(f"p{n}" for n in range(120)))
    run_id = await build.run(kept)
    assert await dataset_edits.mark_deleted(database, doomed, who="ada")
    sizes = []
    async with Database.open(paths) as other:
        async for records in dataset_edits.empty_dataset(database, doomed):
            sizes.append(records)
            await runs.set_intent(other, run_id, Intent.PAUSE, who="bob")
    assert sizes == [50] * 10
    assert await database.read("PRAGMA foreign_key_check") == []
    assert await database.read("SELECT 1 FROM import_problem") == []


async def test_a_deletion_that_is_broken_off_is_gone_for_everybody_and_goes_on_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_edits, "_LEAST_ROWS", 2)
    build = Builder(database)
    doomed = await build.dataset(5)
    assert await dataset_edits.mark_deleted(database, doomed, who="ada")
    async for _records in dataset_edits.empty_dataset(database, doomed):
        break
    assert await dataset_edits.unfinished_deletions(database) == [doomed]
    assert await store.dataset_names(database) == [] == await store.list_datasets(database)
    assert await store.dataset_named(database, f":deleted:{doomed}") is None
    with pytest.raises(VqaError, match="the dataset of this run was deleted"):
        await build.run(doomed)
    with pytest.raises(VqaError, match="deleted while it was being imported"):
        await add_problems(database, doomed, "a")
    with pytest.raises(VqaError, match="was deleted already"):
        await dataset_edits.mark_deleted(database, doomed, who="bob")
    # Its name is free at once.
    again = await build.dataset(4)
    async for _records in dataset_edits.empty_dataset(database, doomed):
        pass
    assert [(row.id, row.items) for row in await store.list_datasets(database)] == [(again, 4)]
    assert await dataset_edits.unfinished_deletions(database) == []
    tally = await database.read("SELECT dataset_id, n FROM item_tally")
    assert [(row["dataset_id"], row["n"]) for row in tally] == [(again, 4)]


async def test_a_run_that_was_deleted_is_not_named_and_keeps_its_dataset_until_it_is_emptied(
    database: Database,
) -> None:
    build = Builder(database)
    dataset_id = await build.dataset(3)
    run_id = await build.run(dataset_id)
    await run_deletion.mark_deleted(database, run_id, who="ada", words="", flights=[])
    assert await dataset_edits.runs_by_dataset(database) == {}
    assert not await dataset_edits.mark_deleted(database, dataset_id, who="ada")
    async for _chunk in run_deletion.empty_run(database, run_id):
        pass
    await run_deletion.finish_deletion(database, run_id)
    assert await delete_dataset(database, dataset_id)
    assert await store.list_datasets(database) == []


@pytest.mark.parametrize("search", ["", "000", "7", "no such"])
async def test_ids_come_in_the_order_of_keys_and_rows_by_id(database: Database, search: str) -> None:
    build = Builder(database)
    dataset_id, other = await build.dataset(30), await build.dataset(5, "other")
    ids = await dataset_pages.item_ids(database, dataset_id, search=search)
    items = await dataset_pages.items_of(database, dataset_id, [*ids, 10_000])
    keys = [items[each].key for each in ids]
    assert keys == sorted(f"{n:06}.jpg" for n in range(30) if search in f"{n:06}.jpg")
    assert await dataset_pages.items_of(database, other, list(ids)) == {}


async def test_problems_are_paged_too(database: Database) -> None:
    build = Builder(database)
    dataset_id, other = await build.dataset(1), await build.dataset(1, "other")
    await add_problems(database, dataset_id, "b", "a", "c")
    await add_problems(database, other, "z")
    ids = await dataset_pages.problem_ids(database, dataset_id)
    rows = await dataset_pages.problems_of(database, dataset_id, ids)
    assert [rows[each].key for each in ids] == ["a", "b", "c"]
    assert rows[ids[0]] == ImportProblem("a", "place of a", "is broken")
    assert await dataset_pages.problems_of(database, other, ids) == {}
