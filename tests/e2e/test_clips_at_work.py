"""Ego4D's queries the whole way: import, clips asked about as frames and as videos, and EVUD's file with real clips."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Stage
from tests.ego4d import CLIP, kitchen, query, uid
from tests.videos import FPS, number_of
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Phase
from vqa_tui.operations.datasets import ClipWishes, dataset_detail, import_dataset
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.planning import RunRequest, plan_run
from vqa_tui.paths import shipped_configs
from vqa_tui.video.reader import video_reader

pytest.importorskip("av", reason="the extra `video` is not installed")
DATA = Path(__file__).parents[2].parent / "shared" / "data"
CATEGORIES = [
    "object recognition",
    "attribute recognition",
    "object state recognition",
    "object localisation",
    "spatial reasoning",
    "functional reasoning",
    "world knowledge",
]


async def kitchen_dataset(stage: Stage, wishes: ClipWishes | None = None) -> str:
    report = await import_dataset(
        stage.workspace, "ego4d-nlq", kitchen(stage.folder / "k"), name="kitchen", clips=wishes
    )
    assert (report.added, report.problems) == (3, 0), report
    return "kitchen"


def recipe_that(stage: Stage, **video: Any) -> str:
    fields = yaml.safe_load((shipped_configs() / "recipes" / "ego4d-nlq.yaml").read_text())
    path = stage.folder / "own.yaml"
    path.write_text(yaml.safe_dump(fields | {"name": "own", "video": video}))
    return str(path)


def endpoint_that(stage: Stage, **fields: Any) -> str:
    path = Path(stage.endpoint())
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))
    return str(path)


async def test_an_import_again_changes_nothing_and_sees_what_changed(stage: Stage) -> None:
    await kitchen_dataset(stage)
    folder = stage.folder / "k"
    again = await import_dataset(stage.workspace, "ego4d-nlq", folder)
    assert (again.dataset, again.added, again.unchanged, again.updated) == ("kitchen", 0, 3, 0)
    asked = json.loads((folder / "nlq_train.json").read_text())
    asked["videos"][0]["clips"][0]["annotations"][0]["language_queries"][0] |= query(4, 6)
    asked["videos"][1]["clips"][0]["annotations"][0]["language_queries"].append(query(1, 2, None))
    (folder / "nlq_train.json").write_text(json.dumps(asked))
    again = await import_dataset(stage.workspace, "ego4d-nlq", folder)
    assert (again.unchanged, again.updated, again.problems) == (2, 1, 1)
    (folder / "full_scale" / f"{uid(2)}.mp4").write_bytes(b"no video")
    again = await import_dataset(stage.workspace, "ego4d-nlq", folder)
    assert (again.unchanged, again.problems) == (2, 2)
    detail = await dataset_detail(stage.workspace, "kitchen")
    reasons = {problem.where: problem.reason for problem in detail.problems}
    assert "is no video that is read here" in reasons["nlq_train.json video 2 clip 1 annotation 1 query 1"]


async def test_frames_are_asked_about_and_become_the_file_of_evud(stage: Stage) -> None:
    dataset = await kitchen_dataset(stage)
    request = RunRequest(dataset, "ego4d-nlq", endpoint_that(stage), pilot=0)
    plan = await plan_run(stage.workspace, request)
    one = await plan_run(stage.workspace, RunRequest(dataset, recipe_that(stage, max_frames=1), stage.endpoint()))
    assert plan.picture_tokens_per_item == 3 * one.picture_tokens_per_item > 0
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed, view.samples) == (3, 0, 21), view
    assert set(await stage.column("SELECT flags FROM sample")) == {"[]"}
    assert [str(each) for each in await stage.column("SELECT question_type FROM sample ORDER BY id LIMIT 7")] == (
        CATEGORIES
    )
    report = await export_run(stage.workspace, run_id, "evud", stage.folder / "out" / "evud.json")
    assert validate_file(report.manifest).ok
    records = json.loads((stage.folder / "out" / "evud.json").read_text("utf-8"))
    assert len(records) == 3
    for record, (first, last) in zip(records, ((2, 5), (7, 10), (3, 6)), strict=True):
        assert record["duration_(s)"] == last - first and record["ego4d_clip_uid"] == CLIP
        turns = record["conversations"]
        assert len(turns) == 14 and turns[0]["value"].startswith("<video>\n")
        assert not any("<video>" in turn["value"] for turn in turns[1:])
        assert [each["category"] for each in record["category_question_answer_tuples"]] == CATEGORIES
        clip = stage.folder / "out" / record["video"]
        ends = [0.02, last - first - 0.02]
        assert [number_of(image) for image in video_reader().frames(clip, ends)] == [first * FPS, last * FPS - 1]


async def test_the_file_of_evud_is_checked_with_its_clips(stage: Stage) -> None:
    run_id = await stage.run(RunRequest(await kitchen_dataset(stage), "ego4d-nlq", stage.endpoint(), pilot=0))
    await stage.until_ended(run_id)
    out = stage.folder / "out" / "evud.json"
    await export_run(stage.workspace, run_id, "evud", out)
    records = json.loads(out.read_text("utf-8"))
    records[0]["duration_(s)"] = 9
    records[1]["duration_(s)"] = "long"
    (out.parent / records[2]["video"]).write_bytes(b"no video")
    (out.parent / "other.json").write_text(json.dumps(records))
    said = [problem.message for problem in validate_file(out.parent / "other.json").problems]
    assert any("is 3.0 s long, and its record states 9 s" in each for each in said), said
    assert any("`duration_(s)` is not a number of seconds" in each for each in said)
    assert any("is no video that is read here" in each for each in said)
    with pytest.raises(VqaError, match="cannot hold clips of videos"):
        await export_run(stage.workspace, run_id, "trl", stage.folder / "out" / "x.jsonl")
    (stage.folder / "k" / "full_scale" / f"{uid(1)}.mp4").write_bytes(b"another")
    with pytest.raises(VqaError, match="has changed since it was imported"):
        await export_run(stage.workspace, run_id, "evud", stage.folder / "again" / "evud.json")
    assert not list((stage.folder / "again").rglob("*.mp4"))


@pytest.mark.parametrize("send", ["data", "uri"])
async def test_a_clip_is_sent_as_a_video_where_the_endpoint_takes_it(stage: Stage, send: str) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    dataset = await kitchen_dataset(stage, ClipWishes(upload_to="memory://clips/out"))
    recipe = recipe_that(stage, send=send)
    with pytest.raises(VqaError, match="does not take") as caught:
        await plan_run(stage.workspace, RunRequest(dataset, recipe, stage.endpoint()))
    assert f"takes: [{send}]" in caught.value.hint
    endpoint = endpoint_that(stage, video={"takes": [send], "tokens_per_second": 100})
    plan = await plan_run(stage.workspace, RunRequest(dataset, recipe, endpoint))
    assert plan.picture_tokens_per_item == 300
    run_id = await stage.run(RunRequest(dataset, recipe, endpoint, pilot=0))
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.samples) == (3, 21), view
    seconds = 3 if send == "data" else 10
    tokens = await stage.column("SELECT input_tokens FROM attempt")
    assert all(int(str(each)) > 100 * seconds for each in tokens)


async def test_addresses_that_the_clips_do_not_have_are_said_before_the_start(stage: Stage) -> None:
    dataset, recipe = await kitchen_dataset(stage), recipe_that(stage, send="uri")
    endpoint = endpoint_that(stage, video={"takes": ["uri"], "tokens_per_second": 100})
    with pytest.raises(VqaError, match="none of 3 clips looked at has one") as caught:
        await plan_run(stage.workspace, RunRequest(dataset, recipe, endpoint))
    assert "--clips-to" in caught.value.hint


async def test_fewer_frames_are_sent_where_the_endpoint_takes_fewer_and_it_is_said(stage: Stage) -> None:
    dataset = await kitchen_dataset(stage)
    endpoint = endpoint_that(stage, picture={"per_request": 2})
    plan = await plan_run(stage.workspace, RunRequest(dataset, "ego4d-nlq", endpoint))
    assert any("as at most 2 frames, not 16" in warning for warning in plan.warnings)
    run_id = await stage.run(RunRequest(dataset, "ego4d-nlq", endpoint, pilot=0))
    await stage.until_ended(run_id)
    assert any("at most 2 frames" in str(each) for each in await stage.column("SELECT message FROM event"))


async def test_a_broken_video_costs_its_clips_and_nothing_else(stage: Stage) -> None:
    dataset = await kitchen_dataset(stage)
    (stage.folder / "k" / "full_scale" / f"{uid(2)}.mp4").write_bytes(b"no video")
    run_id = await stage.run(RunRequest(dataset, "ego4d-nlq", stage.endpoint(), pilot=0))
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 2, 1), view
    (problem,) = await stage.column("SELECT last_problem FROM task WHERE status = 'failed'")
    assert "has changed since import" in str(problem)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the sample data is not at {DATA}")
async def test_real_videos(stage: Stage) -> None:
    folder = stage.folder / "real"
    folder.mkdir()
    for name in ("ego4d", "nlq_train"):
        (folder / f"{name}.json").write_bytes((DATA / "synthetic" / f"{name}.sample.json").read_bytes())
    for number, name in ((1, "flower"), (3, "bigbuckbunny")):
        (folder / f"{uid(number)}.mp4").write_bytes((DATA / "video" / f"{name}.mp4").read_bytes())
    report = await import_dataset(stage.workspace, "ego4d-nlq", folder, name="real")
    assert (report.added, report.problems) == (4, 2)
    run_id = await stage.run(RunRequest("real", "ego4d-nlq", stage.endpoint(), pilot=0))
    view = await stage.until_ended(run_id)
    assert (view.counts.done, view.samples) == (4, 28), view
    written = await export_run(stage.workspace, run_id, "evud", stage.folder / "out" / "real.json")
    assert validate_file(written.manifest).ok
