"""`vqa-tui trainer`: the process that stands over one training; started by the other commands, not by people."""

from typing import Annotated

import typer

from vqa_tui.cli.options import WorkspaceOption


def trainer(
    training_id: Annotated[int, typer.Argument(metavar="TRAINING_ID", min=1)],
    resume: Annotated[bool, typer.Option("--resume")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Bring the training TRAINING_ID to its end, in this process and its children."""
    import asyncio

    from vqa_tui.paths import find_workspace
    from vqa_tui.process.training_supervisor import supervise

    raise typer.Exit(asyncio.run(supervise(find_workspace(workspace), training_id, resume=resume)))
