"""`vqa-tui train priority`: which of the trainings that wait for a device goes first."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import say

if TYPE_CHECKING:
    from vqa_tui.operations.training_queue import InLine
    from vqa_tui.operations.workspace import Workspace


def priority(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING", help="Name or number of the training.", show_default=False)
    ],
    number: Annotated[
        int,
        typer.Argument(metavar="P", help="A whole number, 0 by default; the highest goes first.", show_default=False),
    ],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Let a training that waits for its device go earlier or later."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_queue import in_line_words, set_priority
    from vqa_tui.operations.trainings import find_training

    async def work(opened: "Workspace") -> "InLine":
        return await set_priority(opened, await find_training(opened, training), number)

    found = in_workspace(workspace, work)
    if json:
        print_json(found)
        return
    say(in_line_words(found))
