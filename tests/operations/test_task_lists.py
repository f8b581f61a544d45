"""Lists of tasks by steps, and edits of the queue as operations."""

import asyncio
from pathlib import Path

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.filter_grammar import parse_filter
from vqa_tui.domain.queue_edit import EditVerb, TakenBack
from vqa_tui.domain.reply_parts import ReplyForm
from vqa_tui.domain.task import BY_ID, SortField, TaskFilter, TaskSort
from vqa_tui.operations import items, queue_edits
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.store import tasks


async def steps(workshop: Workshop, run_id: int, typed: str, sort: TaskSort = BY_ID) -> list[tuple[list[int], bool]]:
    chosen = parse_filter(typed)
    return [
        (list(found.ids), found.complete)
        async for found in items.task_ids_by_steps(workshop.workspace, run_id, chosen, sort)
    ]


async def test_the_first_page_comes_first_and_then_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_IDS", 2)
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(5)
        run_id = await workshop.run([DONE, BAD_REPLY])
        assert await steps(workshop, run_id, "") == [([1, 2, 3, 4, 5], True)]
        assert await steps(workshop, run_id, "png") == [([1, 2], False), ([1, 2, 3, 4, 5], True)]
        by_cost = TaskSort(SortField.COST, descending=True)
        assert (await steps(workshop, run_id, "", by_cost))[-1] == ([1, 2, 3, 4, 5], True)
        assert await steps(workshop, run_id, "status:skipped") == [([], True)]


async def test_a_reading_that_is_given_up_leaves_everybody_else_alone(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(5)
        run_id = await workshop.run()

        async def read() -> None:
            async for _found in items.task_ids_by_steps(workspace, run_id, TaskFilter(search="png"), BY_ID):
                await asyncio.Event().wait()

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert len(await items.task_rows(workspace, run_id, [1, 2])) == 2


async def test_edits_are_actions_and_undo_names_what_it_did(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(3)
        run_id = await workshop.run([DONE, BAD_REPLY])
        assert await queue_edits.edit_queue(workspace, run_id, EditVerb.RETRY, [1, 2, 3]) == 1
        assert await queue_edits.edit_queue(workspace, run_id, EditVerb.RETRY, [1, 2, 3]) == 0
        assert await queue_edits.undo_edit(workspace, run_id) == TakenBack(EditVerb.RETRY, 1, 1)
        with pytest.raises(VqaError, match="nothing to take back"):
            await queue_edits.undo_edit(workspace, run_id)
        actions = await workspace.db.read("SELECT verb, new_value FROM action WHERE verb LIKE '%retry' ORDER BY id")
        assert [tuple(row) for row in actions] == [("retry", "1 tasks"), ("undo retry", "1 of 1 tasks")]


async def test_a_detail_knows_how_its_reply_is_read(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(1)
        run_id = await workshop.run([DONE])
        detail = await items.task_detail(workspace, run_id, 1)
        assert detail.reply_form == ReplyForm("text") and detail.attempts[0].purpose == "ask"
