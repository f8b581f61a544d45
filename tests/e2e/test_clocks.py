"""Faces and engines whose clocks differ: what a person presses counts, whatever time it is there."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import CAPTION, completion, listening, own_endpoint
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.queue_edits import retry_failed
from vqa_tui.operations.runs import resume_run, stop_run


class Provider:
    """An endpoint without the model, until a test mends it."""

    def __init__(self) -> None:
        self.base_url = ""
        self.mended = False

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        if not self.mended:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        return completion(CAPTION, None)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
async def test_a_resume_counts_although_the_clock_was_set_meanwhile(
    stage: Stage, provider: Provider, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    path = own_endpoint(stage.folder, provider.base_url)
    run_id = await stage.run(RunRequest(await stage.pictures(10), "caption", path, pilot=0, concurrency=1))
    real = time.time
    await stage.until_phase(run_id, Phase.PAUSED)
    # A resume in vain first: the endpoint still lacks the model, so the run pauses itself again.
    await resume_run(stage.workspace, run_id)
    await stage.until(run_id, lambda view: len([e for e in view.events if "paused: the model" in e.message]) == 2)
    await stage.until_phase(run_id, Phase.PAUSED)
    provider.mended = True
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    await retry_failed(stage.workspace, run_id, kinds=["model_not_found"])
    await resume_run(stage.workspace, run_id)
    view = await stage.until(run_id, lambda view: view.phase is Phase.DONE)
    monkeypatch.setattr(time, "time", real)
    assert view.counts.done == 10
    await stage.until_ended(run_id)
    assert await stage.column("SELECT count(*) FROM session") == [1]


async def test_a_stop_still_ends_a_run_that_paused_itself(stage: Stage, provider: Provider) -> None:
    path = own_endpoint(stage.folder, provider.base_url)
    run_id = await stage.run(RunRequest(await stage.pictures(3), "caption", path, pilot=0, concurrency=1))
    await stage.until_phase(run_id, Phase.PAUSED)
    await stop_run(stage.workspace, run_id)
    assert (await stage.until_ended(run_id)).phase is Phase.STOPPED
