"""Lists of tasks by steps, and edits of the queue as operations."""

import asyncio
from pathlib import Path

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.filter_grammar import parse_filter
from vqa_tui.domain.queue_edit import EditVerb, TakenBack
from vqa_tui.domain.reply_parts import ReplyForm
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.task import BY_ID, SortField, TaskFilter, TaskSort
from vqa_tui.operations import items, queue_edits
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.process.edit_lock import taking_an_edit_back, writing_an_edit
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


async def test_an_edit_is_taken_back_neither_by_somebody_else_nor_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(3)
        run_id = await workshop.run([DONE, BAD_REPLY])
        monkeypatch.setattr(queue_edits, "operator", lambda: "ada")
        assert await queue_edits.edit_queue(workspace, run_id, EditVerb.RETRY, [2]) == 1
        monkeypatch.setattr(queue_edits, "operator", lambda: "bob")
        with pytest.raises(VqaError, match="there is nothing of yours to take back, bob") as refused:
            await queue_edits.undo_edit(workspace, run_id)
        assert refused.value.hint and "The newest edit is by ada: retry of 1 tasks" in refused.value.hint
        monkeypatch.setattr(queue_edits, "operator", lambda: "ada")
        lock = workspace.paths.run_edit_lock(run_id)
        still = "an edit of this run is still being written"
        with writing_an_edit(lock), writing_an_edit(lock), pytest.raises(VqaError, match=still):
            await queue_edits.undo_edit(workspace, run_id)
        with taking_an_edit_back(lock), pytest.raises(VqaError, match="an edit of this run is being taken back"):
            await queue_edits.edit_queue(workspace, run_id, EditVerb.SKIP, [3])
        # Whoever held it is gone: nothing stands in the way.
        assert await queue_edits.undo_edit(workspace, run_id) == TakenBack(EditVerb.RETRY, 1, 1)


async def test_an_edit_is_kept_from_being_taken_back_as_long_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = list[str]()

    async def move_tasks(*_args: object, **_named: object) -> dict[TaskStatus, int]:
        with pytest.raises(VqaError) as refusal:
            await queue_edits.undo_edit(workspace, run_id)
        refused.append(refusal.value.message)
        return {}

    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(1)
        run_id = await workshop.run([BAD_REPLY])
        monkeypatch.setattr("vqa_tui.store.queue_edits.move_tasks", move_tasks)
        assert await queue_edits.retry_failed(workspace, run_id) == 0
        assert refused == ["an edit of this run is still being written"]


@pytest.mark.parametrize("how", ["retry", "requeue", "undo"])
async def test_what_was_put_back_is_said_where_the_engine_cannot_work(tmp_path: Path, how: str) -> None:
    async with open_workspace(tmp_path) as workspace:
        workshop = Workshop(workspace, workspace, tmp_path)
        await workshop.dataset(2)
        keyless = tmp_path / "keyless.yaml"
        keyless.write_text(
            "{name: keyless, base_url: 'http://127.0.0.1:1/v1', model: m, keys: [{name: main, env: NOT_SET_ANYWHERE}]}"
        )
        fates = [BAD_REPLY] if how == "undo" else [BAD_REPLY, BAD_REPLY]
        run_id = await workshop.run(fates, endpoint=str(keyless), phase=Phase.DONE)
        if how == "undo":
            assert await queue_edits.edit_queue(workspace, run_id, EditVerb.SKIP, [2]) == 1
        with pytest.raises(VqaError, match="no key of the endpoint keyless has a value") as refused:
            if how == "retry":
                await queue_edits.retry_failed(workspace, run_id)
            elif how == "requeue":
                await queue_edits.edit_queue(workspace, run_id, EditVerb.REQUEUE, [1, 2])
            else:
                await queue_edits.undo_edit(workspace, run_id)
        told = "1 picture was put back" if how == "undo" else "2 pictures were put back"
        assert refused.value.hint and told in refused.value.hint
        assert (await workshop.services.run_view(run_id)).counts.pending == (1 if how == "undo" else 2)
