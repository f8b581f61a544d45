"""`vqa-tui engine`: the process that does the work of one run; started by the other commands, not by people."""

from typing import Annotated

import typer

from vqa_tui.cli.options import WorkspaceOption


def engine(run_id: Annotated[int, typer.Argument(metavar="RUN_ID", min=1)], workspace: WorkspaceOption = None) -> None:
    """Work through the run RUN_ID to its end, in this process."""
    import asyncio

    from vqa_tui.paths import find_workspace
    from vqa_tui.wiring import run_engine

    raise typer.Exit(asyncio.run(run_engine(find_workspace(workspace), run_id)))
