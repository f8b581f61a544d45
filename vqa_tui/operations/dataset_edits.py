"""Renaming a dataset, and taking one out of the workspace."""

from collections.abc import Callable
from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import run_edits
from vqa_tui.operations.datasets import checked_name, dataset_row
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import dataset_edits as store

_RUNS_NAMED = 5

Progress = Callable[[int, int], None]
"""(records of pictures deleted by now, of so many)."""


@dataclass(frozen=True, slots=True)
class DeletedDataset:
    """What was taken out of the workspace; the picture files themselves are where they were."""

    name: str
    items: int
    problems: int


async def rename_dataset(workspace: Workspace, name: str, new: str) -> str:
    """Give a dataset another name and return it. Its runs and a later import of the same source follow.

    Raises VqaError when there is no such dataset, or the new name is malformed or taken.
    """
    row = await dataset_row(workspace, name)
    new = checked_name(new)
    if new == name:
        return name
    if not await store.rename_dataset(workspace.db, row.id, new, who=operator()):
        raise VqaError(f"there is a dataset named {new} already", hint="Choose another name.")
    return new


async def delete_dataset(workspace: Workspace, name: str, *, progress: Progress | None = None) -> DeletedDataset:
    """Delete what the workspace knows of a dataset; no picture is touched.

    The dataset is gone for everybody at once; emptying it takes seconds to minutes, in short transactions, so that
    engines at work hardly notice. When that is broken off, `finish_deletions` goes on with it.

    Raises VqaError when there is no such dataset or a run uses it: its items would lose their pictures.
    """
    row = await dataset_row(workspace, name)
    refuse_used(name, (await store.runs_by_dataset(workspace.db)).get(row.id, ()))
    await run_edits.finish_deletions(workspace)
    if not await store.mark_deleted(workspace.db, row.id, who=operator()):
        refuse_used(name, (await store.runs_by_dataset(workspace.db)).get(row.id, ()))
        raise VqaError(
            f"the dataset {name} is used by a run that is just being deleted",
            hint="Wait until that is done; then again.",
        )
    deleted = 0
    async for records in store.empty_dataset(workspace.db, row.id):
        deleted += records
        if progress is not None:
            progress(deleted, max(row.items, deleted))
    return DeletedDataset(name, row.items, row.problems)


async def finish_deletions(workspace: Workspace) -> int:
    """Go on with deletions that were broken off; return how many were. Another process may do the same beside."""
    unfinished = await store.unfinished_deletions(workspace.db)
    for dataset_id in unfinished:
        async for _records in store.empty_dataset(workspace.db, dataset_id):
            pass
    return len(unfinished)


def refuse_used(name: str, runs: tuple[str, ...]) -> None:
    """Raise VqaError, naming the runs, when there are any that use the dataset."""
    if not runs:
        return
    more = f" and {len(runs) - _RUNS_NAMED} more" if len(runs) > _RUNS_NAMED else ""
    named = f"{', '.join(runs[:_RUNS_NAMED])}{more}"
    verb = "uses" if len(runs) == 1 else "use"
    raise VqaError(f"the dataset {name} cannot be deleted: {named} {verb} it", hint=_KEEP)


_KEEP = "A run needs its dataset to show its items and to export its pairs."
