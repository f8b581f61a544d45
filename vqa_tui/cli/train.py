"""`vqa-tui train …`: the trainings of the workspace, and their logs."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, print_table, say

if TYPE_CHECKING:
    from vqa_tui.domain.training import TrainingSummary
    from vqa_tui.operations.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Trainings: look at them and their logs.", rich_markup_mode=None)


@app.command("list")
def list_trainings(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the trainings of the workspace, newest first."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import trainings

    async def work(opened: "Workspace") -> "tuple[TrainingSummary, ...]":
        return await trainings.list_trainings(opened)

    found = in_workspace(workspace, work)
    if json:
        print_json(found)
        return
    columns = (Column("NO", right=True), Column("STATE"), Column("LOG BYTES", right=True))
    rows = [(str(each.id), "at work" if each.at_work else "at rest", f"{each.log_bytes:,}") for each in found]
    print_table(columns, rows, empty="No training yet.")


@app.command("log")
def show_log(
    number: Annotated[int, typer.Argument(metavar="NO", min=1, help="Number of the training.", show_default=False)],
    workspace: WorkspaceOption = None,
) -> None:
    """Show the end of a training's log."""
    from vqa_tui.operations import trainings

    async def work(opened: "Workspace") -> str:
        return await trainings.training_log(opened, number)

    say(in_workspace(workspace, work).rstrip("\n"))
