"""An export while the workspace moves on: nothing is lost unsaid, and what is being deleted is in none."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.priced import endpoint, task_ids
from tests.tui.workshop import BAD_REPLY, DONE, Fate, Workshop
from vqa_tui.domain.export import ExportedRun, ExportPage
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations import exports
from vqa_tui.operations.datasets import list_datasets
from vqa_tui.operations.exports import ExportReport, export_run
from vqa_tui.operations.follow_ups import Elsewhere, follow_up
from vqa_tui.operations.queue_edits import edit_queue
from vqa_tui.operations.run_edits import delete_run
from vqa_tui.operations.runs import list_runs
from vqa_tui.store import run_deletion
from vqa_tui.store.db import Database
from vqa_tui.store.exports import exported_pictures


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[object]]], None]:
    """Have something done once, after the first page of two pictures was read."""

    def set_up(do: Callable[[], Awaitable[object]]) -> None:
        async def slowly(database: Database, run: ExportedRun) -> AsyncIterator[ExportPage]:
            first = True
            async for page in exported_pictures(database, run, page_pictures=2):
                yield page
                if first:
                    first = False
                    await do()

        monkeypatch.setattr(exports, "exported_pictures", slowly)

    return set_up


def said(answer: str) -> Fate:
    return replace(DONE, pairs=(replace(DONE.pairs[0], answer=answer),))


def answers(path: Path) -> list[str]:
    return [json.loads(line)["conversations"][1]["value"] for line in path.read_text("utf-8").splitlines()]


async def exported(workshop: Workshop, run_id: int) -> ExportReport:
    return await export_run(workshop.workspace, run_id, "qwen", workshop.folder / "out.jsonl")


async def test_a_run_that_is_deleted_meanwhile_is_told_and_the_earlier_file_stays(
    workshop: Workshop, meanwhile: Callable[[Callable[[], Awaitable[object]]], None]
) -> None:
    await workshop.dataset(6)
    run_id = await workshop.run([DONE] * 6)
    out = (await exported(workshop, run_id)).folder / "out.jsonl"
    before = out.read_bytes()
    meanwhile(lambda: delete_run(workshop.workspace, run_id))
    with pytest.raises(VqaError, match="the run first was deleted while it was exported"):
        await exported(workshop, run_id)
    assert out.read_bytes() == before


async def test_a_follow_up_that_is_deleted_meanwhile_is_told_too(
    workshop: Workshop, meanwhile: Callable[[Callable[[], Awaitable[object]]], None]
) -> None:
    await workshop.dataset(6)
    run_id = await workshop.run([BAD_REPLY] * 6)
    two = await follow_up(
        workshop.workspace, run_id, await task_ids(workshop, run_id), Elsewhere(endpoint(workshop), name="two")
    )
    await workshop.settle(two.run_id, [DONE] * 6)
    meanwhile(lambda: delete_run(workshop.workspace, two.run_id))
    with pytest.raises(VqaError, match="the run two, which follows first, was deleted"):
        await exported(workshop, run_id)
    assert not (workshop.folder / "out.jsonl").exists()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the run", "in one that follows it"])
async def test_a_picture_that_is_asked_again_meanwhile_comes_with_its_new_pairs(
    workshop: Workshop, meanwhile: Callable[[Callable[[], Awaitable[object]]], None], elsewhere: bool
) -> None:
    """One that is answered for the first time stays out: it came later."""
    await workshop.dataset(6)
    run_id = asked = await workshop.run([BAD_REPLY if elsewhere else said("old")] * 5)
    if elsewhere:
        ids = await task_ids(workshop, run_id)
        asked = (await follow_up(workshop.workspace, run_id, ids[:5], Elsewhere(endpoint(workshop)))).run_id
        await workshop.settle(asked, [said("old")] * 5)

    async def ask_again() -> None:
        ids = await task_ids(workshop, asked)
        assert await edit_queue(workshop.workspace, asked, EditVerb.REQUEUE, [ids[4]]) == 1
        await workshop.settle(asked, [said("new")])
        await workshop.settle(run_id, [said("came later")])

    meanwhile(ask_again)
    report = await exported(workshop, run_id)
    assert answers(workshop.folder / "out.jsonl") == ["old"] * 4 + ["new"]
    assert read_manifest(report.manifest).pictures == 5


async def test_what_review_left_out_is_counted_where_its_pairs_are_from(workshop: Workshop) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, DONE, BAD_REPLY, BAD_REPLY])
    two = await follow_up(
        workshop.workspace, run_id, await task_ids(workshop, run_id), Elsewhere(endpoint(workshop), name="two")
    )
    await workshop.settle(two.run_id, [said("elsewhere")] * 4)
    async with workshop.workspace.db.write() as transaction:
        # Of the run itself the first is rejected; of the follow-up one that is not exported, and one that would be.
        await transaction.execute(
            "UPDATE sample SET verdict = 'rejected' WHERE id IN (SELECT id FROM sample WHERE run_id = ?1 ORDER BY id "
            "LIMIT 1) OR id IN (SELECT id FROM sample WHERE run_id = ?2 ORDER BY id LIMIT 1 OFFSET 1) "
            "OR id IN (SELECT id FROM sample WHERE run_id = ?2 ORDER BY id LIMIT 1 OFFSET 2)",
            (run_id, two.run_id),
        )
    report = await exported(workshop, run_id)
    assert answers(workshop.folder / "out.jsonl") == ["A coloured bag.", "elsewhere"]
    assert read_manifest(report.manifest).skipped.rejected_pairs == 2
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE id = 2")
    report = await export_run(workshop.workspace, run_id, "qwen", workshop.folder / "out.jsonl", reviewed="accepted")
    skipped = read_manifest(report.manifest).skipped
    assert (report.pairs, skipped.rejected_pairs, skipped.unaccepted_pairs) == (1, 2, 1)


async def test_a_run_that_is_marked_as_deleted_is_in_no_export_and_in_no_list(workshop: Workshop) -> None:
    """Its rows are still there: whoever deleted it was cut off."""
    await workshop.dataset(2)
    run_id = await workshop.run([BAD_REPLY, DONE])
    ids = await task_ids(workshop, run_id)
    two = await follow_up(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), name="two"))
    await workshop.settle(two.run_id, [said("elsewhere")] * 2)
    await run_deletion.mark_deleted(workshop.workspace.db, two.run_id, who="me", words="", flights=[])
    await exported(workshop, run_id)
    assert answers(workshop.folder / "out.jsonl") == ["A coloured bag."]
    assert [run.followed_by for run in await list_runs(workshop.workspace)] == [()]
    (dataset,) = await list_datasets(workshop.workspace)
    assert dataset.runs == ("first",)
    with pytest.raises(VqaError, match=f"there is no run {two.run_id}"):
        await exported(workshop, two.run_id)
    three = await follow_up(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), name="three"))
    await run_deletion.mark_deleted(workshop.workspace.db, run_id, who="me", words="", flights=[])
    assert [(run.id, run.follows) for run in await list_runs(workshop.workspace)] == [(three.run_id, "")]
