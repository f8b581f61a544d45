"""Renaming, archiving and deleting runs of a real workspace: what is refused, what goes, and what must stay."""

import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, FLAGGED, SERVER, Workshop, opened_workshop
from vqa_tui import wiring
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.run import Intent, Phase
from vqa_tui.domain.work import Flight
from vqa_tui.operations.run_edits import (
    archive_run,
    delete_run,
    deleted_runs,
    finish_deletions,
    rename_run,
    run_contents,
    unarchive_run,
)
from vqa_tui.operations.runs import find_run, list_runs, run_view
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store import run_deletion, runs
from vqa_tui.store.db import Database
from vqa_tui.store.inflight import FlightJournal
from vqa_tui.store.quota_use import QuotaUse


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with opened_workshop(tmp_path, pictures=8) as made:
        yield made


async def rows_of(database: Database, run_id: int) -> dict[str, int]:
    """How many rows of every table belong to a run, counted one by one; empty tables are left out."""
    tables = await database.read(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = 'run_id'"
    )
    found = {}
    for table in tables:
        (row,) = await database.read(f"SELECT count(*) AS n FROM {table['name']} WHERE run_id = ?", (run_id,))
        if row["n"]:
            found[table["name"]] = row["n"]
    return found


async def actions(database: Database) -> list[tuple[object, ...]]:
    return [
        tuple(row) for row in await database.read("SELECT run_id, verb, old_value, new_value FROM action ORDER BY id")
    ]


async def test_a_run_gets_another_name_which_is_noted(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE])
    assert await rename_run(workshop.workspace, run_id, "second.try") == "first"
    assert await find_run(workshop.workspace, "second.try") == run_id
    assert (run_id, "rename", "first", "second.try") in await actions(workshop.workspace.db)


@pytest.mark.parametrize("name", ["", "a b", "-x", "12", "ä", "a" * 81, ":deleted:1", "other"])
async def test_a_name_that_cannot_be_one_or_is_taken_is_refused(workshop: Workshop, name: str) -> None:
    run_id = await workshop.run([DONE])
    await workshop.run([], name="other")
    with pytest.raises(VqaError):
        await rename_run(workshop.workspace, run_id, name)
    assert (await run_view(workshop.workspace, run_id)).name == "first"


async def test_an_archived_run_comes_back(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE])
    assert await archive_run(workshop.workspace, run_id)
    assert not await archive_run(workshop.workspace, run_id)
    (run,) = await list_runs(workshop.workspace)
    assert run.archived_at is not None and time.time() - run.archived_at < 60
    assert await unarchive_run(workshop.workspace, run_id)
    (run,) = await list_runs(workshop.workspace)
    assert run.archived_at is None


async def test_a_run_that_is_to_go_on_comes_back_into_sight(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE])
    await archive_run(workshop.workspace, run_id)
    for intent, archived in ((Intent.STOP, True), (Intent.RUN, False)):
        await runs.set_intent(workshop.workspace.db, run_id, intent, who="me")
        (run,) = await list_runs(workshop.workspace)
        assert (run.archived_at is not None) is archived


async def test_nothing_is_archived_or_deleted_under_an_engine(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE], phase=Phase.RUNNING)
    async with ProcessLock(workshop.workspace.paths.run_lock(run_id)):
        for edit in (archive_run, delete_run):
            with pytest.raises(VqaError, match=r"an engine is at work on run first(.|\n)*`vqa-tui run stop first`"):
                await edit(workshop.workspace, run_id)
    with pytest.raises(VqaError, match="lost its engine"):
        await archive_run(workshop.workspace, run_id)
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE run_state SET heartbeat_at = 1")
    async with ProcessLock(workshop.workspace.paths.run_lock(run_id)):
        with pytest.raises(VqaError, match="does not answer but is still there") as refusal:
            await delete_run(workshop.workspace, run_id)
        assert refusal.value.hint and "kill -9 1" in refusal.value.hint


async def test_what_goes_is_counted(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE, FLAGGED, BAD_REPLY, SERVER])
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE ordinal = 0 AND answer = 'x'")
    found = await run_contents(workshop.workspace, run_id)
    assert (found.pictures, found.attempts, found.pairs, found.verdicts) == (8, 4, 2, 1)
    assert found.spent == Decimal("0.000411") and found.paid


async def test_a_deleted_run_leaves_nothing_but_its_cost_and_an_action(workshop: Workshop) -> None:
    database, paths = workshop.workspace.db, workshop.workspace.paths
    run_id = await workshop.run([DONE, FLAGGED, BAD_REPLY])
    other = await workshop.run([DONE, DONE], name="other")
    before = await rows_of(database, other)
    async with database.write() as transaction:
        for at in range(5):
            await transaction.execute("INSERT INTO event (run_id, at, level, message) VALUES (?, ?, 'info', 'x')",
                                      (run_id, at))  # fmt: skip
            await transaction.execute(
                "INSERT INTO metric (run_id, at, session_id, done, failed, in_flight, slots, rate_limited, "
                "input_tokens, output_tokens, spent_nano) VALUES (?, ?, 1, 0, 0, 0, 0, 0, 0, 0, 0)",
                (run_id, at),
            )
    paths.run_folder(run_id).mkdir(parents=True, exist_ok=True)
    paths.run_log(run_id).write_text("words")
    told: list[tuple[int, int]] = []
    gone = await delete_run(
        workshop.workspace, run_id, words="3 requests, $0.000411", progress=lambda *n: told.append(n)
    )
    assert gone.attempts == 3 and told[-1] == (8, 8)
    left = await rows_of(database, run_id)
    assert set(left) == {"kept_request"}
    assert await rows_of(database, other) == before
    assert not await database.read("PRAGMA foreign_key_check")
    assert (await database.read("PRAGMA foreign_keys"))[0][0] == 1
    assert not paths.run_folder(run_id).exists()
    assert [run.name for run in await list_runs(workshop.workspace)] == ["other"]
    with pytest.raises(VqaError, match="there is no run"):
        await run_view(workshop.workspace, run_id)
    assert (None, "delete run first", "3 requests, $0.000411", "") in await actions(database)
    deleted = await deleted_runs(workshop.workspace)
    assert (deleted.runs, deleted.spent) == (1, Decimal("0.000411"))
    (row,) = await database.read("SELECT * FROM deleted_run")
    assert row["finished_at"] is not None and row["pairs"] == 2 and row["dataset"] == "bags"


async def test_name_and_number_of_a_deleted_run(workshop: Workshop) -> None:
    """The name is free again; the numbers of a run and of its attempts are not, since others may still hold them."""
    database = workshop.workspace.db
    run_id = await workshop.run([DONE, DONE])
    (newest,) = await database.read("SELECT max(id) AS id FROM attempt")
    await delete_run(workshop.workspace, run_id)
    again = await workshop.run([DONE])
    assert again > run_id
    assert (await run_view(workshop.workspace, again)).name == "first"
    (first,) = await database.read("SELECT min(id) AS id FROM attempt")
    assert first["id"] > newest["id"]


async def test_a_quota_counts_what_a_deleted_run_used(workshop: Workshop) -> None:
    database, paths = workshop.workspace.db, workshop.workspace.paths
    await workshop.run([DONE, DONE, SERVER])
    run_id = await workshop.run([], name="next")
    use = QuotaUse(database, run_id, "embedded", paths.run_flight_journal)
    now = time.time()
    before = await use.before(now, now - 5_000)
    await delete_run(workshop.workspace, await find_run(workshop.workspace, "first"))
    (after,) = await QuotaUse(database, run_id, "embedded", paths.run_flight_journal).before(now, now - 5_000)
    assert [after] == before
    assert after.of_today == 3 and RequestSize(900, 30) in [size for _at, size in after.newest]
    assert await QuotaUse(database, run_id, "gemini", paths.run_flight_journal).before(now, now - 5_000) == []


async def test_what_no_quota_counts_any_more_is_dropped(workshop: Workshop) -> None:
    database = workshop.workspace.db
    for name in ("first", "second"):
        run_id = await workshop.run([DONE, DONE], name=name)
        old = time.time() - run_deletion.KEPT_S - 1
        async with database.write() as transaction:
            await transaction.execute("UPDATE attempt SET started_at = ? WHERE run_id = ? AND id % 2", (old, run_id))
        await delete_run(workshop.workspace, run_id)
        assert (await database.read("SELECT count(*) AS n FROM kept_request WHERE run_id = ?", (run_id,)))[0]["n"] == 1
        async with database.write() as transaction:
            await transaction.execute("UPDATE kept_request SET started_at = ?", (old,))
    await run_deletion.drop_uncounted(database)
    assert not await database.read("SELECT 1 FROM kept_request")


async def test_requests_that_a_killed_engine_had_in_flight_are_booked(workshop: Workshop) -> None:
    database, paths = workshop.workspace.db, workshop.workspace.paths
    run_id = await workshop.run([DONE], phase=Phase.RUNNING)
    (task,) = await database.read("SELECT max(id) AS id FROM task WHERE run_id = ?", (run_id,))
    journal = FlightJournal(paths.run_flight_journal(run_id))
    at = time.time() - 2
    journal.enter(Flight(task["id"], at, 5_000, "main", size=RequestSize(700, 40)))
    journal.close()
    await delete_run(workshop.workspace, run_id)
    (row,) = await database.read("SELECT attempts, spent_nano, uncertain_nano FROM deleted_run")
    assert tuple(row) == (2, 137_000, 5_000)
    kept = await database.read("SELECT kind, input_tokens FROM kept_request ORDER BY kind")
    assert [tuple(each) for each in kept] == [("lost", 700), ("ok", 900)]


async def test_a_run_is_not_deleted_while_another_engine_may_not_have_counted_it(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE])
    other = await workshop.run([], name="other", phase=Phase.RUNNING)
    async with ProcessLock(workshop.workspace.paths.run_lock(other)):
        with pytest.raises(VqaError, match="which run other draws on now") as refusal:
            await delete_run(workshop.workspace, run_id)
        assert refusal.value.hint and refusal.value.hint.startswith("It can be deleted after ")
        async with workshop.workspace.db.write() as transaction:
            await transaction.execute(
                "UPDATE run_state SET heartbeat_at = ? WHERE run_id = ?", (time.time() - 121, run_id)
            )
        await delete_run(workshop.workspace, run_id)
    assert [run.name for run in await list_runs(workshop.workspace)] == ["other"]


async def test_a_deletion_that_was_broken_off_is_finished_later(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = workshop.workspace.db
    run_id = await workshop.run([DONE] * 6)

    def stop(done: int, _of: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(run_deletion, "_LEAST_TASKS", 1)
    with pytest.raises(KeyboardInterrupt):
        await delete_run(workshop.workspace, run_id, progress=stop)
    assert await list_runs(workshop.workspace) == []
    assert (await rows_of(database, run_id))["task"] > 0
    same_name = await workshop.run([DONE])
    assert await finish_deletions(workshop.workspace) == 1
    assert set(await rows_of(database, run_id)) == {"kept_request"}
    assert (await rows_of(database, run_id))["kept_request"] == 6
    assert await finish_deletions(workshop.workspace) == 0
    assert [run.id for run in await list_runs(workshop.workspace)] == [same_name]


async def test_a_deletion_that_another_process_works_on_is_left_alone(workshop: Workshop) -> None:
    run_id = await workshop.run([DONE])
    await run_deletion.mark_deleted(workshop.workspace.db, run_id, who="me", words="", flights=[])
    async with ProcessLock(workshop.workspace.paths.run_lock(run_id)):
        assert await finish_deletions(workshop.workspace) == 0
    assert await finish_deletions(workshop.workspace) == 1


async def test_an_engine_that_waited_while_its_run_was_deleted_does_not_work_on_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await workshop.run([DONE])

    class Late(ProcessLock):
        async def acquire(self, *, patience_s: float = 2.0) -> None:
            await run_deletion.mark_deleted(workshop.workspace.db, run_id, who="me", words="", flights=[])
            await super().acquire(patience_s=patience_s)

    monkeypatch.setattr(wiring, "ProcessLock", Late)
    monkeypatch.setattr(wiring, "_log_to_stderr", lambda: None)
    monkeypatch.setattr(wiring, "_allow_many_files", lambda: None)
    sessions = await workshop.workspace.db.read("SELECT count(*) FROM session")
    with pytest.raises(VqaError, match="run first was deleted"):
        await wiring.run_engine(workshop.workspace.paths, run_id)
    assert await workshop.workspace.db.read("SELECT count(*) FROM session") == sessions
    with pytest.raises(VqaError, match=f"there is no run {run_id}"):
        await wiring.run_engine(workshop.workspace.paths, run_id)
