"""Follow-ups and money: none is cloned, no key is kept, limits and caps hold, no picture is paid twice unsaid."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.operations.priced import endpoint, run_of_six
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.failure_advice import Verb
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.operations.asking_again import plan_again
from vqa_tui.operations.follow_ups import Elsewhere, follow_up, plan_elsewhere
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import request_like
from vqa_tui.operations.queue_edits import edit_queue, stock
from vqa_tui.operations.run_edits import delete_run
from vqa_tui.operations.runs import run_view
from vqa_tui.store import runs
from vqa_tui.tui.present.edit_words import edit_consequence
from vqa_tui.tui.present.failure_verbs import question


async def made(workshop: Workshop) -> tuple[int, list[int]]:
    """A run of six pictures: two failed, one done, three waiting."""
    return await run_of_six(workshop, [BAD_REPLY, BAD_REPLY, DONE])


@pytest.mark.parametrize("chosen", [slice(0, 2), slice(1, 3)], ids=["the first pictures", "others"])
async def test_no_run_is_like_one_of_chosen_pictures(workshop: Workshop, chosen: slice) -> None:
    """It would ask the whole dataset, or as many others, without a pilot and without a cap."""
    run_id, ids = await made(workshop)
    two = await follow_up(workshop.workspace, run_id, ids[chosen], Elsewhere(endpoint(workshop), name="two"))
    with pytest.raises(VqaError, match="run two asks pictures that were chosen one by one") as refused:
        await request_like(workshop.workspace, two.run_id)
    assert "vqa-tui item again first ITEM... --endpoint other --model m-2" in refused.value.hint
    # The run that it followed goes, and it is no other for that.
    await delete_run(workshop.workspace, run_id)
    with pytest.raises(VqaError, match="chosen one by one") as refused:
        await request_like(workshop.workspace, two.run_id)
    assert "item again" not in refused.value.hint and "For a run over bags name the dataset" in refused.value.hint


@pytest.mark.parametrize("model", [" ", "a\nb", "x" * 201, "sk-abcdefghijklmnop1234567890"])
async def test_what_cannot_be_a_model_is_refused_and_never_stored(workshop: Workshop, model: str) -> None:
    run_id, ids = await made(workshop)
    for refused in (plan_elsewhere, follow_up):
        with pytest.raises(VqaError, match="model"):
            await refused(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), model))
    assert len(await runs.run_names(workshop.workspace.db)) == 1


async def test_prices_of_an_endpoint_of_ones_own_hold_for_another_model(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    near = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), "m-3"))
    assert near.prices is not None and near.prices.output_per_million == 2
    far = endpoint(workshop, "far", base_url="https://models.example.com/v1")
    plan = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(far, "m-3"))
    assert plan.prices is None and any("The endpoint far is written for m-2" in words for words in plan.warnings)


async def test_limits_of_the_followed_run_hold_at_its_endpoint_and_nowhere_else(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    wanted = {"rpm.main": "30", "rpd.main": "500", "concurrency": "3", "max_attempts": "2"}
    await set_limits(workshop.workspace, run_id, wanted)
    own = Elsewhere(endpoint(workshop, "own"), "m-3")
    warnings = (await plan_elsewhere(workshop.workspace, run_id, ids, own)).warnings
    assert any("taken over from run first: max attempts, requests per minute" in words for words in warnings)
    limits = [
        (
            await runs.wishes(workshop.workspace.db, (await follow_up(workshop.workspace, run_id, ids, each)).run_id)
        ).limits
        for each in (own, Elsewhere(endpoint(workshop, concurrency=7)))
    ]
    assert [(each.requests_per_minute, each.requests_per_day, each.concurrency) for each in limits] == [
        ({"main": 30}, {"main": 500}, 3),
        ({}, {}, 7),
    ]
    assert [each.max_attempts for each in limits] == [2, 2]


async def test_a_budget_is_followed_only_by_a_word_on_what_may_be_spent_elsewhere(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    await set_limits(workshop.workspace, run_id, {"budget": "0.01"})
    there = Elsewhere(endpoint(workshop))
    for refused in (plan_elsewhere, follow_up):
        with pytest.raises(VqaError, match=r"run first has a budget of \$0.01, which does not hold") as told:
            await refused(workshop.workspace, run_id, ids, there)
        assert "--budget USD ($0.0096 is left of the $0.01), or --budget none" in told.value.hint
    assert len(await runs.run_names(workshop.workspace.db)) == 1
    capped = await follow_up(workshop.workspace, run_id, ids[:1], replace(there, budget_usd=Decimal("0.5")))
    open_ended = await follow_up(workshop.workspace, run_id, ids[1:2], replace(there, uncapped=True))
    budgets = [
        (await runs.wishes(workshop.workspace.db, each.run_id)).limits.budget_usd for each in (capped, open_ended)
    ]
    assert budgets == [Decimal("0.5"), None]


async def test_no_picture_is_paid_twice_at_one_place_unless_that_is_said(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    there = Elsewhere(endpoint(workshop))
    two = await follow_up(workshop.workspace, run_id, ids[:2], replace(there, name="two"))
    await workshop.settle(two.run_id, [DONE])  # the first is done there, the second waits
    plan = await plan_elsewhere(workshop.workspace, run_id, ids, there)
    assert plan.items == 1
    assert "2 pictures left out: asked, or being asked, there in two. `anyway` would ask them, and pay twice." in (
        plan.warnings
    )
    with pytest.raises(VqaError, match="is asked there already, in two") as refused:
        await follow_up(workshop.workspace, run_id, ids[:2], there)
    assert "--anyway" in refused.value.hint
    three = await follow_up(workshop.workspace, run_id, ids, replace(there, name="three"))
    assert (three.count, three.left) == (1, 5)
    # Another model is another question, and so is one more time, said in so many words.
    assert (await plan_elsewhere(workshop.workspace, run_id, ids, replace(there, model="m-3"))).items == 3
    again = replace(there, anyway=True)
    plan = await plan_elsewhere(workshop.workspace, run_id, ids, again)
    assert plan.items == 3
    assert "3 pictures will be paid twice: asked, or being asked, there in two, three." in plan.warnings
    assert (await follow_up(workshop.workspace, run_id, ids, again)).count == 3


async def test_a_picture_that_failed_there_or_whose_run_was_deleted_is_asked_anew(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    there = Elsewhere(endpoint(workshop))
    two = await follow_up(workshop.workspace, run_id, ids[:2], there)
    await workshop.settle(two.run_id, [BAD_REPLY])
    assert (await plan_elsewhere(workshop.workspace, run_id, ids[:2], there)).items == 1
    await delete_run(workshop.workspace, two.run_id)
    assert (await plan_elsewhere(workshop.workspace, run_id, ids[:2], there)).items == 2


async def test_asking_in_the_run_itself_says_who_is_asked_elsewhere(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    assert (await plan_again(workshop.workspace, run_id, ids, TaskChanges())).warnings == ()
    await follow_up(workshop.workspace, run_id, ids[:2], Elsewhere(endpoint(workshop), name="two"))
    plan = await plan_again(workshop.workspace, run_id, ids, TaskChanges())
    assert plan.warnings == ("2 pictures are paid twice: asked, or being asked, in two, which follows this run.",)
    held = await stock(workshop.workspace, run_id, ids)
    assert [held.paid_twice(verb) for verb in (EditVerb.RETRY, EditVerb.REQUEUE, EditVerb.SKIP)] == [2, 2, 0]
    words = edit_consequence(EditVerb.RETRY, held)
    assert words.endswith("2 items are paid twice: asked, or being asked, in two too.")
    view = await run_view(workshop.workspace, run_id)
    assert "two follows this run" in question(Verb.RETRY, 2, 1, view).body


async def test_what_the_refusal_of_waiting_pictures_says_really_helps(workshop: Workshop) -> None:
    run_id, ids = await made(workshop)
    there = Elsewhere(endpoint(workshop))
    with pytest.raises(VqaError, match="no picture that was chosen") as refused:
        await follow_up(workshop.workspace, run_id, ids[3:], there)
    assert "item skip" in refused.value.hint and "pause it" not in refused.value.hint
    assert await edit_queue(workshop.workspace, run_id, EditVerb.SKIP, ids[3:]) == 3
    assert (await follow_up(workshop.workspace, run_id, ids[3:], there)).count == 3
