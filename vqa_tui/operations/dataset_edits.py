"""Renaming a dataset, and taking one out of the workspace."""

from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import checked_name, dataset_row
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import dataset_edits as store

_RUNS_NAMED = 5


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


async def delete_dataset(workspace: Workspace, name: str) -> DeletedDataset:
    """Delete what the workspace knows of a dataset; no picture is touched.

    Raises VqaError when there is no such dataset or a run uses it: its items would lose their pictures.
    """
    row = await dataset_row(workspace, name)
    refuse_used(name, (await store.runs_by_dataset(workspace.db)).get(row.id, ()))
    if not await store.delete_dataset(workspace.db, row.id, who=operator()):
        raise VqaError(
            f"the dataset {name} is used by a run that was just created, or is still being deleted", hint=_KEEP
        )
    return DeletedDataset(name, row.items, row.problems)


def refuse_used(name: str, runs: tuple[str, ...]) -> None:
    """Raise VqaError, naming the runs, when there are any that use the dataset."""
    if not runs:
        return
    more = f" and {len(runs) - _RUNS_NAMED} more" if len(runs) > _RUNS_NAMED else ""
    named = f"{', '.join(runs[:_RUNS_NAMED])}{more}"
    verb = "uses" if len(runs) == 1 else "use"
    raise VqaError(f"the dataset {name} cannot be deleted: {named} {verb} it", hint=_KEEP)


_KEEP = "A run needs its dataset to show its items and to export its pairs."
