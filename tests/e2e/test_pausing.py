"""A pause and a halt start nothing more, and a person's resume tries every key again."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from PIL import Image

from tests.e2e.conftest import Stage
from tests.e2e.loopback import caption_reply, listening, own_endpoint
from vqa_tui.domain.run import Phase
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import pause_run, resume_run


class Provider:
    """Answers with what `status` says of a request, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.base_url = ""
        self.status: Callable[[web.Request, int], int] = lambda request, number: 200

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked += 1
        status = self.status(request, self.asked)
        # How long a model thinks; no test waits for it.
        await asyncio.sleep(0.02)
        if status != 200:
            return web.json_response({"error": {"message": "as said"}}, status=status)
        return caption_reply(9, 3)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


def endpoint(stage: Stage, provider: Provider, **fields: object) -> str:
    return own_endpoint(stage.folder, provider.base_url, **fields)


async def large_pictures(stage: Stage, count: int) -> str:
    """Pictures that take long to prepare; what stands behind the end of each JPEG makes their files differ."""
    root = stage.folder / "large"
    root.mkdir()
    drawn = io.BytesIO()
    Image.effect_noise((3000, 2000), 30).convert("RGB").save(drawn, "JPEG", quality=90)
    for number in range(count):
        (root / f"{number:03}.jpg").write_bytes(drawn.getvalue() + b"%03d" % number)
    await import_dataset(stage.workspace, "folder", root, name="large")
    return "large"


async def test_who_prepares_when_the_run_pauses_sends_nothing(stage: Stage, provider: Provider) -> None:
    dataset = await large_pictures(stage, 20)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint(stage, provider), pilot=0, concurrency=16))
    await stage.until(run_id, lambda view: provider.asked >= 1)
    await pause_run(stage.workspace, run_id)
    await stage.until_phase(run_id, Phase.PAUSING, Phase.PAUSED)
    before = provider.asked
    await stage.until_phase(run_id, Phase.PAUSED)
    assert provider.asked <= before + 1


async def test_after_a_404_nothing_more_is_sent_and_no_other_picture_fails(stage: Stage, provider: Provider) -> None:
    provider.status = lambda request, number: 404
    dataset = await large_pictures(stage, 20)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint(stage, provider), pilot=0, concurrency=16))
    view = await stage.until_phase(run_id, Phase.PAUSED)
    # Slow start has two in flight at once.
    assert provider.asked <= 2 and view.counts.failed == provider.asked


async def test_a_resume_tries_every_key_again_though_the_engine_had_not_paused_itself(
    stage: Stage, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        monkeypatch.setenv(f"OWN_{name.upper()}", f"value-{name}")
    keys = [{"name": name, "env": f"OWN_{name.upper()}"} for name in "ab"]
    bad = True
    provider.status = lambda request, number: 402 if bad and "value-b" in request.headers["Authorization"] else 200
    dataset = await stage.pictures(3000)
    run_id = await stage.run(
        RunRequest(dataset, "caption", endpoint(stage, provider, keys=keys), pilot=0, concurrency=4)
    )
    await stage.until(run_id, lambda view: any(key.state == "parked" for key in view.keys))
    bad = False
    await pause_run(stage.workspace, run_id)
    await stage.until_phase(run_id, Phase.PAUSED)
    await resume_run(stage.workspace, run_id)
    await stage.until(run_id, lambda view: bool(view.keys) and all(key.state == "ok" for key in view.keys))
