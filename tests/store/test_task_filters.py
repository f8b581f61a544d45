"""Which tasks a filter means."""

from pathlib import Path

import pytest

from vqa_tui.domain.run import Limits
from vqa_tui.domain.task import TaskFilter
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.db import Database, StoreTrouble
from vqa_tui.store.run_creation import NewRun, create_run
from vqa_tui.store.tasks import task_ids


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (TaskFilter(), "a b c d"),
        (TaskFilter(kinds=("server",)), "b"),
        (TaskFilter(not_kinds=("server",)), "a c d"),
        (TaskFilter(not_kinds=("server", "refused")), "a d"),
        (TaskFilter(not_search=("A",)), "b c d"),
        (TaskFilter(not_search=("a", "d"), not_kinds=("server",)), "c"),
        (TaskFilter(search="c", not_search=("a",)), "c"),
    ],
)
async def test_the_complement_holds_what_never_failed(tmp_path: Path, chosen: TaskFilter, keys: str) -> None:
    async with Database.open(WorkspacePaths(tmp_path / ".vqa")) as database:
        run_id = await _run_of_four(database)
        ids = await task_ids(database, run_id, chosen)
        rows = await database.read("SELECT t.id, i.key FROM task t JOIN item i ON i.id = t.item_id")
        names = {row["id"]: row["key"] for row in rows}
        assert " ".join(names[task_id] for task_id in ids) == keys


async def test_all_ids_are_found_whether_or_not_they_follow_each_other(tmp_path: Path) -> None:
    async with Database.open(WorkspacePaths(tmp_path / ".vqa")) as database:
        run_id = await _run_of_four(database)
        every = list(await task_ids(database, run_id, TaskFilter()))
        stored = [row["id"] for row in await database.read("SELECT id FROM task ORDER BY id")]
        assert every == stored
        async with database.write() as transaction:
            await transaction.execute("DELETE FROM task WHERE id = ?", (every[1],))
        assert list(await task_ids(database, run_id, TaskFilter())) == [every[0], *every[2:]]
        assert not len(await task_ids(database, run_id + 1, TaskFilter())), "a run without tasks"


async def test_integers_come_in_order_however_many_there_are(tmp_path: Path) -> None:
    async with Database.open(WorkspacePaths(tmp_path / ".vqa")) as database:
        sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n"
        pieces = [piece async for piece in database.integer_pieces(sql, (25_001,), first=7)]
        assert [len(piece) for piece in pieces] == [7, 10_000, 10_000, 4_994]
        assert [each for piece in pieces for each in piece] == list(range(1, 25_002))
        with pytest.raises(StoreTrouble, match="cannot read the workspace file"):
            [piece async for piece in database.integer_pieces("SELECT nothing FROM nowhere")]


async def _run_of_four(database: Database) -> int:
    """A run of items a to d; b failed last by `server`, c by `refused`."""
    async with database.write() as transaction:
        dataset_id = await transaction.insert(
            "INSERT INTO dataset (name, kind, root, source, created_at, imported_at) "
            "VALUES ('d', 'folder', '/', '/', 0, 0)",
            (),
        )
        await transaction.execute_many(
            "INSERT INTO item (dataset_id, key, path, format, width, height, size_bytes, sha256, orientation, "
            "modified_ns, truth) VALUES (?, ?, ?, 'JPEG', 64, 48, 100, ?, 1, 0, '{}')",
            [(dataset_id, key, key, key * 64) for key in "abcd"],
        )
    run_id = await create_run(
        database,
        NewRun("r", dataset_id, "caption", "embedded", "m", "{}", "{}", "0" * 64, 0, None, Limits(), False),
    )
    async with database.write() as transaction:
        for key, kind in (("b", "server"), ("c", "refused")):
            await transaction.execute_many(
                "UPDATE task SET last_kind = ? WHERE item_id = (SELECT id FROM item WHERE key = ?)", [(kind, key)]
            )
    return run_id
