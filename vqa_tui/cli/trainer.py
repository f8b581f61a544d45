"""`vqa-tui trainer`, `evaluator` and `server`: the processes that stand over a training, its judge and its server;
started by the other commands and the terminal app, not by people."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import WorkspaceOption, in_workspace

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace


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


def evaluator(
    training_id: Annotated[int, typer.Argument(metavar="TRAINING_ID", min=1)],
    limit: Annotated[int | None, typer.Option("--limit", min=1)] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Judge the training TRAINING_ID, in this process and its child."""
    from vqa_tui.operations.training_evaluation import evaluate_training

    async def work(opened: "Workspace") -> None:
        await evaluate_training(opened, training_id, limit=limit)

    in_workspace(workspace, work)


def server(
    training_id: Annotated[int, typer.Argument(metavar="TRAINING_ID", min=1)], workspace: WorkspaceOption = None
) -> None:
    """Serve what the training TRAINING_ID learned, and end when it answers; the server goes on."""
    from vqa_tui.operations.training_serve import serve_training

    async def work(opened: "Workspace") -> None:
        await serve_training(opened, training_id)

    in_workspace(workspace, work)
