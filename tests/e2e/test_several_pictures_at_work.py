"""Requests that show several pictures, with real engines over real HTTP: all are sent and counted, or none is."""

import json
from dataclasses import replace
from pathlib import Path

import yaml
from PIL import Image

from tests.e2e.conftest import Stage
from vqa_tui.domain.run import Phase
from vqa_tui.domain.task import TaskFilter
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.items import task_detail, task_ids
from vqa_tui.operations.planning import RunRequest, plan_run

RECIPE = {
    "name": "differences",
    "prompt": {"user": "{{ pictures }} pictures, the first of {{ width }}×{{ height }}. What differs? Plain text."},
    "reply": {"kind": "text", "question": "What differs between the {{ pictures }} pictures?"},
    "picture": {"max_side": 64},
}
SETS = ((0, 1, 2), (3,), (4, 5))


async def sets_of_pictures(stage: Stage) -> RunRequest:
    root = stage.folder / "sets"
    root.mkdir()
    for number in range(6):
        # Some are sent as they are, others are made smaller, and one is turned upright.
        Image.new("RGB", (100 if number % 2 else 48, 40), (number * 40, 9, 9)).save(root / f"{number}.png")
    turns = [{"from": "human", "value": "?"}, {"from": "gpt", "value": "Yes, it is."}]
    rows = [{"images": [f"{number}.png" for number in numbers], "conversations": turns} for numbers in SETS]
    (root / "x.json").write_text(json.dumps(rows))
    await import_dataset(stage.workspace, "llava", root / "x.json", name="sets")
    path = stage.folder / "differences.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    return RunRequest("sets", str(path), stage.endpoint(), pilot=0)


def limited(request: RunRequest, per_request: int) -> RunRequest:
    path = Path(request.endpoint)
    fields = yaml.safe_load(path.read_text()) | {"picture": {"per_request": per_request}}
    other = path.with_name("limited.yaml")
    other.write_text(yaml.safe_dump(fields | {"name": "limited"}))
    return RunRequest(request.dataset, request.recipe, str(other), pilot=0, name="limited")


async def test_all_pictures_of_an_item_are_sent_and_counted(stage: Stage) -> None:
    request = await sets_of_pictures(stage)
    plan = await plan_run(stage.workspace, request)
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed, view.samples) == (3, 0, 3), view
    ids = await task_ids(stage.workspace, run_id, TaskFilter())
    details = [await task_detail(stage.workspace, run_id, task_id) for task_id in ids]
    assert [len(detail.pictures) for detail in details] == [3, 1, 2]
    assert details[0].prompt.startswith("3 pictures, the first of 48×40")
    assert details[0].samples[0].question == "What differs between the 3 pictures?"
    three, one, two = [
        int(str(each)) for each in await stage.column("SELECT input_tokens FROM attempt ORDER BY task_id")
    ]
    each = plan.picture_tokens_per_item / 2
    assert (three - one, two - one) == (2 * each, each), "six pictures in three requests, with prompts of one length"
    estimates = await stage.column("SELECT estimated_input_tokens - input_tokens FROM attempt")
    assert all(abs(int(str(each))) < 40 for each in estimates), "what was expected is what was billed"
    assert plan.cost_most is not None and view.cost.spent <= plan.cost_most


async def test_the_shipped_recipe_speaks_of_the_pictures_of_a_set(stage: Stage) -> None:
    request = replace(await sets_of_pictures(stage), recipe="general-vqa")
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed, view.samples) == (3, 0, 9), view
    ids = await task_ids(stage.workspace, run_id, TaskFilter())
    three, one, two = [(await task_detail(stage.workspace, run_id, task_id)).prompt for task_id in ids]
    assert "Look at these 3 pictures" in three and "Look at these 2 pictures" in two
    assert "Look at this picture" in one and "first picture" not in one


async def test_more_pictures_than_the_endpoint_takes_fail_in_words_without_a_request(stage: Stage) -> None:
    request = limited(await sets_of_pictures(stage), 2)
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed) == (2, 1), view
    assert await stage.column("SELECT last_problem FROM task WHERE status = 'failed'") == [
        "has 3 pictures, and the endpoint limited takes 2 in a request (`picture.per_request` in its file)"
    ]
    assert await stage.column("SELECT count(*) FROM attempt") == [2]


async def test_a_further_picture_that_is_gone_is_named(stage: Stage) -> None:
    request = await sets_of_pictures(stage)
    (stage.folder / "sets" / "2.png").unlink()
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.DONE, Phase.FAILED, Phase.PAUSED)
    assert (view.counts.done, view.counts.failed) == (2, 1), view
    (problem,) = await stage.column("SELECT last_problem FROM task WHERE status = 'failed'")
    assert problem == "picture 3 of 3, `2.png`: the file is missing"
