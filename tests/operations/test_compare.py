"""Comparing two runs of a real workspace."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, FLAGGED, SERVER, Fate, Workshop, opened_workshop
from vqa_tui.domain.comparison import Difference, Spread, differences, percentile
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.sample import Pair
from vqa_tui.operations import compare
from vqa_tui.operations.compare import compare_runs
from vqa_tui.operations.run_edits import delete_run
from vqa_tui.store import compare as store_compare


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with opened_workshop(tmp_path, pictures=6) as made:
        yield made


def says(answer: str, question: str = "What is shown?") -> Fate:
    return Fate(pairs=(Pair(question, answer, "general"),), latency_ms=float(100 * len(answer)))


async def test_figures_of_both_sides(workshop: Workshop) -> None:
    first = await workshop.run([DONE, FLAGGED, BAD_REPLY, SERVER])
    second = await workshop.run([DONE, DONE], name="second")
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = CASE WHEN answer = 'x' THEN 'rejected' ELSE 'accepted' "
                                  "END WHERE run_id = ?", (first,))  # fmt: skip
    found = await compare_runs(workshop.workspace, first, second)
    one, two = found.first, found.second
    assert (one.name, one.pictures, one.done, one.failed, one.pairs) == ("first", 6, 2, 2, 2)
    assert one.spent == Decimal("0.000411") and one.cost_per_picture == Decimal("0.00010275")
    assert (one.requests, one.retries, one.pairs_per_picture) == (4, 0, 1.0)
    assert one.failures == {"bad_reply": 1, "server": 1} == one.request_failures
    assert (one.reviewed, one.defect_rate) == (2, 0.5)
    assert one.sampled.flags == {"short_answer": 1}
    assert one.sampled.answer_length == Spread(1, 15, 15)
    assert (two.defect_rate, two.failures, two.sampled.flags) == (None, {}, {})
    assert two.sampled.latency_p50_ms == two.sampled.latency_p95_ms == 800.0
    assert found.differences == ()


async def test_a_retry_is_a_request_beyond_the_first(workshop: Workshop) -> None:
    first = await workshop.run([SERVER, SERVER, DONE])
    second = await workshop.run([DONE], name="second")
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute(
            "INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, kind) "
            "SELECT run_id, id, 2, 1, 'main', 5, 'server' FROM task WHERE run_id = ? AND status = 'failed'",
            (first,),
        )
    found = await compare_runs(workshop.workspace, first, second)
    assert (found.first.requests, found.first.retries) == (5, 2)


async def test_agreement_is_over_the_pictures_that_both_answered(workshop: Workshop) -> None:
    first = await workshop.run([says("a red bag"), says("blue"), BAD_REPLY, says("green bag"), says("x")])
    second = await workshop.run([says("The red bag."), says("yellow"), DONE, says("green box")], name="second")
    agreement = (await compare_runs(workshop.workspace, first, second)).agreement
    assert (agreement.both, agreement.sampled) == (3, 3)
    assert agreement.score == pytest.approx((1 + 0 + 0.5) / 3)
    assert (agreement.same_questions, agreement.equal_answers) == (3, 1)
    assert agreement.equal_share == pytest.approx(1 / 3)
    assert [(each.item_key, each.score) for each in agreement.least] == [
        ("instances/images/00001.png", 0.0),
        ("instances/images/00003.png", 0.5),
    ]
    worst = agreement.least[0]
    pairs = await store_compare.pairs_of_tasks(workshop.workspace.db, [worst.first_task, worst.second_task])
    assert [pairs[task][0].answer for task in (worst.first_task, worst.second_task)] == ["blue", "yellow"]


async def test_of_very_many_pictures_an_evenly_spread_sample_is_compared(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await workshop.run([says("a")] * 6)
    second = await workshop.run([says("b")] * 6, name="second")
    monkeypatch.setattr(compare, "MOST_SAMPLED", 3)
    monkeypatch.setattr(compare, "_PAGE", 2)
    monkeypatch.setattr(store_compare, "_PAGE", 2)
    found = await compare_runs(workshop.workspace, first, second)
    assert (found.agreement.both, found.agreement.sampled) == (6, 3)
    assert [each.item_key for each in found.agreement.least] == [f"instances/images/{n:05}.png" for n in (1, 3, 5)]
    assert found.first.sampled.pictures == 3


async def test_settings_that_differ(workshop: Workshop) -> None:
    first = await workshop.run([DONE], recipe="caption")
    second = await workshop.run([DONE], name="second", recipe="general-vqa")
    found = await compare_runs(workshop.workspace, first, second)
    assert Difference("recipe.name", "caption", "general-vqa") in found.differences
    assert not any(each.setting.startswith("endpoint.") for each in found.differences)


async def test_what_cannot_be_compared(workshop: Workshop) -> None:
    first = await workshop.run([DONE])
    await workshop.dataset(2, name="boxes")
    other = await workshop.run([DONE], name="other", dataset="boxes")
    with pytest.raises(VqaError, match="with itself"):
        await compare_runs(workshop.workspace, first, first)
    with pytest.raises(VqaError, match="first is of the dataset bags, run other of boxes"):
        await compare_runs(workshop.workspace, first, other)
    await delete_run(workshop.workspace, other)
    with pytest.raises(VqaError, match="there is no run"):
        await compare_runs(workshop.workspace, first, other)


async def test_runs_that_have_answered_nothing(workshop: Workshop) -> None:
    first = await workshop.run([])
    second = await workshop.run([BAD_REPLY], name="second")
    found = await compare_runs(workshop.workspace, first, second)
    assert found.agreement.score is None and found.agreement.both == 0
    assert found.first.cost_per_picture is None and found.first.sampled.answer_length is None


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 6, 7])
async def test_a_sample_is_spread_evenly(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    run_id = await workshop.run([says("a")] * 6)
    monkeypatch.setattr(store_compare, "_PAGE", 4)
    found = await store_compare.done_tasks(workshop.workspace.db, run_id, most)
    chosen = [task for task, _none in found.tasks]
    assert found.number == 6 and len(chosen) == min(6, most)
    assert chosen == sorted(set(chosen))
    steps = {after - before for before, after in pairwise(chosen)}
    assert not steps or max(steps) - min(steps) <= 1


def test_settings_are_named_by_their_place() -> None:
    first = {"a": 1, "b": {"c": [1, 2], "d": None}, "e": [{"f": 1}]}
    second = {"a": 1, "b": {"c": [1, 3], "d": True}, "e": [{"f": 1}, {"f": 2}]}
    assert differences(first, second) == (
        Difference("b.c", "1, 2", "1, 3"),
        Difference("b.d", "", "True"),
        Difference("e[1].f", "", "2"),
    )


def test_percentiles_are_values_that_were_seen() -> None:
    assert [percentile([1, 2, 3, 4], share) for share in (0, 0.5, 0.95, 1)] == [1, 3, 4, 4]
