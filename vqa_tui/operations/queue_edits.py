"""Moving chosen tasks of a run: retry, skip, requeue, and taking that back."""

import difflib
import time
from collections.abc import Sequence
from dataclasses import replace

from vqa_tui.domain.changes import UNCHANGED, TaskChanges
from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.part import PICTURE, counted
from vqa_tui.domain.queue_edit import MOVABLE, EditVerb, Stock, TakenBack
from vqa_tui.domain.run import RunView, TaskStatus
from vqa_tui.operations.runs import go_on_if_ended
from vqa_tui.operations.workspace import Workspace, connection_for, operator
from vqa_tui.process.edit_lock import taking_an_edit_back, writing_an_edit
from vqa_tui.store import queue_edits, runs
from vqa_tui.store.follow_ups import asked_elsewhere


async def stock(workspace: Workspace, run_id: int, ids: Sequence[int]) -> Stock:
    """Return what the chosen tasks hold, for the question before an edit."""
    frozen = await runs.frozen_run(workspace.db, run_id)
    async with connection_for(workspace, len(ids)) as opened:
        found = await queue_edits.stock(opened.db, run_id, ids)
        elsewhere = {
            status: await asked_elsewhere(opened.db, run_id, ids, [status])
            for status in MOVABLE[EditVerb.REQUEUE]
            if found.by_status.get(status)
        }
    return replace(
        found,
        elsewhere={status: len(each.ids) for status, each in elsewhere.items() if each.ids},
        followers=tuple(dict.fromkeys(name for each in elsewhere.values() for name in each.runs)),
        unit=PICTURE if frozen is None else frozen.unit,
    )


async def edit_queue(workspace: Workspace, run_id: int, verb: EditVerb, ids: Sequence[int]) -> int:
    """Move those of `ids` that `verb` applies to; return how many. A run that had ended goes on if something waits.

    Attempts that were recorded stay. Pairs of a done task stay, in exports too, until a new reply replaces them.
    Raises VqaError as `move` and `go_on_with` do.
    """
    moved = sum((await move(workspace, run_id, verb, ids=ids)).values())
    if not moved:
        return 0
    await runs.note_action(workspace.db, run_id, who=operator(), verb=verb, detail=f"{moved} tasks")
    if verb is not EditVerb.SKIP:
        await go_on_with(workspace, run_id, moved)
    return moved


async def retry_failed(workspace: Workspace, run_id: int, *, kinds: Sequence[str] = ()) -> int:
    """Put failed tasks back into the queue and return how many; a run that was done goes on, a stopped one waits.

    `kinds` narrows by failure kind. Raises VqaError for an unknown kind, and as `move` and `go_on_with` do.
    """
    known = [str(kind) for kind in FailureKind]
    for kind in kinds:
        if kind not in known:
            close = difflib.get_close_matches(kind, known, 1)
            raise VqaError(
                f"unknown failure kind {kind!r}",
                hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}",
            )
    count = sum((await move(workspace, run_id, EditVerb.RETRY, kinds=kinds)).values())
    if not count:
        return 0
    which = f"of kind {', '.join(kinds)}" if kinds else "of any kind"
    await runs.note_action(workspace.db, run_id, who=operator(), verb="retry", detail=f"{count} failed tasks {which}")
    await go_on_with(workspace, run_id, count)
    return count


async def undo_edit(workspace: Workspace, run_id: int) -> TakenBack:
    """Take back the newest edit of whoever asks that still stands, for the tasks that nobody has touched since.

    Raises VqaError when there is nothing to take back, while an edit of the run is being written, and as `go_on_with`
    does.
    """
    await _require_run(workspace, run_id)
    who = operator()
    with taking_an_edit_back(workspace.paths.run_edit_lock(run_id)):
        undone = await queue_edits.take_back(workspace.db, run_id, who=who)
    if undone is None:
        raise await _nothing_to_take_back(workspace, run_id, who)
    back, statuses = undone
    detail = f"{back.restored} of {back.tasks} tasks"
    await runs.note_action(workspace.db, run_id, who=who, verb=f"undo {back.verb}", detail=detail)
    if TaskStatus.PENDING in statuses:
        await go_on_with(workspace, run_id, back.restored)
    return back


async def move(
    workspace: Workspace,
    run_id: int,
    verb: EditVerb,
    *,
    ids: Sequence[int] | None = None,
    kinds: Sequence[str] = (),
    changes: TaskChanges = UNCHANGED,
) -> dict[TaskStatus, int]:
    """Move tasks as `store.queue_edits.move_tasks` does, with the edit kept from being taken back until it is written.

    Raises VqaError when there is no such run, and while an edit of it is being taken back.
    """
    await _require_run(workspace, run_id)
    with writing_an_edit(workspace.paths.run_edit_lock(run_id)):
        return await queue_edits.move_tasks(
            workspace.db, run_id, verb, who=operator(), ids=ids, kinds=kinds, changes=changes
        )


async def go_on_with(workspace: Workspace, run_id: int, count: int) -> RunView:
    """Let a run that had ended go on with the `count` tasks that were put back; return it as it stood before.

    Raises VqaError when its engine cannot work, with a hint that they were put back all the same.
    """
    try:
        return await go_on_if_ended(workspace, run_id)
    except VqaError as problem:
        frozen = await runs.frozen_run(workspace.db, run_id)
        what = counted(count, PICTURE if frozen is None else frozen.unit)
        told = f"{what} {'was' if count == 1 else 'were'} put back into the queue; resume the run when that is mended."
        raise VqaError(problem.message, hint=f"{problem.hint}\n{told}" if problem.hint else told) from problem


async def _require_run(workspace: Workspace, run_id: int) -> None:
    if await runs.frozen_run(workspace.db, run_id) is None:
        raise VqaError(f"there is no run {run_id}")


async def _nothing_to_take_back(workspace: Workspace, run_id: int, who: str) -> VqaError:
    newest = await queue_edits.newest_edit(workspace.db, run_id)
    if newest is None:
        return VqaError(
            "there is nothing to take back",
            hint=f"Edits of the queue can be taken back, the newest {queue_edits.EDITS_KEPT} of each run.",
        )
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(newest.at))
    return VqaError(
        f"there is nothing of yours to take back, {who}",
        hint=f"The newest edit is by {newest.who}: {newest.verb} of {newest.tasks} tasks, {at}. Everybody takes back "
        "their own.",
    )
