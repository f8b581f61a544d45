"""Pictures asked again otherwise, by real engines: more room, smaller pictures, another endpoint."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from PIL import Image

from tests.e2e.conftest import Stage
from tests.e2e.loopback import completion, listening
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.run import Phase
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations.asking_again import ask_again
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.follow_ups import Elsewhere, follow_up
from vqa_tui.operations.items import task_detail
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import resume_run

NEEDED = 400
"""Tokens below which the model's reply is cut into uselessness."""


class Model:
    """A provider that writes down what it was sent, needs room for its reply, and can be told to keep silent."""

    def __init__(self, answer: str) -> None:
        self.base_url = ""
        self.answer_text = answer
        self.sent: list[tuple[int, tuple[int, int]]] = []
        """Of each request: its max_tokens, and the size of its picture."""
        self.released = asyncio.Event()
        self.released.set()
        self.useless = False

    async def answer(self, request: web.Request) -> web.Response:
        sent = json.loads(await request.read())
        url = next(p["image_url"]["url"] for p in sent["messages"][-1]["content"] if p["type"] == "image_url")
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        self.sent.append((sent["max_tokens"], picture.size))
        await self.released.wait()
        if self.useless:
            return completion("I would rather not.", {"prompt_tokens": 100, "completion_tokens": 20})
        if sent["max_tokens"] < NEEDED:
            used = {"prompt_tokens": 100, "completion_tokens": sent["max_tokens"]}
            return completion('[{"question": "Wh', used, finish_reason="length")
        text = json.dumps([{"question": "What is it?", "answer": self.answer_text}])
        return completion(text, {"prompt_tokens": 100, "completion_tokens": 50})


@asynccontextmanager
async def model_that_says(answer: str) -> AsyncIterator[Model]:
    made = Model(answer)
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        try:
            yield made
        finally:
            made.released.set()


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with model_that_says("One plain colour.") as made:
        yield made


def endpoint_of(folder: Path, model: Model, name: str, **more: Any) -> str:
    path = folder / f"{name}.yaml"
    prices = {"input_per_million": "1", "output_per_million": "1"}
    fields = {"name": name, "base_url": model.base_url, "model": f"{name}-1", "keys": [{"name": "main"}]}
    path.write_text(yaml.safe_dump({**fields, "prices": prices, **more}))
    return str(path)


async def cut_run(stage: Stage, model: Model, pictures: int = 3, **request: Any) -> int:
    """A run of which every picture failed, because its replies have too little room."""
    recipe = stage.folder / "terse.yaml"
    fields = {
        "name": "terse",
        "prompt": {"user": "Ask about it."},
        "reply": {"kind": "json_pairs"},
        "generation": {"max_tokens": 100},
    }
    recipe.write_text(yaml.safe_dump(fields))
    root = stage.folder / "large"
    root.mkdir()
    for number in range(pictures):
        Image.new("RGB", (120, 80), (number, 40, 99)).save(root / f"{number}.png")
    await import_dataset(stage.workspace, "folder", root, name="large")
    asked = RunRequest("large", str(recipe), endpoint_of(stage.folder, model, "own"), pilot=0, concurrency=2, **request)
    run_id = await stage.run(asked)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.failed) == (Phase.DONE, pictures)
    model.sent.clear()
    return run_id


async def tasks_of(stage: Stage, run_id: int) -> list[int]:
    return [int(str(each)) for each in await stage.column("SELECT id FROM task WHERE run_id = ? ORDER BY id", run_id)]


async def test_more_room_and_a_smaller_picture_reach_the_endpoint_and_every_attempt_says_so(
    stage: Stage, model: Model
) -> None:
    run_id = await cut_run(stage, model)
    first, second, third = await tasks_of(stage, run_id)
    asked = await ask_again(stage.workspace, run_id, [first, second], TaskChanges(max_tokens=500, max_side=60))
    assert (asked.count, asked.done, asked.left, asked.phase) == (2, 0, 0, Phase.DONE)
    view = await stage.until_ended(run_id)
    assert (view.counts.done, view.counts.failed, view.samples) == (2, 1, 2)
    assert model.sent == [(500, (60, 40))] * 2
    detail = await task_detail(stage.workspace, run_id, first)
    assert [each.changes for each in detail.attempts] == [TaskChanges()] * 4 + [TaskChanges(500, 60)]
    # They have had their effect: the next asking is plain again.
    assert not detail.changes
    assert any("ask again" in event.message and "max_tokens 500" in event.message for event in view.events)
    assert (await task_detail(stage.workspace, run_id, third)).row.status == "failed"


async def test_more_room_is_set_aside_and_where_the_budget_has_none_the_run_pauses_with_nothing_sent(
    stage: Stage, model: Model
) -> None:
    run_id = await cut_run(stage, model, 1)
    (task,) = await tasks_of(stage, run_id)
    spent = (await stage.view(run_id)).cost.spent
    cap = spent + Decimal("0.002")
    await set_limits(stage.workspace, run_id, {"budget": f"{cap:f}"})
    await ask_again(stage.workspace, run_id, [task], TaskChanges(max_tokens=100_000))
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "budget" in view.phase_reason and model.sent == [] and view.cost.spent == spent
    # Less is enough; the picture waits, so that nothing but the budget lets it go on.
    await set_limits(stage.workspace, run_id, {"budget": "1"})
    view = await stage.until_ended(run_id)
    assert (view.counts.done, model.sent) == (1, [(100_000, (120, 80))])
    newest, before = await stage.column("SELECT bound_nano FROM attempt ORDER BY number DESC LIMIT 2")
    assert isinstance(newest, int) and isinstance(before, int)
    assert newest - before == (100_000 - 100) * 1_000
    assert view.cost.spent <= Decimal(1) and view.cost.reserved == 0


async def test_pairs_of_a_done_picture_are_replaced_by_new_ones_and_kept_where_the_second_asking_fails(
    stage: Stage, model: Model
) -> None:
    run_id = await cut_run(stage, model, 2)
    first, second = await tasks_of(stage, run_id)
    await ask_again(stage.workspace, run_id, [first, second], TaskChanges(max_tokens=500))
    await stage.until_ended(run_id)
    model.answer_text = "Another answer."
    asked = await ask_again(stage.workspace, run_id, [first], TaskChanges(max_tokens=900))
    assert (asked.count, asked.done) == (1, 1)
    view = await stage.until_ended(run_id)
    assert (view.counts.done, view.samples) == (2, 2)
    answers = await stage.column("SELECT answer FROM sample ORDER BY task_id")
    assert answers == ["Another answer.", "One plain colour."]
    model.useless = True
    model.released.clear()
    await ask_again(stage.workspace, run_id, [first])
    await stage.until(run_id, lambda view: view.counts.leased == 1 and len(view.in_flight) == 1)
    # Its pairs are exported while it is being asked.
    report = await export_run(stage.workspace, run_id, "qwen", stage.folder / "meanwhile.jsonl")
    assert (report.pictures, report.pairs, report.warnings) == (2, 2, ())
    model.released.set()
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed, view.samples) == (Phase.DONE, 2, 0, 2)
    assert await stage.column("SELECT answer FROM sample ORDER BY task_id") == answers
    (told,) = [event for event in view.events if "in vain" in event.message]
    assert told.level == "warning" and "0.png: bad_reply" in told.message
    detail = await task_detail(stage.workspace, run_id, first)
    assert (detail.row.status, detail.row.kind, len(detail.samples)) == ("done", "bad_reply", 1)


async def test_a_killed_engine_loses_neither_the_changes_nor_what_the_lost_request_was_asked_with(
    stage: Stage, model: Model
) -> None:
    run_id = await cut_run(stage, model, 2)
    model.released.clear()
    await ask_again(stage.workspace, run_id, await tasks_of(stage, run_id), TaskChanges(max_tokens=500, max_side=60))
    await stage.until(run_id, lambda view: len(view.in_flight) == 2)
    await stage.kill_engine(run_id)
    model.released.set()
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.counts.done, view.samples) == (2, 2)
    assert model.sent == [(500, (60, 40))] * 4
    rows = await stage.workspace.db.read("SELECT kind, max_tokens, max_side FROM attempt WHERE number > 4")
    assert sorted(tuple(row) for row in rows) == [("lost", 500, 60)] * 2 + [("ok", 500, 60)] * 2


async def test_a_follow_up_asks_elsewhere_and_an_export_of_the_first_run_holds_its_pairs(
    stage: Stage, model: Model
) -> None:
    run_id = await cut_run(stage, model, 3)
    first, second, third = await tasks_of(stage, run_id)
    await ask_again(stage.workspace, run_id, [first], TaskChanges(max_tokens=500))
    await stage.until_ended(run_id)
    async with model_that_says("Seen elsewhere.") as other:
        elsewhere = Elsewhere(endpoint_of(stage.folder, other, "other"), budget_usd=Decimal(1))
        made = await follow_up(
            stage.workspace, run_id, [first, second, third], elsewhere, TaskChanges(max_tokens=600, max_side=60)
        )
        await stage.start(made.run_id)
        view = await stage.until_ended(made.run_id)
    assert (view.phase, view.counts.done, view.counts.total, made.count, made.left) == (Phase.DONE, 3, 3, 3, 0)
    assert other.sent == [(600, (60, 40))] * 3 and view.limits.budget_usd == 1
    followed = await stage.view(run_id)
    assert (followed.counts.done, followed.counts.failed) == (1, 2)
    assert (view.follows, followed.followed_by) == (followed.name, (made.name,))
    report = await export_run(stage.workspace, run_id, "stcray-flat", stage.folder / "out.jsonl", split=(0.5, 0.5))
    lines = [
        json.loads(line) for file in report.files for line in (stage.folder / file.name).read_text("utf-8").splitlines()
    ]
    said = sorted((line["image_path"], line["answer"], line["metadata"]["model"]) for line in lines)
    assert said == [
        ("large/0.png", "One plain colour.", "own-1"),
        ("large/1.png", "Seen elsewhere.", "other-1"),
        ("large/2.png", "Seen elsewhere.", "other-1"),
    ]
    manifest = read_manifest(report.manifest)
    (noted,) = manifest.follow_ups
    assert (noted.name, noted.endpoint, noted.model, noted.pictures, noted.pairs) == (
        made.name,
        "other",
        "other-1",
        2,
        2,
    )
    assert (manifest.skipped.failed_pictures, manifest.skipped.unfinished_pictures) == (0, 0)
    assert any(made.name in warning for warning in report.warnings)
    assert validate_file(report.manifest).ok
