"""Looking at the tasks of a run."""

import functools
from array import array
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.domain.clip import address
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import Part
from vqa_tui.domain.reply_parts import ReplyForm
from vqa_tui.domain.task import BY_ID, FilterValues, SortField, TaskDetail, TaskFilter, TaskRow, TaskSort
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import runs, tasks
from vqa_tui.store.db import Database

if TYPE_CHECKING:
    from vqa_tui.config.templates import PromptTemplate

# Recipes and templates are imported where they are needed: they are heavy to load, and a list shows none.


@dataclass(frozen=True, slots=True)
class TaskIds:
    """Ids of a list of tasks in its order, or with `complete` unset the first of them."""

    ids: "array[int]"
    complete: bool


async def task_ids(workspace: Workspace, run_id: int, chosen: TaskFilter, sort: TaskSort = BY_ID) -> "array[int]":
    """Return the ids of the tasks that `chosen` means, in order; 8 bytes each, so a million fit easily."""
    return await tasks.task_ids(workspace.db, run_id, chosen, sort)


async def task_ids_by_steps(
    workspace: Workspace, run_id: int, chosen: TaskFilter, sort: TaskSort = BY_ID
) -> "AsyncIterator[TaskIds]":
    """Yield the ids of `task_ids`: those of a page as soon as they are found, and then all of them.

    Whatever takes long is read over a connection of its own, so that it keeps nobody else from reading; it is broken
    off when the caller stops.
    """
    if chosen == TaskFilter() and sort.by is SortField.ID:
        yield TaskIds(await tasks.task_ids(workspace.db, run_id, chosen, sort), complete=True)
        return
    found = array("q")
    async with Database.open(workspace.paths) as database:
        try:
            async for piece in tasks.task_id_pieces(database, run_id, chosen, sort):
                found.extend(piece)
                if len(found) == len(piece):
                    yield TaskIds(found[:], complete=False)
        except BaseException:
            await database.interrupt()
            raise
    yield TaskIds(found, complete=True)


async def filter_values(workspace: Workspace, run_id: int) -> FilterValues:
    """Return which values a filter may be completed with."""
    return await tasks.filter_values(workspace.db, run_id)


async def task_rows(workspace: Workspace, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
    """Return the rows of `ids` by id; ids of other runs are left out."""
    return await tasks.task_rows(workspace.db, run_id, ids)


async def find_tasks(workspace: Workspace, run_id: int, ref: str) -> list[int]:
    """Return the tasks that `ref` names: all of an item key, one as `key#2`, or one by its id. Raises VqaError when
    there is none."""
    found = await tasks.find_tasks(workspace.db, run_id, ref)
    if not found:
        raise VqaError(f"this run has no item {ref!r}", hint="`vqa-tui item list RUN` shows them.")
    return found


async def find_each_task(workspace: Workspace, run_id: int, refs: Iterable[str]) -> list[int]:
    """Return the tasks that these name as `find_tasks` takes them, each once however often it is named."""
    return list(dict.fromkeys([each for ref in refs for each in await find_tasks(workspace, run_id, ref)]))


async def task_detail(workspace: Workspace, run_id: int, task_id: int) -> TaskDetail:
    """Return everything there is to inspect of one task. Raises VqaError when the run has no such task."""
    rows = await tasks.task_rows(workspace.db, run_id, [task_id])
    found = await tasks.task_item(workspace.db, task_id)
    if task_id not in rows or found is None:
        raise VqaError(f"this run has no item {task_id}")
    item, root = found
    frozen = await runs.frozen_run(workspace.db, run_id)
    return TaskDetail(
        row=rows[task_id],
        item=item,
        picture=address(str(Path(root) / item.path), item.truth.clip),
        prompt=_prompt(frozen.recipe, item, rows[task_id].part) if frozen else "",
        attempts=await tasks.task_attempts(workspace.db, task_id),
        samples=await tasks.task_samples(workspace.db, task_id),
        changes=await tasks.task_changes(workspace.db, task_id),
        reply_form=_reply_form(frozen.recipe, rows[task_id].part) if frozen else ReplyForm(),
        further_pictures=tuple(str(Path(root) / further.path) for further in item.truth.further),
    )


def _prompt(recipe: str, item: Item, part: Part) -> str:
    try:
        prompt = _template(recipe).render(item, part)
    except VqaError as error:
        return f"(this prompt cannot be rendered: {error})"
    return f"{prompt.system}\n\n{prompt.user}" if prompt.system else prompt.user


@functools.lru_cache(maxsize=4)
def _template(recipe: str) -> "PromptTemplate":
    """Return the template of a frozen recipe: compiling one takes longer than reading and rendering an item."""
    from vqa_tui.config.freeze import thaw_recipe
    from vqa_tui.config.templates import PromptTemplate

    return PromptTemplate(thaw_recipe(recipe))


def _reply_form(recipe: str, part: Part) -> ReplyForm:
    """Return how replies of a frozen recipe are read; one that this version cannot thaw is read as by default."""
    try:
        reply = _template(recipe).recipe_of(part).reply
    except VqaError:
        return ReplyForm()
    return ReplyForm(
        reply.kind, reply.question_field, reply.answer_field, is_question=bool(reply.answer), keys=tuple(reply.keys)
    )
