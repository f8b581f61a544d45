"""Runs are made in short transactions, and nobody sees one before it is whole: not even after kill -9 of its maker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from vqa_tui.domain.changes import UNCHANGED
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.operations import dataset_edits
from vqa_tui.operations.planning import RunRequest, create_run, plan_run
from vqa_tui.operations.run_edits import finish_deletions, list_deleted_runs
from vqa_tui.operations.runs import find_run, list_runs
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import runs
from vqa_tui.store.db import Database
from vqa_tui.store.follow_ups import create_follow_up
from vqa_tui.store.pace import MOST_TASKS_AT_ONCE, Pace
from vqa_tui.store.run_creation import NewRun

PICTURES = 3_000
REQUEST = RunRequest("bags", "caption", "embedded", name="first", pilot=0, yes=True)

# Stops for ever after the first piece of its first run.
_MAKER = """
import asyncio, sys
from pathlib import Path
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.store.pace import Pace

async def rest(self, took_s):
    print("stored a piece", flush=True)
    await asyncio.sleep(600)

async def make():
    Pace.rest = rest
    async with open_workspace(Path(sys.argv[1])) as workspace:
        await create_run(workspace, RunRequest("bags", "caption", "embedded", name="first", pilot=0, yes=True))

asyncio.run(make())
"""


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with a dataset of records only: nothing here opens a picture."""
    async with open_workspace(tmp_path / "work") as opened:
        async with opened.db.write() as transaction:
            await transaction.execute(
                "INSERT INTO dataset (id, name, kind, root, source, created_at, imported_at) "
                "VALUES (1, 'bags', 'folder', '/x', '/x', 0, 0)"
            )
            await transaction.execute_many(
                "INSERT INTO item (dataset_id, key, path, format, width, height, size_bytes, sha256, orientation, "
                "modified_ns, truth) VALUES (1, ?, ?, 'JPEG', 64, 48, 100, ?, 1, 0, '{}')",
                [(f"{number:06}.jpg", f"{number:06}.jpg", f"{number:064}") for number in range(PICTURES)],
            )
        yield opened


@pytest.fixture
def maker(workspace: Workspace) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that has stored the first piece of the run `first` and holds still."""
    folder = str(workspace.paths.root.parent)
    process = subprocess.Popen([sys.executable, "-c", _MAKER, folder], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None and process.stdout.readline() == b"stored a piece\n"
        yield process
        process.kill()


def kill(maker: "subprocess.Popen[bytes]") -> None:
    os.kill(maker.pid, signal.SIGKILL)
    maker.wait()


async def number_of(database: Database, table: str) -> int:
    (row,) = await database.read(f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])


async def unbroken(database: Database, run_id: int) -> bool:
    (row,) = await database.read(
        "SELECT max(id) - min(id) + 1 = count(*) AS unbroken FROM task WHERE run_id = ?", (run_id,)
    )
    return bool(row["unbroken"])


async def test_nobody_sees_a_run_while_it_is_made_and_nobody_can_take_its_name(
    workspace: Workspace, maker: "subprocess.Popen[bytes]"
) -> None:
    stored = await number_of(workspace.db, "task")
    assert 0 < stored < PICTURES
    assert await list_runs(workspace) == []
    with pytest.raises(VqaError, match="there is no run 'first'"):
        await find_run(workspace, "first")
    (row,) = await workspace.db.read("SELECT id FROM run")
    assert await runs.frozen_run(workspace.db, row["id"]) is None
    with pytest.raises(VqaError, match="there is no run"):
        await runs.begin_session(workspace.db, row["id"], 1)
    with pytest.raises(VqaError, match="there is already a run named first"):
        await plan_run(workspace, REQUEST)
    # Its maker lives: nothing of it goes, nor the dataset that it needs.
    assert await finish_deletions(workspace) == 0
    assert await number_of(workspace.db, "task") == stored
    with pytest.raises(VqaError, match="first"):
        await dataset_edits.delete_dataset(workspace, "bags")


async def test_a_killed_maker_leaves_no_run_and_its_rows_go_at_the_next_opening(
    workspace: Workspace, maker: "subprocess.Popen[bytes]"
) -> None:
    kill(maker)
    assert await list_runs(workspace) == []
    assert await number_of(workspace.db, "task") > 0
    assert await finish_deletions(workspace) == 1
    for table in ("task", "run", "run_state", "unfinished_run"):
        assert await number_of(workspace.db, table) == 0, table
    (gone,) = await list_deleted_runs(workspace)
    assert (gone.name, gone.attempts) == ("first", 0)
    assert await finish_deletions(workspace) == 0


async def test_after_a_killed_maker_the_same_run_can_be_made_at_once(
    workspace: Workspace, maker: "subprocess.Popen[bytes]"
) -> None:
    kill(maker)
    await plan_run(workspace, REQUEST)
    run_id = await create_run(workspace, REQUEST)
    assert await find_run(workspace, "first") == run_id
    (row,) = await workspace.db.read("SELECT count(*) AS n FROM task WHERE run_id = ?", (run_id,))
    assert row["n"] == PICTURES and await unbroken(workspace.db, run_id)
    assert await finish_deletions(workspace) == 1
    assert await number_of(workspace.db, "task") == PICTURES


async def test_others_write_between_the_pieces_of_a_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine at work gets its turn: no transaction stores more than a piece."""
    pieces: list[int] = []
    stored = 0
    rest = Pace.rest

    async def noted_rest(pace: Pace, took_s: float) -> None:
        nonlocal stored
        now = await number_of(other.db, "task")
        pieces.append(now - stored)
        stored = now
        await runs.add_event(other.db, first, "info", "written meanwhile")
        await rest(pace, took_s)

    first = await create_run(workspace, REQUEST)
    stored = PICTURES
    async with open_workspace(workspace.paths.root.parent) as other:
        monkeypatch.setattr(Pace, "rest", noted_rest)
        await create_run(workspace, RunRequest("bags", "caption", "embedded", name="second", pilot=0))
    assert pieces and max(pieces) <= MOST_TASKS_AT_ONCE // 4
    assert await number_of(workspace.db, "event") == len(pieces)


async def test_tasks_of_runs_that_are_made_at_once_do_not_mix(workspace: Workspace) -> None:
    async with open_workspace(workspace.paths.root.parent) as other:
        made = await asyncio.gather(
            create_run(workspace, REQUEST),
            create_run(other, RunRequest("bags", "caption", "embedded", name="second", pilot=0, limit=2_500)),
        )
    for run_id, pictures in zip(made, (PICTURES, 2_500), strict=True):
        (row,) = await workspace.db.read("SELECT count(*) AS n FROM task WHERE run_id = ?", (run_id,))
        assert row["n"] == pictures and await unbroken(workspace.db, run_id)


async def test_of_follow_ups_that_are_made_at_once_the_later_gives_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were pictures left to one that is being made, nobody would ask them when its maker is killed."""
    run_id = await create_run(workspace, REQUEST)
    ids = [row["id"] for row in await workspace.db.read("SELECT id FROM task WHERE run_id = ?", (run_id,))]
    stored_a_piece, go_on = asyncio.Event(), asyncio.Event()

    async def held_rest(self: Pace, took_s: float) -> None:
        stored_a_piece.set()
        await go_on.wait()

    async def follow(database: Database, name: str) -> tuple[int, int]:
        new = NewRun(name, 1, "caption", "other", "m-2", "{}", "{}", "1" * 64, 0, None, Limits(), True)
        return await create_follow_up(
            database, new, follows=run_id, ids=ids, statuses=(TaskStatus.PENDING,), changes=UNCHANGED
        )

    monkeypatch.setattr(Pace, "rest", held_rest)
    async with open_workspace(workspace.paths.root.parent) as other:
        earlier = asyncio.create_task(follow(workspace.db, "one"))
        await stored_a_piece.wait()
        with pytest.raises(VqaError, match="somebody else makes a run just now"):
            await follow(other.db, "two")
        go_on.set()
        new_id, count = await earlier
    assert count == PICTURES and await unbroken(workspace.db, new_id)
    assert await follow(workspace.db, "again") == (0, 0)
    assert await number_of(workspace.db, "unfinished_run") == 0
    (row,) = await workspace.db.read(
        "SELECT count(DISTINCT item_id) AS n FROM task WHERE run_id IN (SELECT id FROM run WHERE follows = ?)",
        (run_id,),
    )
    assert row["n"] == PICTURES
