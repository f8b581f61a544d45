"""Opening the terminal app; the only module of the command line that knows Textual."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace


def require_terminal() -> None:
    """Raise VqaError when standard input or output is not a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise VqaError("the terminal app needs a terminal", hint="`vqa-tui --help` lists what can be done without one.")


def open_ui(explicit: Path | None) -> None:
    """Show the terminal app on a workspace until the person leaves it."""
    from vqa_tui.cli.options import in_workspace

    require_terminal()
    in_workspace(explicit, show_ui)


async def show_ui(workspace: "Workspace", open_run: int | None = None) -> None:
    """Show the terminal app in an open workspace, on the run `open_run` if given, until the person leaves it."""
    from vqa_tui.tui.app import VqaApp
    from vqa_tui.tui.services import Services

    await VqaApp(Services(workspace), open_run=open_run).run_async()
