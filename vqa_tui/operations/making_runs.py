"""Who makes a run holds its lock meanwhile; what is left of one whose maker was killed is given to the deletion."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.process.lock import AlreadyAtWork, ProcessLock, is_locked
from vqa_tui.store import runs
from vqa_tui.store.run_creation import Hold, abandon_unfinished, unfinished_runs


@asynccontextmanager
async def making_a_run(workspace: Workspace) -> AsyncIterator[Hold]:
    """Yield what takes the lock of a run as it is begun; the lock is held until this ends.

    What is left of runs whose maker was killed is given up before, so that their names and pictures are free.
    """
    await give_up_broken_off(workspace)
    held: list[ProcessLock] = []

    async def hold(run_id: int) -> None:
        lock = ProcessLock(workspace.paths.run_lock(run_id))
        await lock.acquire()
        held.append(lock)

    try:
        yield hold
    finally:
        for lock in held:
            lock.release()


async def give_up_broken_off(workspace: Workspace) -> None:
    """Mark runs as deleted that nobody goes on making; those that another process is making are left."""
    for run_id in await unfinished_runs(workspace.db):
        lock = ProcessLock(workspace.paths.run_lock(run_id))
        try:
            await lock.acquire(patience_s=0)
        except AlreadyAtWork:
            continue
        try:
            await abandon_unfinished(workspace.db, run_id, who=operator())
        finally:
            lock.release()


async def taken_names(workspace: Workspace) -> set[str]:
    """Return the names that a new run cannot have: those of all runs, and of those that are being made."""
    names = {name for _id, name in await runs.run_names(workspace.db)}
    made = [each for each in await unfinished_runs(workspace.db) if is_locked(workspace.paths.run_lock(each))]
    return names | await runs.names_of(workspace.db, made) if made else names
