"""A full disk, a file that nobody may write, a strange lock, a clock that jumps, an engine that stands still."""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Stage
from vqa_tui.domain.run import EngineState, Phase
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import resume_run

_ROOM_BYTES = 700_000
"""More than the flight journal, which the engine lays out when it starts, and less than the results of a run."""

_BY_A_CLOCK = """
import pathlib, sys, time
ahead, real = pathlib.Path(sys.argv.pop(1)), time.time
time.time = lambda: real() + float(ahead.read_text())
from vqa_tui.__main__ import main
main()
"""
"""A program whose wall clock is ahead by the seconds that stand in a file, at any moment."""


async def engine_of(
    stage: Stage,
    run_id: int,
    *,
    before: Sequence[str] = (),
    program: Sequence[str] = ("-m", "vqa_tui"),
    limit: Callable[[], None] | None = None,
) -> asyncio.subprocess.Process:
    """Start an engine by hand, behind the program `before`, under a `limit` of the system."""
    return await asyncio.create_subprocess_exec(
        *before, sys.executable, "-P", *program, "engine", str(run_id),
        "--workspace", str(stage.workspace.paths.root),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        preexec_fn=limit, start_new_session=True,
    )  # fmt: skip


async def nothing_is_lost_or_twice(stage: Stage, pictures: int) -> None:
    assert await stage.column("SELECT count(*) FROM attempt WHERE kind = 'ok'") == [pictures]
    assert await stage.column("SELECT count(DISTINCT task_id) FROM sample") == [pictures]
    assert await stage.column("SELECT task_id FROM sample GROUP BY task_id, ordinal HAVING count(*) > 1") == []


async def test_a_full_disk_keeps_paid_replies_in_memory_until_there_is_room(stage: Stage) -> None:
    """A limit on the size of files stands for the disk: what the engine writes beyond it is refused by the kernel."""
    dataset = await stage.pictures(400)
    run_id = await create_run(
        stage.workspace, RunRequest(dataset, "general-vqa", stage.endpoint(), pilot=0, concurrency=8)
    )

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM_BYTES, resource.RLIM_INFINITY))

    engine = await engine_of(stage, run_id, limit=little_room)
    try:
        view = await stage.until(run_id, lambda view: "wait in memory" in view.why_idle)
        assert "trying again" in view.why_idle and view.engine.state is EngineState.ALIVE
        assert view.counts.failed == 0 and view.counts.done < 400
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        view = await stage.until_ended(run_id)
        assert await engine.wait() == 0
    finally:
        if engine.returncode is None:
            engine.kill()
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 400, 0)
    # Every reply that came while nothing could be stored is there: nothing was asked again for it.
    assert await stage.column("SELECT count(*) FROM attempt") == [400]
    await nothing_is_lost_or_twice(stage, 400)


async def test_a_lock_that_a_stranger_holds_is_told_and_waited_for(stage: Stage) -> None:
    dataset = await stage.pictures(200)
    endpoint = stage.endpoint(latency_ms=60)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=0, concurrency=8))
    await stage.until_done(run_id, 10)
    stranger = sqlite3.connect(stage.workspace.paths.database, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    try:
        view = await stage.until(run_id, lambda view: "another program has locked the workspace file" in view.why_idle)
        assert view.engine.state is EngineState.ALIVE and view.counts.done < 200
    finally:
        stranger.execute("ROLLBACK")
        stranger.close()
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 200)
    assert await stage.column("SELECT count(*) FROM attempt") == [200]
    await nothing_is_lost_or_twice(stage, 200)


async def test_a_file_that_nobody_may_write_is_refused_in_words_and_nothing_is_asked(stage: Stage) -> None:
    run_id = await create_run(
        stage.workspace, RunRequest(await stage.pictures(5), "caption", stage.endpoint(), pilot=0)
    )
    before: list[str] = []
    if os.geteuid() == 0:
        # File modes do not bind root; without these capabilities they do.
        if shutil.which("setpriv") is None:
            pytest.skip("root may write any file, and there is no setpriv")
        before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    files = [path for path in stage.workspace.paths.database.parent.iterdir() if path.name.startswith("vqa.db")]
    for path in files:
        path.chmod(0o444)
    try:
        engine = await engine_of(stage, run_id, before=before)
        said, _ = await engine.communicate()
    finally:
        for path in files:
            path.chmod(0o600)
    assert engine.returncode != 0 and b"Traceback" not in said
    assert b"readonly" in said or b"read-only" in said, said
    assert await stage.column("SELECT count(*) FROM attempt") == [0]
    await resume_run(stage.workspace, run_id)
    assert (await stage.until_ended(run_id)).counts.done == 5


async def test_a_clock_that_jumps_ahead_and_back_loses_nothing_and_puts_nothing_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set a day ahead and then far back, for everybody on this computer, while retries are due."""
    ahead, real = stage.folder / "ahead", time.time

    def set_clock(seconds: float) -> None:
        written = Path(f"{ahead}.new")
        written.write_text(str(seconds))
        written.replace(ahead)

    set_clock(0)
    monkeypatch.setattr(time, "time", lambda: real() + float(ahead.read_text()))
    endpoint = stage.endpoint(latency_ms=80, fail={"500": 0.08}, seed=5)
    request = RunRequest(await stage.pictures(200), "caption", endpoint, pilot=0, concurrency=8)
    run_id = await create_run(stage.workspace, request)
    engine = await engine_of(stage, run_id, program=("-c", _BY_A_CLOCK, str(ahead)))
    try:
        for done, seconds in ((20, 86_400.0), (70, -7200.0), (120, 3.0)):
            view = await stage.until_done(run_id, done)
            assert view.counts.finished < 200
            set_clock(seconds)
        view = await stage.until_ended(run_id)
        assert await engine.wait() == 0
    finally:
        if engine.returncode is None:
            engine.kill()
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 200, 0)
    assert view.attempt_failures["server"] > 0
    # Nobody took the jump for a sleep, a latency or a reason to wait; retries come after a minute at the most.
    assert not any("stood still" in event.message for event in view.events), view.events
    (slowest,) = await stage.column("SELECT max(latency_ms) FROM attempt")
    assert 0 < float(str(slowest)) < 60_000
    assert await stage.column("SELECT count(*) FROM session") == [1]
    await nothing_is_lost_or_twice(stage, 200)


async def test_an_engine_that_stands_still_asks_again_what_was_under_way(stage: Stage) -> None:
    """As a computer that sleeps does to it; the requests under way have died of old age when it wakes."""
    dataset = await stage.pictures(24)
    timeouts = {"connect_s": 2, "first_byte_s": 4, "total_s": 4}
    endpoint = stage.endpoint(latency_ms=700, latency_spread=0, timeouts=timeouts)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=0, concurrency=16))
    view = await stage.until(run_id, lambda view: view.counts.done >= 1 and len(view.in_flight) >= 3)
    assert view.engine.pid is not None
    os.kill(view.engine.pid, signal.SIGSTOP)
    try:
        # Longer than the shortest standstill that the engine takes for one, and than a request may take.
        await asyncio.sleep(6)
    finally:
        os.kill(view.engine.pid, signal.SIGCONT)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 24, 0)
    assert any("stood still" in event.message for event in view.events), view.events
    assert await stage.column("SELECT max(attempts_spent) FROM task") == [1]
    assert await stage.column("SELECT count(*) FROM session") == [1]
    await nothing_is_lost_or_twice(stage, 24)
