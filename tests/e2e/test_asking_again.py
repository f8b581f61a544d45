"""Bad replies over real HTTP: mended once, given more room once, each request recorded with what it was for."""

import json
from collections.abc import AsyncIterator

import pytest
import yaml
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import DOLLAR_A_MILLION, completion, listening, own_endpoint
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.queue_edits import retry_failed
from vqa_tui.operations.runs import resume_run

GOOD = '[{"question": "What is it?", "answer": "One plain colour."}]'


class Model:
    """Needs room for 200 tokens and a reminder of the format; `stubborn`, it never gives either."""

    def __init__(self) -> None:
        self.base_url = ""
        self.stubborn = False

    async def answer(self, request: web.Request) -> web.Response:
        sent = json.loads(await request.read())
        reminded = "could not be used" in json.dumps(sent["messages"])
        if sent["max_tokens"] < 200 and not reminded:
            text, reason = '[{"question": "What is', "length"
        elif not reminded or self.stubborn:
            text, reason = "I would rather talk about it.", "stop"
        else:
            text, reason = GOOD, "stop"
        return completion(text, {"prompt_tokens": 100, "completion_tokens": 20}, finish_reason=reason)


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    made = Model()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


async def start(stage: Stage, model: Model) -> int:
    endpoint = own_endpoint(stage.folder, model.base_url, prices=DOLLAR_A_MILLION)
    recipe = stage.folder / "terse.yaml"
    recipe.write_text(
        yaml.safe_dump(
            {
                "name": "terse",
                "prompt": {"user": "Ask about the picture."},
                "reply": {"kind": "json_pairs"},
                "generation": {"max_tokens": 100, "longer_max_tokens": 300},
            }
        )
    )
    request = RunRequest(await stage.pictures(3), str(recipe), str(endpoint), pilot=0, concurrency=2)
    return await stage.run(request)


async def test_more_room_then_a_repair_end_in_a_sample_and_every_request_is_counted(stage: Stage, model: Model) -> None:
    run_id = await start(stage, model)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.samples) == (Phase.DONE, 3, 3)
    rows = await stage.workspace.db.read("SELECT task_id, purpose, kind FROM attempt ORDER BY task_id, number")
    wanted = [("ask", "bad_reply"), ("longer", "bad_reply"), ("repair", "ok")]
    assert [(row["purpose"], row["kind"]) for row in rows] == wanted * 3
    assert view.cost.spent * 10**6 == 3 * 3 * 120


async def test_each_way_is_tried_once_and_again_after_a_person_has_requeued_the_picture(
    stage: Stage, model: Model
) -> None:
    model.stubborn = True
    run_id = await start(stage, model)
    view = await stage.until_ended(run_id)
    assert dict(view.failures) == {"bad_reply": 3}
    purposes = await stage.column("SELECT purpose FROM attempt ORDER BY task_id, number")
    # The plain attempt at the end is cut again, and what helps against that has been tried.
    assert purposes == ["ask", "longer", "repair", "ask"] * 3
    model.stubborn = False
    assert await retry_failed(stage.workspace, run_id) == 3
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 3)
    purposes = await stage.column("SELECT purpose FROM attempt ORDER BY task_id, number")
    assert purposes == ["ask", "longer", "repair", "ask", "ask", "longer", "repair"] * 3
