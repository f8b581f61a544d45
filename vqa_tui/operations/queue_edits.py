"""Moving chosen tasks of a run: retry, skip, requeue, and taking that back."""

from collections.abc import Sequence
from dataclasses import replace

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import MOVABLE, EditVerb, Stock, TakenBack
from vqa_tui.domain.run import TaskStatus
from vqa_tui.operations.runs import go_on_if_ended
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import queue_edits, runs
from vqa_tui.store.db import Database
from vqa_tui.store.follow_ups import asked_elsewhere

_MANY = 5_000
"""Tasks from which on they are counted over a connection of its own, so that nobody else waits."""


async def stock(workspace: Workspace, run_id: int, ids: Sequence[int]) -> Stock:
    """Return what the chosen tasks hold, for the question before an edit."""
    if len(ids) < _MANY:
        return await _stock(workspace.db, run_id, ids)
    async with Database.open(workspace.paths) as database:
        return await _stock(database, run_id, ids)


async def _stock(database: Database, run_id: int, ids: Sequence[int]) -> Stock:
    found = await queue_edits.stock(database, run_id, ids)
    elsewhere = {
        status: await asked_elsewhere(database, run_id, ids, [status])
        for status in MOVABLE[EditVerb.REQUEUE]
        if found.by_status.get(status)
    }
    return replace(
        found,
        elsewhere={status: len(each.ids) for status, each in elsewhere.items() if each.ids},
        followers=tuple(dict.fromkeys(name for each in elsewhere.values() for name in each.runs)),
    )


async def edit_queue(workspace: Workspace, run_id: int, verb: EditVerb, ids: Sequence[int]) -> int:
    """Move those of `ids` that `verb` applies to; return how many. A run that had ended goes on if something waits.

    Attempts that were recorded stay. Pairs of a done task stay, in exports too, until a new reply replaces them.
    """
    moved = await queue_edits.edit_queue(workspace.db, run_id, verb, who=operator(), ids=ids)
    if not moved:
        return 0
    await runs.note_action(workspace.db, run_id, who=operator(), verb=verb, detail=f"{moved} tasks")
    if verb is not EditVerb.SKIP:
        await go_on_if_ended(workspace, run_id)
    return moved


async def undo_edit(workspace: Workspace, run_id: int) -> TakenBack:
    """Take back the newest edit that still stands, for the tasks that nobody has touched since.

    Raises VqaError when there is nothing to take back.
    """
    undone = await queue_edits.take_back(workspace.db, run_id)
    if undone is None:
        raise VqaError(
            "there is nothing to take back",
            hint=f"Edits of the queue can be taken back, the newest {queue_edits.EDITS_KEPT} of each run.",
        )
    back, statuses = undone
    detail = f"{back.restored} of {back.tasks} tasks"
    await runs.note_action(workspace.db, run_id, who=operator(), verb=f"undo {back.verb}", detail=detail)
    if TaskStatus.PENDING in statuses:
        await go_on_if_ended(workspace, run_id)
    return back
