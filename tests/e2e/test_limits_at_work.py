"""Limits changed while an engine is at work take effect on the requests that follow: size, quotas, retries, money."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from tests.e2e.conftest import Stage
from tests.e2e.loopback import DOLLAR_A_MILLION, caption_reply, listening, own_endpoint
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import stop_run

WIDTH = 200


class Provider:
    """An endpoint that looks at the pictures it is sent."""

    def __init__(self) -> None:
        self.base_url = ""
        self.status = 200
        self.widths: list[int] = []
        self.at_once = 0

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        parts = body["messages"][-1]["content"]
        picture = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        with Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))) as opened:
            self.widths.append(opened.width)
        self.at_once += 1
        try:
            # How long a model thinks, so that requests overlap; no test waits for it.
            await asyncio.sleep(0.02)
        finally:
            self.at_once -= 1
        if self.status != 200:
            return web.json_response({"error": {"message": "as the test says"}}, status=self.status)
        return caption_reply()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


async def started(stage: Stage, provider: Provider, number: int, **more: Any) -> int:
    """Start a run over `number` pictures of WIDTH pixels."""
    root = stage.folder / "wide"
    root.mkdir()
    for index in range(number):
        Image.new("RGB", (WIDTH, 40), (index % 256, index // 256, 7)).save(root / f"{index:05}.png")
    await import_dataset(stage.workspace, "folder", root, name="wide")
    path = own_endpoint(stage.folder, provider.base_url, prices=DOLLAR_A_MILLION, **more)
    return await stage.run(RunRequest("wide", "caption", path, pilot=0, concurrency=2))


async def settled(stage: Stage, run_id: int) -> RunView:
    await stop_run(stage.workspace, run_id, cancel_in_flight=True)
    return await stage.until_ended(run_id)


async def test_the_picture_size_changes_from_one_request_to_the_next(stage: Stage, provider: Provider) -> None:
    run_id = await started(stage, provider, 600)
    for value, width in (("64", 64), ("original", WIDTH), ("16", 16), ("recipe", WIDTH)):
        await set_limits(stage.workspace, run_id, {"max_side": value})
        await stage.until(run_id, lambda view, width=width: provider.widths[-4:] == [width] * 4)  # type: ignore[misc]  # as in test_outage
    view = await settled(stage, run_id)
    assert view.bytes_per_s is None and view.counts.failed == 0
    verbs = await stage.column("SELECT verb || ' ' || old_value || ' ' || new_value FROM action ORDER BY id LIMIT 4")
    assert verbs == [
        "set max_side 1024 64", "set max_side 64 original", "set max_side original 16", "set max_side 16 1024",
    ]  # fmt: skip


async def test_quotas_concurrency_retries_and_budget_change_together_while_it_works(
    stage: Stage, provider: Provider
) -> None:
    run_id = await started(stage, provider, 2_000)
    await stage.until_done(run_id, 5)
    await set_limits(stage.workspace, run_id, {"concurrency": "12"})
    await stage.until(run_id, lambda view: len(view.in_flight) > 6)
    view = await stage.until(run_id, lambda view: (view.bytes_per_s or 0) > 0 and view.throttle_history != ())
    assert view.throttles and view.throttles[0].group == "main"

    await set_limits(stage.workspace, run_id, {"rpm.main": "1", "rpd.main": "100000"})
    view = await stage.until(run_id, lambda view: "requests/min" in view.why_idle and not view.in_flight)
    gauges = {gauge.name: gauge.limit for gauge in view.keys[0].gauges}
    assert gauges["requests/min"] == 1 and gauges["requests/day"] == 100_000

    provider.status = 500
    await set_limits(stage.workspace, run_id, {"rpm.main": "none", "rpd.main": "none", "max_attempts": "1"})
    await stage.until(run_id, lambda view: view.counts.failed > 0)
    # One spent attempt is all that a picture has from here on.
    assert await stage.column("SELECT DISTINCT attempts_spent FROM task WHERE status = 'failed'") == [1]

    provider.status = 200
    spent = (await stage.view(run_id)).cost.spent
    await set_limits(stage.workspace, run_id, {"budget": f"{spent + Decimal('0.02'):f}", "max_attempts": "4"})
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "is reached" in view.phase_reason
    await set_limits(stage.workspace, run_id, {"budget": "none"})
    await stage.until(run_id, lambda view: view.phase is Phase.RUNNING and view.cost.spent > spent + Decimal("0.02"))
    await settled(stage, run_id)
