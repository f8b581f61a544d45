"""What a person can do with a whole run that is at rest: rename it, put it out of sight, delete it."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import LIVE_PHASES, EngineState, RunView
from vqa_tui.domain.run_contents import DeletedRun, DeletedRuns, RunContents
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.operations.making_runs import give_up_broken_off
from vqa_tui.operations.runs import list_runs, run_view
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.process.lock import AlreadyAtWork, ProcessLock
from vqa_tui.store import run_course as store_course
from vqa_tui.store import run_deletion, run_edits
from vqa_tui.store.inflight import read_flights
from vqa_tui.store.quota_use import LIVELY_S

Progress = Callable[[int, int], None]
"""(pictures deleted by now, of so many)."""


async def rename_run(workspace: Workspace, run_id: int, name: str) -> str:
    """Give a run another name and return the old one; an engine at work does not mind.

    Raises VqaError when that cannot be a name, or is taken.
    """
    require_run_name(name)
    return await run_edits.rename_run(workspace.db, run_id, name, who=operator())


async def archive_run(workspace: Workspace, run_id: int) -> bool:
    """Put a run out of sight; return whether it was in sight. Raises VqaError while an engine is at work, or lost."""
    view = await run_view(workspace, run_id)
    if view.engine.state is EngineState.LOST:
        raise VqaError(
            f"run {view.name} lost its engine and waits for somebody",
            hint=f"`vqa-tui run resume {view.name}` or `run stop {view.name}`; then archive it.",
        )
    _require_no_engine(view, "archived")
    return await run_edits.set_archived(workspace.db, run_id, True, who=operator())


async def unarchive_run(workspace: Workspace, run_id: int) -> bool:
    """Bring a run back into sight; return whether it was out of it."""
    return await run_edits.set_archived(workspace.db, run_id, False, who=operator())


async def run_contents(workspace: Workspace, run_id: int) -> RunContents:
    """Return what would go with a run. Raises VqaError when it is gone."""
    found = await run_deletion.run_contents(workspace.db, run_id)
    if found is None:
        raise VqaError(f"there is no run {run_id}")
    return found


async def delete_run(
    workspace: Workspace, run_id: int, *, words: str = "", progress: Progress | None = None
) -> RunContents:
    """Delete a run with its queue, requests, pairs and log; return what went. `words` tell that in the log of actions.

    The run is gone for everybody at once; emptying it takes seconds to minutes, in short transactions, so that engines
    at work hardly notice. When that is broken off, `finish_deletions` goes on with it. What the run had cost stays
    known, and its requests of today count against their quotas for as long as the day lasts.

    Raises VqaError while its engine is there, and while another engine may not have counted its last requests.
    """
    view = await run_view(workspace, run_id)
    _require_no_engine(view, "deleted")
    contents = await run_contents(workspace, run_id)
    try:
        # Whoever holds the lock is the engine: none can start meanwhile.
        async with ProcessLock(workspace.paths.run_lock(run_id)):
            await _require_counted(workspace, view)
            await run_deletion.mark_deleted(
                workspace.db,
                run_id,
                who=operator(),
                words=words,
                flights=read_flights(workspace.paths.run_flight_journal(run_id)),
            )
            await _empty(workspace, run_id, contents.pictures, progress)
    except AlreadyAtWork as error:
        raise VqaError(f"an engine has just started to work on run {view.name}", hint=_stop_first(view)) from error
    return contents


async def finish_deletions(workspace: Workspace) -> int:
    """Go on with deletions that were broken off; return how many were. Those that another process works on are left.

    What is left of runs whose maker was killed goes as well.
    """
    await give_up_broken_off(workspace)
    finished = 0
    for run_id in await run_deletion.unfinished_deletions(workspace.db):
        lock = ProcessLock(workspace.paths.run_lock(run_id))
        try:
            await lock.acquire(patience_s=0.2)
        except AlreadyAtWork:
            continue
        try:
            await _empty(workspace, run_id, 0, None)
        finally:
            lock.release()
        finished += 1
    return finished


async def run_course(workspace: Workspace, run_id: int, cells: int) -> tuple[float, ...]:
    """Return finished pictures a second over the whole life of a run, in `cells` equal spans; () if it never worked."""
    return await store_course.run_course(workspace.db, run_id, cells)


async def deleted_runs(workspace: Workspace) -> DeletedRuns:
    """Return how many runs were deleted from this workspace, and what they had cost."""
    return await run_deletion.deleted_runs(workspace.db)


async def list_deleted_runs(workspace: Workspace) -> list[DeletedRun]:
    """Return what stays known of each run that was deleted, the one that was deleted last first."""
    return await run_deletion.list_deleted_runs(workspace.db)


async def _empty(workspace: Workspace, run_id: int, pictures: int, progress: Progress | None) -> None:
    """Delete the rows of a marked run, then its folder, then the run; whatever is left can be deleted later."""
    deleted = 0
    async for chunk in run_deletion.empty_run(workspace.db, run_id):
        deleted += chunk.tasks
        if progress is not None:
            progress(deleted, max(pictures, deleted))
    await asyncio.to_thread(_remove_folder, workspace.paths.run_folder(run_id))
    await run_deletion.finish_deletion(workspace.db, run_id)


def _remove_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise VqaError(
            f"the folder {folder} cannot be removed: {error.strerror}",
            hint="The run is deleted but for its log. Mend what is wrong there; the next deletion removes it.",
        ) from error


def _require_no_engine(view: RunView, what: str) -> None:
    """Raise VqaError while a process works on the run, or hangs."""
    if view.engine.state is EngineState.ALIVE:
        raise VqaError(
            f"an engine is at work on run {view.name}, so it cannot be {what}",
            hint=_stop_first(view),
        )
    if view.engine.state is EngineState.HUNG:
        raise VqaError(
            f"the engine of run {view.name} does not answer but is still there, so the run cannot be {what}",
            hint=f"Wait for it, or end it with `kill -9 {view.engine.pid}`; then again.",
        )


def _stop_first(view: RunView) -> str:
    return f"Stop it first: `vqa-tui run stop {view.name}`; then again."


async def _require_counted(workspace: Workspace, view: RunView) -> None:
    """Raise VqaError while another engine at the same endpoint may not have counted this run's last requests."""
    age = view.engine.heartbeat_age_s
    if age is None or age >= LIVELY_S:
        return
    for other in await list_runs(workspace):
        at_work = other.engine in (EngineState.ALIVE, EngineState.HUNG) and other.phase in LIVE_PHASES
        if other.id != view.id and at_work and other.endpoint == view.endpoint:
            at = time.strftime("%H:%M:%S", time.localtime(time.time() + LIVELY_S - age))
            raise VqaError(
                f"the last requests of run {view.name} still count against the quota of the endpoint {view.endpoint}, "
                f"which run {other.name} draws on now",
                hint=f"It can be deleted after {at}.",
            )
