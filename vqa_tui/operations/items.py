"""Looking at the tasks of a run, and moving chosen ones."""

import functools
from array import array
from collections.abc import Sequence
from pathlib import Path

from vqa_tui.config.freeze import thaw_recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.domain.task import TaskDetail, TaskFilter, TaskRow
from vqa_tui.operations.runs import retry_failed
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import queue, runs, tasks


async def task_ids(workspace: Workspace, run_id: int, chosen: TaskFilter) -> "array[int]":
    """Return the ids of the tasks that `chosen` means, in order; 8 bytes each, so a million fit easily."""
    return await tasks.task_ids(workspace.db, run_id, chosen)


async def task_rows(workspace: Workspace, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
    """Return the rows of `ids` by id; ids of other runs are left out."""
    return await tasks.task_rows(workspace.db, run_id, ids)


async def find_task(workspace: Workspace, run_id: int, ref: str) -> int:
    """Return the task that `ref` names: an item key, or a task id. Raises VqaError when there is none."""
    task_id = await tasks.find_task(workspace.db, run_id, ref)
    if task_id is None:
        raise VqaError(f"this run has no item {ref!r}", hint="`vqa-tui item list RUN` shows them.")
    return task_id


async def task_detail(workspace: Workspace, run_id: int, task_id: int) -> TaskDetail:
    """Return everything there is to inspect of one task. Raises VqaError when the run has no such task."""
    rows = await tasks.task_rows(workspace.db, run_id, [task_id])
    found = await tasks.task_item(workspace.db, task_id)
    if task_id not in rows or found is None:
        raise VqaError(f"this run has no item {task_id}")
    item, root = found
    return TaskDetail(
        row=rows[task_id],
        item=item,
        picture=str(Path(root) / item.path),
        prompt=await _prompt(workspace, run_id, item),
        attempts=await tasks.task_attempts(workspace.db, task_id),
        samples=await tasks.task_samples(workspace.db, task_id),
    )


async def retry_tasks(workspace: Workspace, run_id: int, ids: Sequence[int]) -> int:
    """Put those of `ids` that failed back into the queue; return how many. A run that had ended goes on."""
    return await retry_failed(workspace, run_id, ids=ids)


async def skip_tasks(workspace: Workspace, run_id: int, ids: Sequence[int]) -> int:
    """Take those of `ids` that are pending or failed out of the queue; return how many."""
    count = await queue.skip(workspace.db, run_id, ids)
    if count:
        await runs.note_action(workspace.db, run_id, who=operator(), verb="skip", detail=f"{count} tasks")
    return count


async def _prompt(workspace: Workspace, run_id: int, item: Item) -> str:
    frozen = await runs.frozen_run(workspace.db, run_id)
    if frozen is None:
        return ""
    try:
        prompt = _template(frozen.recipe).render(item)
    except VqaError as error:
        return f"(this prompt cannot be rendered: {error})"
    return f"{prompt.system}\n\n{prompt.user}" if prompt.system else prompt.user


@functools.lru_cache(maxsize=4)
def _template(recipe: str) -> PromptTemplate:
    """Return the template of a frozen recipe: compiling one takes longer than reading and rendering an item."""
    return PromptTemplate(thaw_recipe(recipe))
