"""A workspace of an older schema is brought up to date with everything that it holds."""

import json
import sqlite3
from contextlib import closing

import pytest

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import EditVerb, TakenBack
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, Purpose, TaskOutcome
from vqa_tui.paths import WorkspacePaths
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store import migrating
from vqa_tui.store.db import Database
from vqa_tui.store.migrating import schema_steps
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import move_tasks, take_back
from vqa_tui.store.run_deletion import deleted_runs, list_deleted_runs

_OLD_LIMITS = '{"budget_usd":"2.50","concurrency":8,"max_attempts":4,"requests_per_minute":{"main":60}}'


@pytest.fixture
def old_workspace(paths: WorkspacePaths) -> WorkspacePaths:
    """A workspace as the first schema wrote it: one run, one answered and one rate-limited attempt."""
    paths.root.mkdir(mode=0o700, parents=True)
    connection = sqlite3.connect(paths.database)
    connection.executescript(schema_steps()[0][2])
    connection.executescript(
        f"""
        PRAGMA user_version = 1;
        INSERT INTO dataset VALUES (1, 'bags', 'folder', '/x', '/x', 0, 0);
        INSERT INTO item VALUES (1, 1, 'a.jpg', 'a.jpg', 'JPEG', 64, 48, 100, 'f', 1, 0, NULL, '{{}}');
        INSERT INTO item VALUES (2, 1, 'b.jpg', 'b.jpg', 'JPEG', 64, 48, 100, 'g', 1, 0, NULL, '{{}}');
        INSERT INTO run (id, name, dataset_id, recipe_name, endpoint_name, model, recipe, endpoint, config_sha256,
          pilot_size, created_at, limits) VALUES (1, 'run', 1, 'caption', 'e', 'm', '{{}}', '{{}}', 'h', 0, 0,
          '{_OLD_LIMITS}');
        INSERT INTO run_state (run_id) VALUES (1);
        INSERT INTO session VALUES (1, 1, 1, 0, 1, 'lost');
        INSERT INTO task (id, run_id, item_id, status, finished_at, attempts, attempts_spent)
          VALUES (1, 1, 1, 'done', 5, 2, 1);
        INSERT INTO task (id, run_id, item_id) VALUES (2, 1, 2);
        INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, kind)
          VALUES (1, 1, 1, 1, 'main', 1, 'rate_limited');
        INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, latency_ms, kind, input_tokens,
          output_tokens, cost_nano) VALUES (1, 1, 2, 1, 'main', 2, 800, 'ok', 900, 30, 3000);
        INSERT INTO metric VALUES (1, 5, 1, 1, 0, 1, 8, 1, 900, 30, 3000, 800, 800);
        """
    )
    connection.close()
    return paths


async def test_nothing_that_an_older_workspace_holds_is_lost(old_workspace: WorkspacePaths) -> None:
    async with Database.open(old_workspace) as database:
        (version,) = await database.read("PRAGMA user_version")
        assert version[0] == schema_steps()[-1][0]
        attempts = await database.read("SELECT number, kind, purpose, cost_nano FROM attempt ORDER BY number")
        assert [tuple(row) for row in attempts] == [(1, "rate_limited", "ask", 0), (2, "ok", "ask", 3000)]
        (tally,) = await database.read("SELECT * FROM attempt_tally WHERE kind = 'ok'")
        assert (tally["n"], tally["input_tokens"], tally["cost_nano"], tally["compared_n"]) == (1, 900, 3000, 0)
        assert tally["cost_squares"] == 9.0
        (metric,) = await database.read("SELECT done, sent_bytes, throttle_slots FROM metric")
        assert tuple(metric) == (1, 0, None)
        assert [row["pictures"] for row in await database.read("SELECT pictures FROM item")] == [1, 1]
    assert list(old_workspace.backups.glob("schema-1-*.db"))


async def test_what_older_deleted_runs_had_cost_is_unknown_where_requests_had_cost_nothing(
    old_workspace: WorkspacePaths,
) -> None:
    with closing(sqlite3.connect(old_workspace.database)) as connection:
        for version, _name, sql in schema_steps()[1:20]:
            connection.executescript(f"{sql}; PRAGMA user_version = {version};")
        connection.executemany(
            "INSERT INTO deleted_run (id, name, dataset, recipe_name, endpoint_name, model, created_at, deleted_at, "
            "who, pictures, attempts, pairs, spent_nano, uncertain_nano) "
            "VALUES (?, 'gone', 'bags', 'caption', 'e', 'm', 0, 1, 'me', 5, ?, 0, ?, ?)",
            [(7, 129, 0, 0), (8, 3, 4_000, 0), (9, 3, 0, 4_000), (10, 0, 0, 0)],
        )
        connection.commit()
    async with Database.open(old_workspace) as database:
        assert {run.id: run.price_known for run in await list_deleted_runs(database)} == {
            7: False, 8: True, 9: True, 10: True,
        }  # fmt: skip
        assert (await deleted_runs(database)).unpriced == 1


async def test_an_older_run_goes_on_and_its_sums_go_on_with_it(old_workspace: WorkspacePaths) -> None:
    async with Database.open(old_workspace) as database:
        queue = TaskQueue(database, 1, 1)
        (task,) = await queue.claim(5, now=10, pilot_only=False)
        usage = Usage(1000, 50, cached_input_tokens=400, image_tokens=258)
        attempt = AttemptRecord("main", 9.0, 700.0, "ok", usage=usage, cost_nano=4000, estimated_input_tokens=950)
        second = AttemptRecord("main", 9.5, 300.0, "ok", usage=usage, cost_nano=1000, purpose=Purpose.HEDGE)
        await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, attempt, spends_attempt=True, hedge=second)])
        (tally,) = await database.read("SELECT * FROM attempt_tally WHERE kind = 'ok'")
        assert (tally["n"], tally["cost_nano"], tally["cached_input_tokens"], tally["image_tokens"]) == (
            3,
            8000,
            800,
            516,
        )
        assert (tally["compared_n"], tally["estimated_input_tokens"], tally["compared_input_tokens"]) == (1, 950, 1000)
        assert (tally["compared_output_tokens"], tally["cost_squares"]) == (50, 9.0 + 16.0 + 1.0)
        rows = await database.read("SELECT number, purpose FROM attempt WHERE task_id = ? ORDER BY number", (task.id,))
        assert [tuple(row) for row in rows] == [(1, "ask"), (2, "hedge")]


async def test_pictures_of_an_older_run_can_be_asked_again_and_followed(old_workspace: WorkspacePaths) -> None:
    async with Database.open(old_workspace) as database:
        rows = await database.read("SELECT changes, max_tokens, max_side FROM task JOIN attempt ON task_id = task.id")
        assert {tuple(row) for row in rows} == {("{}", None, None)}
        assert [row["follows"] for row in await database.read("SELECT follows FROM run")] == [None]
        assert await move_tasks(database, 1, EditVerb.AGAIN, who="x", ids=[1, 2], changes=TaskChanges(4000, 512)) == {
            TaskStatus.DONE: 1
        }
        queue = TaskQueue(database, 1, 1)
        changed = {task.id: task.changes for task in await queue.claim(5, now=10, pilot_only=False)}
        assert changed == {1: TaskChanges(4000, 512), 2: TaskChanges()}


async def test_edits_of_an_older_workspace_can_still_be_taken_back(old_workspace: WorkspacePaths) -> None:
    connection = sqlite3.connect(old_workspace.database)
    for version, _name, sql in schema_steps()[1:8]:
        connection.executescript(f"{sql}; PRAGMA user_version = {version};")
    connection.executescript(
        """
        UPDATE task SET status = 'skipped', finished_at = 9 WHERE id = 2;
        INSERT INTO edit (id, run_id, at, who, verb, tasks) VALUES (7, 1, 9, 'ada', 'skip', 1);
        INSERT INTO edit_task VALUES (7, 2, 'pending', 0, 0, 0, NULL, 0, 9, '{}');
        """
    )
    connection.close()
    async with Database.open(old_workspace) as database:
        undone = await take_back(database, 1, who="ada")
        assert undone == (TakenBack(EditVerb.SKIP, 1, 1), frozenset({TaskStatus.PENDING}))
        assert await database.read("PRAGMA foreign_key_check") == []
        # The rows of an edit go with it as before.
        async with database.write() as transaction:
            await transaction.execute("DELETE FROM edit")
        assert await database.read("SELECT * FROM edit_task") == []


async def test_nothing_is_brought_up_to_date_under_an_engine(old_workspace: WorkspacePaths) -> None:
    connection = sqlite3.connect(old_workspace.database)
    connection.execute("UPDATE session SET ended_at = NULL, pid = 4711")
    connection.commit()
    connection.close()
    async with ProcessLock(old_workspace.run_lock(1)):
        with pytest.raises(VqaError, match="an older vqa-tui is at work on run run") as refused:
            async with Database.open(old_workspace):
                pass
        assert refused.value.hint and "`kill 4711`" in refused.value.hint
    assert not old_workspace.backups.exists()
    connection = sqlite3.connect(old_workspace.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    async with Database.open(old_workspace) as database:
        (version,) = await database.read("PRAGMA user_version")
        assert version[0] == schema_steps()[-1][0]
        # Up to date, it is opened whoever is at work.
        async with ProcessLock(old_workspace.run_lock(1)), Database.open(old_workspace):
            pass


async def test_an_engine_that_came_while_the_copy_was_made_is_not_overlooked(
    old_workspace: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([[], [1]])
    monkeypatch.setattr(migrating, "runs_at_work", lambda _paths: next(looks))
    with pytest.raises(VqaError, match="an older vqa-tui is at work on run run"):
        async with Database.open(old_workspace):
            pass
    connection = sqlite3.connect(old_workspace.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


async def test_older_follow_ups_stay_runs_of_chosen_pictures(old_workspace: WorkspacePaths) -> None:
    """Also one whose followed run is gone: the log of actions knows it."""
    connection = sqlite3.connect(old_workspace.database)
    for version, _name, sql in schema_steps():
        if 1 < version < 10:
            connection.executescript(sql)
    run = (
        "INSERT INTO run (id, name, dataset_id, recipe_name, endpoint_name, model, recipe, endpoint, config_sha256, "
        "pilot_size, created_at, limits, follows) VALUES ({0}, 'r{0}', 1, 'caption', 'e', 'm', '{{}}', '{{}}', 'h', 0, "
        "0, '{{}}', {1});"
    )
    connection.executescript(
        f"{run.format(2, 1)} {run.format(3, 'NULL')} PRAGMA user_version = 9;"
        "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (3, 0, 'me', 'follow', '', '');"
    )
    connection.close()
    async with Database.open(old_workspace) as database:
        rows = await database.read("SELECT id, of_chosen FROM run ORDER BY id")
        assert [tuple(row) for row in rows] == [(1, 0), (2, 1), (3, 1)]


async def test_tasks_of_older_runs_are_the_one_request_about_their_picture(old_workspace: WorkspacePaths) -> None:
    connection = sqlite3.connect(old_workspace.database)
    for version, _name, sql in schema_steps():
        if 1 < version < 13:
            connection.executescript(f"{sql}; PRAGMA user_version = {version};")
    for number in range(3, 9):
        connection.execute(
            "INSERT INTO item SELECT ?, dataset_id, ?, path, format, width, height, size_bytes, sha256, orientation, "
            "modified_ns, split, truth FROM item WHERE id = 1",
            (number, f"{number}.jpg"),
        )
    connection.executescript(
        """
        INSERT INTO failure_cluster (id, run_id, kind, form) VALUES (5, 1, 'refused', 'no');
        INSERT INTO session (id, run_id, pid, started_at) VALUES (2, 1, 1, 5);
        INSERT INTO task (id, run_id, item_id, status, lease, pilot) VALUES (30, 1, 3, 'leased', 2, 1);
        INSERT INTO task (id, run_id, item_id, status, finished_at, changes) VALUES (31, 1, 4, 'skipped', 7, '{"a":1}');
        INSERT INTO task (id, run_id, item_id, not_before, requeued_after) VALUES (32, 1, 5, 99, 3);
        INSERT INTO task (id, run_id, item_id) VALUES (33, 1, 6);
        UPDATE task SET status = 'failed', finished_at = 8, last_kind = 'refused', last_problem = 'no', cluster_id = 5
          WHERE id = 33;
        INSERT INTO sample (run_id, task_id, ordinal, question, answer) VALUES (1, 1, 0, 'q', 'a');
        """
    )
    connection.commit()
    before = connection.execute("SELECT * FROM task ORDER BY id").fetchall()
    tallies = connection.execute("SELECT * FROM tally ORDER BY status").fetchall()
    columns = [row[1] for row in connection.execute("PRAGMA table_info(task)")]
    connection.close()
    async with Database.open(old_workspace) as database:
        rows = await database.read(f"SELECT {', '.join(columns)} FROM task ORDER BY id")
        assert [tuple(row) for row in rows] == before and len(before) == 6
        assert [tuple(row) for row in await database.read("SELECT * FROM tally ORDER BY status")] == tallies
        assert {tuple(row) for row in await database.read("SELECT part, parts FROM task")} == {(0, 1)}
        assert [row["parts"] for row in await database.read("SELECT parts FROM run")] == [1]
        assert await database.read("PRAGMA foreign_key_check") == []
        # Counts go on with the tasks, and what hangs on a task goes with it.
        queue = TaskQueue(database, 1, 2)
        assert [task.id for task in await queue.claim(9, now=10, pilot_only=False)] == [2]
        async with database.write() as transaction:
            await transaction.execute("UPDATE task SET status = 'pending', finished_at = NULL WHERE id = 33")
            await transaction.execute("DELETE FROM task WHERE id = 1")
        assert [row["tasks"] for row in await database.read("SELECT tasks FROM failure_cluster")] == [0]
        assert await database.read("SELECT * FROM sample") == []
        counts = await database.read("SELECT status, sum(n) AS n FROM tally GROUP BY status HAVING sum(n) > 0")
        assert {row["status"]: row["n"] for row in counts} == {"leased": 2, "pending": 2, "skipped": 1}
        with pytest.raises(VqaError, match="UNIQUE"):
            async with database.write() as transaction:
                await transaction.execute("INSERT INTO task (run_id, item_id, part, parts) VALUES (1, 3, 0, 2)")
        async with database.write() as transaction:
            await transaction.execute("INSERT INTO task (run_id, item_id, part, parts) VALUES (1, 3, 1, 2)")


async def test_further_pictures_of_older_items_count_for_the_size_of_their_dataset(
    old_workspace: WorkspacePaths,
) -> None:
    connection = sqlite3.connect(old_workspace.database)
    for version, _name, sql in schema_steps():
        if 1 < version < 20:
            connection.executescript(f"{sql}; PRAGMA user_version = {version};")
    further = json.dumps({"further": [{"path": "c.jpg", "facts": {"size_bytes": size}} for size in (30, 7)]})
    connection.execute("UPDATE item SET truth = ?, pictures = 3 WHERE id = 2", (further,))
    connection.commit()
    connection.close()
    async with Database.open(old_workspace) as database:
        assert [row["further_bytes"] for row in await database.read("SELECT further_bytes FROM item")] == [0, 37]
        assert [row["size_bytes"] for row in await database.read("SELECT size_bytes FROM item_tally")] == [237]
        async with database.write() as transaction:
            await transaction.execute("UPDATE item SET further_bytes = 40, size_bytes = 110 WHERE id = 2")
            await transaction.execute("DELETE FROM task WHERE item_id = 1")
            await transaction.execute("DELETE FROM item WHERE id = 1")
        assert [row["size_bytes"] for row in await database.read("SELECT size_bytes FROM item_tally")] == [150]
