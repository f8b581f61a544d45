"""Asking again: who is meant, what it will take, where it is refused; and the run that asks elsewhere."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.operations.priced import endpoint, run_of_six
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.config.freeze import thaw_endpoint
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Phase
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations.asking_again import ask_again, chosen, plan_again
from vqa_tui.operations.exports import export_run
from vqa_tui.operations.follow_ups import Elsewhere, follow_up, plan_elsewhere
from vqa_tui.operations.limits import set_limits
from vqa_tui.store import asking_again, runs
from vqa_tui.store.db import Database

CUT = replace(BAD_REPLY, finish_reason="length")


async def made(workshop: Workshop) -> tuple[int, list[int]]:
    """A run of six pictures: two cut, one done, three waiting."""
    return await run_of_six(workshop, [CUT, CUT, DONE])


async def test_how_the_chosen_stand_and_what_they_were_asked_with(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    await set_limits(workshop.workspace, run_id, {"max_side": "512"})
    found = await chosen(workshop.workspace, run_id, ids)
    assert (found.failed, found.done, found.waiting, found.skipped, found.askable) == (2, 1, 3, 0, 3)
    assert (found.cut, found.pairs, found.judged, found.max_side) == (2, 1, 0, 512)
    assert (found.endpoint, found.model) == ("own", "m-2") and found.max_tokens >= 100
    with pytest.raises(VqaError, match="there is no run 99"):
        await chosen(workshop.workspace, 99, ids)


async def test_a_plan_counts_only_who_can_be_asked_and_follows_the_changes(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    plain = await plan_again(workshop.workspace, run_id, ids, TaskChanges())
    assert plain.items == 3 and plain.cost_total is not None
    assert (await plan_again(workshop.workspace, run_id, ids[:1], TaskChanges())).items == 1
    smaller = await plan_again(workshop.workspace, run_id, ids, TaskChanges(max_side=16))
    assert smaller.cost_total is not None and smaller.max_side == 16
    assert smaller.picture_tokens_per_item <= plain.picture_tokens_per_item
    room = (await chosen(workshop.workspace, run_id, ids)).max_tokens
    longer = await plan_again(workshop.workspace, run_id, ids, TaskChanges(max_tokens=room + 50_000))
    assert longer.cost_total is not None and longer.cost_high is not None and longer.cost_most is not None
    # The replies filled the room before; at the upper end they fill all of the new room, at two dollars a million.
    assert longer.cost_total >= plain.cost_total
    assert longer.cost_high >= 3 * (room + 50_000) * Decimal(2) / 10**6
    assert longer.cost_most >= longer.cost_high and longer.requests_per_item == 1


async def test_what_was_changed_before_counts_in_the_plan(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    await ask_again(workshop.workspace, run_id, ids[:1], TaskChanges(max_tokens=90_000))
    await workshop.settle(run_id, [CUT])
    plan = await plan_again(workshop.workspace, run_id, ids[:1], TaskChanges(max_side=64))
    assert plan.cost_high is not None and plan.cost_high >= Decimal("0.18")
    assert (await chosen(workshop.workspace, run_id, ids)).changed == 1


async def test_an_engine_that_cannot_work_leaves_the_pictures_put_back_and_says_so(workshop: Workshop) -> None:
    await workshop.dataset(2)
    keyless = endpoint(workshop, keys=[{"name": "main", "env": "NOT_SET_ANYWHERE"}])
    run_id = await workshop.run([CUT, DONE], endpoint=keyless, phase=Phase.DONE)
    rows = await workshop.workspace.db.read("SELECT id FROM task")
    with pytest.raises(VqaError, match="no key of the endpoint") as refused:
        await ask_again(workshop.workspace, run_id, [row["id"] for row in rows])
    assert refused.value.hint and "2 pictures were put back into the queue" in refused.value.hint
    assert (await chosen(workshop.workspace, run_id, [row["id"] for row in rows])).waiting == 2


async def test_a_budget_that_leaves_too_little_is_told_before(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    assert (await plan_again(workshop.workspace, run_id, ids, TaskChanges())).warnings == ()
    await set_limits(workshop.workspace, run_id, {"budget": "0.001"})
    (warning,) = (await plan_again(workshop.workspace, run_id, ids, TaskChanges(max_tokens=90_000))).warnings
    assert "the run would pause there" in warning and "leaves $0.0006" in warning


async def test_a_run_at_rest_waits_with_what_was_put_back(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    asked = await ask_again(workshop.workspace, run_id, ids, TaskChanges(max_tokens=4000))
    assert (asked.count, asked.done, asked.left, asked.phase) == (3, 1, 3, Phase.STOPPED)
    (action,) = await workshop.workspace.db.read("SELECT who, new_value FROM action WHERE verb = 'ask again'")
    assert action["who"] and action["new_value"] == "3 pictures (1 done, 2 failed) with max_tokens 4000"
    # Nothing is left that could be asked again.
    with pytest.raises(VqaError, match="none of these 6 pictures has failed"):
        await ask_again(workshop.workspace, run_id, ids)


@pytest.mark.parametrize(
    ("changes", "words"),
    [(TaskChanges(max_tokens=0), "max tokens: '0'"), (TaskChanges(max_side=15), "longest side: '15'")],
)
async def test_changes_that_no_request_can_be_made_with_are_refused_with_nothing_changed(
    workshop: Workshop, changes: TaskChanges, words: str
) -> None:
    run_id, ids = await made(workshop)
    for refused in (
        ask_again(workshop.workspace, run_id, ids, changes),
        plan_again(workshop.workspace, run_id, ids, changes),
        follow_up(workshop.workspace, run_id, ids, Elsewhere("embedded"), changes),
    ):
        with pytest.raises(VqaError, match=words):
            await refused
    assert (await chosen(workshop.workspace, run_id, ids)).askable == 3
    assert len(await runs.run_names(workshop.workspace.db)) == 1


async def test_elsewhere_is_the_same_recipe_with_limits_and_prices_of_its_own(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    await set_limits(workshop.workspace, run_id, {"max_side": "original", "max_attempts": "2", "concurrency": "3"})
    elsewhere = Elsewhere(endpoint(workshop, concurrency=7), budget_usd=Decimal("0.5"))
    plan = await plan_elsewhere(workshop.workspace, run_id, ids, elsewhere, TaskChanges(max_tokens=900))
    assert plan.items == 3 and plan.max_side is None
    made_run = await follow_up(workshop.workspace, run_id, ids, elsewhere, TaskChanges(max_tokens=900))
    assert (made_run.name, made_run.count, made_run.left) == ("first-other", 3, 3)
    before, after = [await runs.frozen_run(workshop.workspace.db, each) for each in (run_id, made_run.run_id)]
    assert before is not None and after is not None
    assert after.recipe == before.recipe and after.dataset_id == before.dataset_id and after.pilot_size == 0
    limits = (await runs.wishes(workshop.workspace.db, made_run.run_id)).limits
    assert (limits.max_side, limits.max_attempts, limits.concurrency, limits.budget_usd) == (
        "original", 2, 7, Decimal("0.5"),
    )  # fmt: skip
    # Once more: the name is free no longer.
    elsewhere = replace(elsewhere, anyway=True)
    assert (await follow_up(workshop.workspace, run_id, ids, elsewhere)).name == "first-other-2"
    with pytest.raises(VqaError, match="already a run named first-other"):
        await follow_up(workshop.workspace, run_id, ids, replace(elsewhere, name="first-other"))
    with pytest.raises(VqaError, match="no picture that was chosen"):
        await follow_up(workshop.workspace, run_id, ids[3:], elsewhere)


async def test_another_model_does_not_get_the_prices_of_the_endpoints_own(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    path = endpoint(workshop, base_url="https://models.example.com/v1")
    own = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(path, "m-2"))
    assert own.prices is not None and own.prices.output_per_million == 2
    other = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(path, "nobody-knows-this"))
    assert other.prices is None and other.cost_total is None
    with pytest.raises(VqaError, match="a budget cannot be held"):
        await follow_up(workshop.workspace, run_id, ids, Elsewhere(path, "nobody-knows-this", budget_usd=Decimal(1)))
    made_run = await follow_up(workshop.workspace, run_id, ids, Elsewhere(path, "nobody-knows-this"))
    frozen = await runs.frozen_run(workshop.workspace.db, made_run.run_id)
    assert frozen is not None and thaw_endpoint(frozen.endpoint).model == "nobody-knows-this"


async def test_an_export_takes_from_the_newest_follow_up_only_what_the_run_has_not(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    path = endpoint(workshop)
    first = await follow_up(workshop.workspace, run_id, ids[:3], Elsewhere(path))
    one = replace(DONE, pairs=(replace(DONE.pairs[0], answer="of the first"),))
    await workshop.settle(first.run_id, [one, one, one])
    newer = await follow_up(workshop.workspace, run_id, ids[:1], Elsewhere(path, anyway=True))
    two = replace(DONE, pairs=(replace(DONE.pairs[0], answer="of the newer"),))
    out = workshop.folder / "out.jsonl"
    report = await export_run(workshop.workspace, run_id, "qwen", out)
    assert answers(out) == ["of the first", "of the first", "A coloured bag."]
    await workshop.settle(newer.run_id, [two])
    # One that follows a follow-up counts, too.
    rows = await workshop.workspace.db.read("SELECT id FROM task WHERE run_id = ? ORDER BY id", (first.run_id,))
    last = await follow_up(workshop.workspace, first.run_id, [rows[1]["id"]], Elsewhere(path))
    await workshop.settle(last.run_id, [replace(two, pairs=(replace(DONE.pairs[0], answer="of the last"),))])
    report = await export_run(workshop.workspace, run_id, "qwen", out)
    assert answers(out) == ["of the newer", "of the last", "A coloured bag."]
    noted = [(each.id, each.pictures, each.pairs) for each in read_manifest(report.manifest).follow_ups]
    assert noted == [(last.run_id, 1, 1), (newer.run_id, 1, 1)]
    assert report.warnings[0] == "3 of 6 pictures are not in the file: not finished yet"
    # Pairs that a person rejected are pairs: nothing that nobody has looked at takes their place.
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute(
            "UPDATE sample SET verdict = 'rejected' WHERE run_id IN (?, ?)", (run_id, last.run_id)
        )
    report = await export_run(workshop.workspace, run_id, "qwen", out)
    assert answers(out) == ["of the newer"]
    assert read_manifest(report.manifest).skipped.rejected_pairs == 2
    assert "2 rejected pairs were left out" in report.warnings
    split = export_run(workshop.workspace, run_id, "qwen", workshop.folder / "split.jsonl", split=(0.5, 0.5))
    with pytest.raises(VqaError, match="fewer pictures that can stand apart"):
        await split
    # The follow-ups themselves export what is theirs.
    await export_run(workshop.workspace, newer.run_id, "qwen", workshop.folder / "newer.jsonl")
    assert answers(workshop.folder / "newer.jsonl") == ["of the newer"]


def answers(path: Path) -> list[str]:
    return [json.loads(line)["conversations"][1]["value"] for line in path.read_text("utf-8").splitlines()]


async def test_a_run_without_any_pairs_is_exported_with_those_of_its_follow_up_and_split(workshop: Workshop) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([BAD_REPLY] * 4)
    rows = await workshop.workspace.db.read("SELECT id FROM task WHERE run_id = ?", (run_id,))
    with pytest.raises(VqaError, match="no question-answer pairs yet"):
        await export_run(workshop.workspace, run_id, "qwen", workshop.folder / "out.jsonl")
    made_run = await follow_up(workshop.workspace, run_id, [row["id"] for row in rows], Elsewhere(endpoint(workshop)))
    await workshop.settle(made_run.run_id, [DONE] * 4)
    report = await export_run(workshop.workspace, run_id, "qwen", workshop.folder / "out.jsonl", split=(0.5, 0.5))
    assert [file.pictures for file in report.files] == [2, 2]
    assert report.warnings == ("the pairs of 4 pictures are of the run first-other (other, m-2)",)


async def test_reading_about_a_large_choice_has_a_connection_of_its_own(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, ids = await made(workshop)
    own: dict[str, bool] = {}
    for name in ("standing", "most_tokens_held", "sizes_of", "spread_items_of"):
        read = getattr(asking_again, name)

        def watched(database: Database, *values: Any, name: str = name, read: Any = read) -> Any:
            own[name] = database is not workshop.workspace.db
            return read(database, *values)

        monkeypatch.setattr(asking_again, name, watched)
    for many, expected in ((7, False), (6, True)):
        monkeypatch.setattr("vqa_tui.operations.workspace.MANY_TASKS", many)
        own.clear()
        found = await chosen(workshop.workspace, run_id, ids)
        plan = await plan_again(workshop.workspace, run_id, ids, TaskChanges())
        assert (found.askable, plan.items) == (3, 3)
        assert own == dict.fromkeys(("standing", "most_tokens_held", "sizes_of", "spread_items_of"), expected)
