"""Pictures that are several requests, with real engines over real HTTP: none is lost or doubled, all go together."""

import json
import random
from dataclasses import replace

import yaml
from PIL import Image

from tests.e2e.conftest import Stage
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import EngineState, Phase
from vqa_tui.domain.task import TaskFilter
from vqa_tui.operations.asking_again import ask_again, chosen
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.follow_ups import Elsewhere, follow_up, plan_elsewhere
from vqa_tui.operations.items import task_detail, task_ids, task_rows
from vqa_tui.operations.planning import RunRequest, plan_run
from vqa_tui.operations.queue_edits import stock
from vqa_tui.operations.run_edits import run_contents
from vqa_tui.operations.runs import approve_run, resume_run, run_view
from vqa_tui.tui.present.again_words import asked_words, chosen_words, follow_up_words
from vqa_tui.tui.present.consequences import contents_words, stop_consequence
from vqa_tui.tui.present.edit_words import edit_consequence
from vqa_tui.tui.present.following import twice_words

RECIPE = {
    "name": "three",
    "prompts": [
        {
            "name": "caption",
            "user": "Request {{ part }} of {{ parts }}, {{ prompt_name }}. Reply with plain text.",
            "reply": {"kind": "text", "question": "What is in {{ prompt_name }} {{ part }}?"},
        },
        {
            "name": "pairs",
            "pairs": 2,
            "system": "You ask questions.",
            "user": "Write exactly {{ pairs }} question-answer pairs.\nAllowed question types: general, detailed.\n"
            'Reply with a JSON array only: [{"question": "x", "answer": "y", "question_type": "general"}]',
        },
        {
            "name": "look",
            "user": "Keys: seen (text)\nReply with a JSON object.",
            "reply": {"kind": "json_object", "question": "What is seen?", "keys": {"seen": {"type": "string"}}},
        },
    ],
    "reply": {"kind": "json_pairs"},
}


def recipe(stage: Stage) -> str:
    path = stage.folder / "three.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    return str(path)


async def asked_pictures(stage: Stage, pairs: list[int], name: str = "asked") -> str:
    """Draw and import pictures, each with so many reference pairs."""
    root = stage.folder / name
    root.mkdir(exist_ok=True)
    for number, count in enumerate(pairs):
        Image.new("RGB", (24, 16), (number % 256, number // 256, 40)).save(root / f"{number:04}.png")
        asked = [{"question": f"Is it {index}?", "answer": f"Answer {index}"} for index in range(count)]
        (root / f"{number:04}.json").write_text(json.dumps({"questions": asked}))
    await import_dataset(stage.workspace, "folder", root, name=name)
    return name


async def test_every_prompt_is_asked_and_each_reply_is_read_in_its_own_way(stage: Stage) -> None:
    dataset = await stage.pictures(4)
    request = RunRequest(dataset, recipe(stage), stage.endpoint(), pilot=1)
    plan = await plan_run(stage.workspace, request)
    assert (plan.items, plan.requests, plan.in_parts, plan.unasked) == (4, 12, True, 0)
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.AWAITING_APPROVAL, Phase.FAILED)
    assert view.counts.done == 3 and view.pilot is not None and (view.pilot.size, view.pilot.finished) == (3, 3), view
    await approve_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed, view.samples) == (Phase.DONE, 12, 0, 16)
    assert plan.cost_most is not None and view.cost.spent <= plan.cost_most
    ids = await task_ids(stage.workspace, run_id, TaskFilter())
    rows = await task_rows(stage.workspace, run_id, ids[:3])
    assert [row.name for row in rows.values()] == [
        "00000.png · 1/3 caption", "00000.png · 2/3 pairs", "00000.png · 3/3 look",
    ]  # fmt: skip
    first, second, third = [await task_detail(stage.workspace, run_id, task_id) for task_id in ids[:3]]
    assert first.prompt == "Request 1 of 3, caption. Reply with plain text."
    assert [pair.question for pair in first.samples] == ["What is in caption 1?"]
    assert second.prompt.startswith("You ask questions.\n\n") and len(second.samples) == 2
    assert json.loads(third.samples[0].answer)["seen"]
    out = stage.folder / "out" / "train.json"
    report = await export_run(stage.workspace, run_id, "llava", out, grouped=True)
    assert (report.pictures, report.pairs) == (4, 16)
    records = json.loads(out.read_text())
    assert [len(record["conversations"]) for record in records] == [8] * 4
    single = stage.folder / "out" / "single.json"
    await export_run(stage.workspace, run_id, "llava", single)
    ids_of_records = [record["id"] for record in json.loads(single.read_text())]
    assert len(set(ids_of_records)) == 16 and validate_file(single).problem_count == 0


async def test_what_is_done_with_requests_is_said_of_requests(stage: Stage) -> None:
    """Each of the three requests about a picture is moved, asked again and asked elsewhere by itself."""
    run_id = await stage.run(RunRequest(await stage.pictures(2), recipe(stage), stage.endpoint(), pilot=0))
    view = await stage.until_ended(run_id)
    ids = await task_ids(stage.workspace, run_id, TaskFilter())
    held = await stock(stage.workspace, run_id, ids[:2])
    assert "each costs what a request costs." in edit_consequence(EditVerb.REQUEUE, held)
    assert chosen_words(await chosen(stage.workspace, run_id, ids)) == "6 requests done"
    assert contents_words(await run_contents(stage.workspace, run_id)).startswith("6 requests, 6 attempts")
    assert "requests stay in the queue" in stop_consequence(view)
    elsewhere = Elsewhere(stage.endpoint(), name="second", uncapped=True)
    made = await follow_up(stage.workspace, run_id, ids[:2], elsewhere)
    assert follow_up_words(made, "other") == "The run second asks 2 requests at other."
    plan = await plan_elsewhere(stage.workspace, run_id, ids, replace(elsewhere, name=None))
    assert any(warning.startswith("2 requests left out: asked") for warning in plan.warnings), plan.warnings
    again = await ask_again(stage.workspace, run_id, ids[:1])
    assert asked_words(again, view.name).startswith("1 request will be asked again")
    assert "a request that is asked there too" in twice_words(await run_view(stage.workspace, run_id))
    details = [str(each) for each in await stage.column("SELECT new_value FROM action ORDER BY id")]
    assert any(each.startswith("2 requests at") for each in details), details
    assert any(each.startswith("1 request (1 done)") for each in details), details


async def test_kill_9_loses_and_doubles_no_request(stage: Stage) -> None:
    pairs = [number % 4 for number in range(320)]
    dataset = await asked_pictures(stage, pairs)
    total = sum(pairs)
    request = RunRequest(dataset, "vqa-rad", stage.endpoint(latency_ms=60), pilot=0)
    plan = await plan_run(stage.workspace, request)
    assert (plan.items, plan.requests, plan.unasked) == (240, total, 80)
    assert plan.warnings[0] == "80 pictures have no reference pair and are not asked."
    run_id = await stage.run(request)
    chance = random.Random(3)
    for kill in range(1, 4):
        await stage.until_done(run_id, kill * 50 + chance.randrange(20))
        await stage.kill_engine(run_id)
        view = await stage.view(run_id)
        assert view.engine.state is EngineState.LOST and view.counts.leased > 0
        await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.total) == (Phase.DONE, total, total)
    assert await stage.column("SELECT count(*) FROM sample") == [total]
    assert await stage.column("SELECT count(DISTINCT task_id) FROM sample") == [total]
    assert (
        await stage.column("SELECT task_id FROM attempt WHERE kind = 'ok' GROUP BY task_id HAVING count(*) > 1") == []
    )
    out = stage.folder / "enhanced.json"
    report = await export_run(stage.workspace, run_id, "vqa-rad-enhanced", out)
    assert (report.pictures, report.pairs) == (240, total)
    members = list(json.loads(out.read_text()).values())
    assert [len(member["qa_pairs"]) for member in members] == [count for count in pairs if count]
    for member in members:
        for index, pair in enumerate(member["qa_pairs"]):
            assert (pair["question"], pair["original_answer"]) == (f"Is it {index}?", f"Answer {index}")
            assert pair["descriptive_answer"].startswith(f"Answer {index}. Explanation: ")


async def test_a_pair_that_a_later_import_took_away_fails_alone_and_says_so(stage: Stage) -> None:
    dataset = await asked_pictures(stage, [2, 3, 1])
    run_id = await stage.run(RunRequest(dataset, "vqa-rad", stage.endpoint(), pilot=1))
    view = await stage.until_phase(run_id, Phase.AWAITING_APPROVAL, Phase.FAILED)
    assert view.counts.done == 1, view
    await asked_pictures(stage, [2, 1, 1])
    await approve_run(stage.workspace, run_id)
    view = await stage.until(run_id, lambda view: view.counts.done + view.counts.failed == 6)
    assert (view.counts.done, view.counts.failed) == (4, 2)
    (said, _other) = await stage.column("SELECT last_problem FROM task WHERE status = 'failed' ORDER BY id")
    assert "the reference pair 2 of the picture 0001.png is gone" in str(said) and "1 pair of it" in str(said)
