"""Every shipped recipe, and every kind of reply, from the dataset to stored pairs on the embedded endpoint."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.e2e.conftest import Stage
from vqa_tui.domain.run import Phase
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, plan_run
from vqa_tui.paths import shipped_configs

SHIPPED = sorted(path.stem for path in (shipped_configs() / "recipes").glob("*.yaml"))
CATEGORIES = ["object recognition", "attribute recognition", "object state recognition", "object localisation"]
OWN: dict[str, dict[str, Any]] = {
    "blocks": {
        "prompt": {
            "user": "Ask one question about the picture for each category, with a short answer.\n"
            "Categories: {{ categories | join('; ') }}\n"
            "Reply with blocks of three lines, Category, Question and Short answer."
        },
        "variables": {"categories": CATEGORIES},
        "reply": {"kind": "blocks", "categories": CATEGORIES},
        "checks": {"known_question_types": CATEGORIES},
    },
    "explained": {
        "needs": ["questions"],
        "prompt": {
            "user": "Question: {{ questions[0].question }}\nReference answer: {{ questions[0].answer }}\n"
            "Reply with the reference answer and its explanation: <answer>. Explanation: <why>"
        },
        "reply": {
            "kind": "explained",
            "question": "{{ questions[0].question }}",
            "reference": "{{ questions[0].answer }}",
        },
    },
}


async def _scans(stage: Stage) -> str:
    """Import three drawn scans, one of them clean, each with a question that came with it."""
    root = stage.folder / "scans"
    root.mkdir()
    for number in range(3):
        picture = Image.new("RGB", (64, 48), "white")
        ImageDraw.Draw(picture).rectangle((4, 4, 20 + number, 20), fill="red")
        picture.save(root / f"{number}.png")
        truth = {
            "categories": [] if number == 2 else ["Battery"],
            "boxes": [] if number == 2 else [{"label": "Battery", "x": 4, "y": 4, "width": 17, "height": 17}],
            "captions": [f"Scan {number} of a bag."],
            "questions": [{"question": "Is it red?", "answer": "yes"}],
        }
        (root / f"{number}.json").write_text(json.dumps(truth))
    await import_dataset(stage.workspace, "folder", root, name="scans")
    return "scans"


def _written(folder: Path, name: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"name": name, **OWN[name]}))
    return str(path)


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
async def test_a_recipe_stores_pairs_without_a_flag(stage: Stage, name: str) -> None:
    dataset = await _scans(stage)
    recipe = _written(stage.folder, name) if name in OWN else name
    run_id = await stage.run(RunRequest(dataset, recipe, stage.endpoint(), pilot=0))
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed) == (3, 0), view
    assert set(await stage.column("SELECT flags FROM sample")) == {"[]"}
    answers = [str(answer) for answer in await stage.column("SELECT answer FROM sample")]
    questions = [str(question) for question in await stage.column("SELECT question FROM sample")]
    match name:
        case "narration":
            assert all(0 <= json.loads(answer)["novelty"] <= 100 for answer in answers)
        case "paligemma-detect":
            boxes = [box for answer in answers for box in json.loads(answer)]
            assert {box["label"] for box in boxes} == {"battery", "person", "bag"}
            assert all(0 <= box["bbox_2d"][0] < box["bbox_2d"][2] <= 64 for box in boxes)
        case "paligemma-answer":
            assert set(questions) == {"Is it red?"}
        case "paligemma-question":
            assert set(answers) == {"yes"}
        case "explained" | "vqa-rad":
            assert all(answer.startswith("Yes. Explanation: ") for answer in answers)
        case "blocks":
            assert len(answers) == 3 * len(CATEGORIES)


async def test_a_text_recipe_needs_no_picture_file(stage: Stage) -> None:
    dataset = await _scans(stage)
    plan = await plan_run(stage.workspace, RunRequest(dataset, "stcray-text", stage.endpoint()))
    assert plan.picture_tokens_per_item == 0 and [row.picture_tokens for row in plan.sizes] == [0]
    for path in (stage.folder / "scans").glob("*.png"):
        path.unlink()
    run_id = await stage.run(RunRequest(dataset, "stcray-text", stage.endpoint(), pilot=0))
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed) == (3, 0), view


async def test_pictures_without_what_a_recipe_needs_fail_unasked_and_do_not_stop_the_others(stage: Stage) -> None:
    await _scans(stage)
    (stage.folder / "scans" / "1.json").unlink()
    await import_dataset(stage.workspace, "folder", stage.folder / "scans", name="mixed")
    request = RunRequest("mixed", "paligemma-answer", stage.endpoint(), pilot=0)
    plan = await plan_run(stage.workspace, request)
    assert any("Of 3 pictures looked at, 1 have no questions" in warning for warning in plan.warnings), plan.warnings
    run_id = await stage.run(request)
    view = await stage.until(run_id, lambda view: view.counts.done + view.counts.failed == 3)
    assert (view.counts.done, view.counts.failed) == (2, 1), view
    assert await stage.column("SELECT count(*) FROM attempt") == [2]
