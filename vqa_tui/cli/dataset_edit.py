"""`vqa-tui dataset rename` and `dataset delete`."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.asking import NOTHING_DELETED, confirmed, require_somebody
from vqa_tui.cli.dataset_look import NameArgument
from vqa_tui.cli.options import WorkspaceOption, in_workspace
from vqa_tui.cli.output import note, say

if TYPE_CHECKING:
    from vqa_tui.operations.dataset_edits import DeletedDataset
    from vqa_tui.operations.workspace import Workspace

_TOLD_EVERY = 100_000
"""Pictures between two lines that tell how far a deletion has come."""


def rename(
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Give a dataset another name; its runs and a later import of the same source follow."""
    from vqa_tui.operations.dataset_edits import rename_dataset

    async def work(opened: "Workspace") -> str:
        return await rename_dataset(opened, name, new)

    say(f"{name} is called {in_workspace(workspace, work)} now.")


def delete(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete what the workspace knows of a dataset. Its pictures stay; a dataset that a run uses is refused."""
    from vqa_tui.operations.dataset_edits import delete_dataset, finish_deletions, refuse_used
    from vqa_tui.operations.datasets import dataset_view
    from vqa_tui.tui.present.dataset_words import deletion_words
    from vqa_tui.tui.present.numbers import count, plural

    told = 0

    def progress(done: int, of: int) -> None:
        nonlocal told
        if done - told >= _TOLD_EVERY:
            told = done
            note(f"{count(done)} of {count(of)} pictures")

    async def ask(opened: "Workspace") -> str:
        view = await dataset_view(opened, name)
        refuse_used(name, view.runs)
        return deletion_words(view)

    words = in_workspace(workspace, ask)
    if not yes:
        require_somebody(f"this deletes what the workspace knows of {name}")
        note(words)
        if not confirmed("Delete it?", otherwise=NOTHING_DELETED):
            say(NOTHING_DELETED)
            return

    async def work(opened: "Workspace") -> "DeletedDataset":
        gone = await delete_dataset(opened, name, progress=progress)
        await finish_deletions(opened)
        return gone

    gone = in_workspace(workspace, work)
    say(f"{gone.name} is deleted: the records of {plural(gone.items, 'picture')}.")
