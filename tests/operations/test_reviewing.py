"""Reviewing as both faces do it: next pairs, many verdicts at once, edits, and the status."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.tui.workshop import DONE, FLAGGED, Fate, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import Edit, Judgement, Order, ReviewFilter, Verdict
from vqa_tui.domain.sample import Pair
from vqa_tui.operations import reviewing
from vqa_tui.operations.workspace import Workspace, open_workspace, operator, patient_connection

TWO = Fate(pairs=(Pair("Where?", "Left.", "location"), Pair("How many?", "Two.", "count")))


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace with one run: eight pictures, eleven pairs."""
    async with open_workspace(tmp_path) as opened, patient_connection(opened) as writing:
        made = Workshop(opened, writing, tmp_path)
        await made.dataset(8)
        await made.run([TWO, TWO, TWO, DONE, DONE, FLAGGED, FLAGGED, DONE])
        yield opened


async def test_a_review_from_the_first_pair_to_the_last(workspace: Workspace) -> None:
    told: list[int] = []
    await reviewing.place_pairs(workspace, 1, told.append)
    assert told == [11]
    seen: list[int] = []
    while ids := await reviewing.next_ids(workspace, 1):
        seen.append(ids[0])
        verdict = Verdict.REJECTED if len(seen) == 3 else Verdict.ACCEPTED
        await reviewing.judge(workspace, 1, Judgement(ids[0], verdict, picked=Order.STRATIFIED))
    assert sorted(seen) == list(range(1, 12))
    status = await reviewing.review_status(workspace, 1)
    assert (status.pairs, status.reviewed, status.accepted, status.rejected) == (11, 11, 10, 1)
    assert status.question_types == ("count", "general", "location")
    assert status.estimate is not None and status.estimate.enough
    assert status.estimate.rate == pytest.approx(1 / 11) and status.estimate.half_width == 0


async def test_many_at_once_or_none(workspace: Workspace) -> None:
    with pytest.raises(VqaError, match="no pair 99, 98"):
        await reviewing.judge_many(workspace, 1, [1, 99, 98], Judgement(0, Verdict.ACCEPTED))
    assert (await reviewing.review_status(workspace, 1)).reviewed == 0
    await reviewing.judge_many(workspace, 1, [1, 2, 3], Judgement(0, Verdict.ACCEPTED, note="fine"))
    found = [pair async for pair in reviewing.reviewed_pairs(workspace, 1, "accepted")]
    assert [(pair.sample.id, pair.sample.note, pair.sample.reviewer) for pair in found] == [
        (n, "fine", operator()) for n in (1, 2, 3)
    ]


async def test_an_edit_of_one_part_leaves_the_other_also_the_second_time(workspace: Workspace) -> None:
    await reviewing.edit_pair(workspace, 1, 1, None, " On the left. ")
    await reviewing.edit_pair(workspace, 1, 1, "Where is it?", None)
    sample = (await reviewing.review_pairs(workspace, 1, [1]))[1].sample
    assert (sample.final_question, sample.final_answer) == ("Where is it?", "On the left.")
    assert (sample.question, sample.answer, sample.verdict) == ("Where?", "Left.", "accepted")
    await reviewing.undo(workspace, 1)
    sample = (await reviewing.review_pairs(workspace, 1, [1]))[1].sample
    assert (sample.edited_question, sample.edited_answer) == (None, "On the left.")


async def test_empty_and_endless_text_is_refused_and_half_characters_are_mended(workspace: Workspace) -> None:
    for edit in (Edit("", "x"), Edit("x?", " \n")):
        with pytest.raises(VqaError, match="is empty"):
            await reviewing.judge(workspace, 1, Judgement(1, Verdict.ACCEPTED, edit))
    with pytest.raises(VqaError, match="too long"):
        await reviewing.judge(workspace, 1, Judgement(1, note="x" * 100_001))
    await reviewing.judge(workspace, 1, Judgement(1, Verdict.ACCEPTED, Edit("a\ud800?", "b")))
    assert (await reviewing.review_pairs(workspace, 1, [1]))[1].sample.final_question == "a??"


async def test_a_question_type_that_nobody_has_names_the_nearest(workspace: Workspace) -> None:
    await reviewing.place_pairs(workspace, 1)
    with pytest.raises(VqaError, match="question type 'loction'") as refusal:
        await reviewing.next_ids(workspace, 1, chosen=ReviewFilter(question_type="loction"))
    assert "Did you mean location?" in refusal.value.hint
