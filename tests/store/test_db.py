"""The guarded write, migrations with a backup, and what a broken or foreign file does."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.db import Database, StoreTrouble
from vqa_tui.store.file_system import file_system_of
from vqa_tui.store.migrating import schema_steps


async def test_many_tasks_write_at_once_and_every_row_is_there(database: Database) -> None:
    async def insert(number: int) -> None:
        async with database.write() as transaction:
            await transaction.execute(
                "INSERT INTO event (at, level, message) VALUES (0, 'info', ?)", (f"event {number}",)
            )

    await asyncio.gather(*(insert(number) for number in range(200)))
    rows = await database.read("SELECT count(*) AS n FROM event")
    assert rows[0]["n"] == 200


async def test_cancelled_write_rolls_back_and_frees_the_lock(database: Database, paths: WorkspacePaths) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'never')")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with Database.open(paths) as other, other.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'other')")
    assert [row["message"] for row in await database.read("SELECT message FROM event")] == ["other"]


@pytest.mark.parametrize("after", range(12))
async def test_cancel_at_any_step_leaves_no_open_transaction(database: Database, after: int) -> None:
    async def write() -> None:
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'x')")

    task = asyncio.create_task(write())
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    before = (await database.read("SELECT count(*) AS n FROM event"))[0]["n"]
    await write()
    assert (await database.read("SELECT count(*) AS n FROM event"))[0]["n"] == before + 1


@pytest.mark.parametrize("after", range(12))
async def test_a_snapshot_cancelled_at_any_step_leaves_no_open_transaction(database: Database, after: int) -> None:
    async def look() -> None:
        async with database.snapshot():
            await database.read("SELECT * FROM event")
            await database.read("SELECT * FROM event")

    task = asyncio.create_task(look())
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await look()
    async with database.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'x')")
    assert len(await database.read("SELECT * FROM event")) == 1


@pytest.mark.parametrize("how", ["write", "snapshot"])
@pytest.mark.parametrize("between", range(3))
@pytest.mark.parametrize("after", [2, 5, 8])
async def test_a_second_cancel_leaves_no_open_transaction_either(
    database: Database, paths: WorkspacePaths, how: str, after: int, between: int
) -> None:
    """The thread is busy, so that what it is asked is still to be done when the cancels come."""

    async def hang() -> None:
        async with database.write() if how == "write" else database.snapshot():
            await database.read("SELECT * FROM event")

    busy = asyncio.create_task(database._in_thread(lambda _: time.sleep(0.02)))
    task = asyncio.create_task(hang())
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    for _ in range(between):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await busy
    async with Database.open(paths, patience_s=0.5) as other, other.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'other')")
    async with database.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'ours')")
    assert [row["message"] for row in await database.read("SELECT message FROM event")] == ["other", "ours"]


@pytest.mark.parametrize("how", ["write", "snapshot"])
async def test_who_is_cancelled_after_the_file_was_closed_ends_as_cancelled(paths: WorkspacePaths, how: str) -> None:
    """An error in place of that would make whoever tries again after errors go on for ever."""
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.write() if how == "write" else database.snapshot():
            inside.set()
            await asyncio.Event().wait()

    async with Database.open(paths) as database:
        task = asyncio.create_task(hang())
        await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failing_statement_is_trouble_in_words_and_stores_nothing(database: Database) -> None:
    with pytest.raises(StoreTrouble, match="no such table"):
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'x')")
            await transaction.execute("INSERT INTO nowhere VALUES (1)")
    assert await database.read("SELECT * FROM event") == []


async def test_a_full_disk_is_trouble_and_the_file_works_again_with_room(database: Database) -> None:
    pages = (await database.read("PRAGMA page_count"))[0][0]
    await database.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreTrouble, match="full"):
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', ?)", ("x" * 100_000,))
    await database.read(f"PRAGMA max_page_count = {pages + 1000}")
    async with database.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'room')")
    assert (await database.read("SELECT message FROM event"))[0]["message"] == "room"


async def test_data_version_moves_only_when_another_connection_commits(
    database: Database, paths: WorkspacePaths
) -> None:
    async with Database.open(paths) as other:
        before = await other.data_version()
        assert await other.data_version() == before
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO event (at, level, message) VALUES (0, 'info', 'x')")
        assert await other.data_version() != before


async def test_workspace_is_private(database: Database, paths: WorkspacePaths) -> None:
    assert paths.root.stat().st_mode & 0o777 == 0o700
    assert paths.database.stat().st_mode & 0o777 == 0o600


async def test_a_newer_file_is_refused_in_words_and_left_alone(paths: WorkspacePaths) -> None:
    async with Database.open(paths):
        pass
    with sqlite3.connect(paths.database) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(VqaError, match="newer vqa-tui"):
        async with Database.open(paths):
            pass
    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (9999,)
    connection.close()


async def test_a_file_that_is_no_database_is_refused_in_words(paths: WorkspacePaths) -> None:
    paths.root.mkdir()
    paths.database.write_text("this is a letter, not a database, and it is long enough to be looked at" * 20)
    with pytest.raises(VqaError, match="not a database"):
        async with Database.open(paths):
            pass


@pytest.mark.parametrize("version", [version for version, _name, _sql in schema_steps()])
async def test_every_older_schema_is_brought_up_to_date_with_its_data(paths: WorkspacePaths, version: int) -> None:
    steps = schema_steps()
    paths.root.mkdir()
    connection = sqlite3.connect(paths.database)
    for number, _name, sql in steps:
        if number <= version:
            connection.executescript(sql)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT INTO event (at, level, message) VALUES (1, 'info', 'kept')")
    connection.commit()
    connection.close()
    async with Database.open(paths) as database:
        assert (await database.read("PRAGMA user_version"))[0][0] == steps[-1][0]
        assert (await database.read("SELECT message FROM event"))[0]["message"] == "kept"
    backups = list(paths.backups.iterdir()) if paths.backups.exists() else []
    assert bool(backups) == (version < steps[-1][0])


async def test_migration_backs_the_old_file_up_first(paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Database.open(paths) as database, database.write() as transaction:
        await transaction.execute("INSERT INTO event (at, level, message) VALUES (1, 'info', 'kept')")
    steps = schema_steps()
    newer = (steps[-1][0] + 1, "next.sql", "ALTER TABLE event ADD COLUMN extra TEXT;")
    monkeypatch.setattr("vqa_tui.store.migrating.schema_steps", lambda: [*steps, newer])
    async with Database.open(paths) as database:
        row = await database.read_one("SELECT message, extra FROM event")
        assert row is not None and tuple(row) == ("kept", None)
    (backup,) = paths.backups.iterdir()
    connection = sqlite3.connect(backup)
    assert connection.execute("SELECT message FROM event").fetchone() == ("kept",)
    assert connection.execute("PRAGMA user_version").fetchone() == (steps[-1][0],)
    connection.close()


async def test_a_migration_that_fails_changes_nothing(paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Database.open(paths):
        pass
    steps = schema_steps()
    broken = (steps[-1][0] + 1, "next.sql", "CREATE TABLE extra (a TEXT) STRICT;\nCREATE TABLE event (a TEXT);\n")
    monkeypatch.setattr("vqa_tui.store.migrating.schema_steps", lambda: [*steps, broken])
    with pytest.raises(VqaError, match="already exists"):
        async with Database.open(paths):
            pass
    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (steps[-1][0],)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    connection.close()


def test_the_nearest_mount_decides_the_file_system(tmp_path: Path) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n"
    assert file_system_of(tmp_path / "a", mounts) == "nfs4"
    assert file_system_of(tmp_path.parent, mounts) == "ext4"


async def test_a_network_file_system_is_refused_with_the_reason(
    paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.store.db.file_system_of", lambda path: "nfs4")
    with pytest.raises(VqaError, match="network file system"):
        async with Database.open(paths):
            pass


async def test_queries_read_together_see_one_state_and_leave_nothing_open(tmp_path: Path) -> None:
    paths = WorkspacePaths(tmp_path / ".vqa")
    async with Database.open(paths) as database:
        first, second = await database.read_together(("SELECT 1 AS n", ()), ("SELECT ? AS n", (2,)))
        assert [first[0]["n"], second[0]["n"]] == [1, 2]
        with pytest.raises(StoreTrouble, match="cannot read"):
            await database.read_together(("SELECT 1", ()), ("SELECT * FROM nowhere", ()))
        async with database.write() as transaction:
            await transaction.execute("UPDATE attempt_floor SET id = 7")
        assert (await database.read_together(("SELECT id FROM attempt_floor", ())))[0][0]["id"] == 7
