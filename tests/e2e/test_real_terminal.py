"""The terminal app in a real terminal, over real engines: it may die, and so may they."""

import asyncio

import pytest

from tests.e2e.conftest import Stage
from tests.e2e.terminal import Terminal
from vqa_tui.domain.run import EngineState, Phase
from vqa_tui.operations.planning import RunRequest


def _app(stage: Stage, columns: int = 80, rows: int = 24) -> Terminal:
    return Terminal(["--workspace", str(stage.workspace.paths.root)], columns=columns, rows=rows)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
async def test_a_killed_engine_is_shown_lost_and_one_key_resumes_it(stage: Stage, columns: int, rows: int) -> None:
    dataset = await stage.pictures(500)
    run_id = await stage.run(RunRequest(dataset, "general-vqa", stage.endpoint(latency_ms=400), pilot=0, name="victim"))
    with _app(stage, columns, rows) as terminal:
        await asyncio.to_thread(terminal.until, "victim")
        terminal.press("\r")
        await asyncio.to_thread(terminal.until, "running", "Keys")
        await stage.until_done(run_id, 60)
        await stage.kill_engine(run_id)
        await asyncio.to_thread(terminal.until, "lost", "r ")
        terminal.press("r")
        await asyncio.to_thread(terminal.until, "running", without=["engine lost"])
        await asyncio.to_thread(terminal.until, "500 done")
        terminal.press("q")
        assert await asyncio.to_thread(terminal.ended) == 0
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 500)
    assert await stage.column("SELECT count(DISTINCT task_id) FROM sample") == [500]
    assert (
        await stage.column("SELECT task_id FROM attempt WHERE kind = 'ok' GROUP BY task_id HAVING count(*) > 1") == []
    )
    lost = await stage.column("SELECT count(*) FROM attempt WHERE kind = 'lost'")
    assert lost[0] != 0


async def test_a_killed_app_leaves_the_engine_at_work_and_a_new_one_shows_it(stage: Stage) -> None:
    dataset = await stage.pictures(600)
    run_id = await stage.run(
        RunRequest(dataset, "caption", stage.endpoint(latency_ms=200), pilot=0, name="steady", concurrency=6)
    )
    with _app(stage) as terminal:
        await asyncio.to_thread(terminal.until, "steady")
        terminal.press("\r")
        await asyncio.to_thread(terminal.until, "running", "Keys")
        terminal.kill()
    view = await stage.view(run_id)
    assert view.engine.state is EngineState.ALIVE
    await stage.until_done(run_id, view.counts.done + 30)
    with _app(stage) as second:
        await asyncio.to_thread(second.until, "steady")
        second.press("\r")
        await asyncio.to_thread(second.until, "600 done")
    assert await stage.column("SELECT count(*) FROM session WHERE run_id = ?", run_id) == [1]


async def test_pause_and_resume_by_key_and_quit_detaches(stage: Stage) -> None:
    dataset = await stage.pictures(400)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=800), pilot=0, name="keys"))
    with _app(stage) as terminal:
        await asyncio.to_thread(terminal.until, "keys")
        terminal.press("\r")
        await asyncio.to_thread(terminal.until, "running", "Keys")
        terminal.press("p")
        await stage.until_phase(run_id, Phase.PAUSED)
        await asyncio.to_thread(terminal.until, "p resumes")
        terminal.press("\x03")
        await asyncio.to_thread(terminal.until, "Ctrl+C stops nothing here")
        assert (await stage.view(run_id)).engine.state is EngineState.ALIVE
        terminal.press("r")
        await stage.until_phase(run_id, Phase.RUNNING)
        terminal.press("q")
        assert await asyncio.to_thread(terminal.ended) == 0
    assert (await stage.until_ended(run_id)).counts.done == 400
