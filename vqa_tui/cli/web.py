"""`vqa-tui web`: the terminal app in a browser on this computer."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from vqa_tui.cli.options import WorkspaceOption
from vqa_tui.domain.failure import VqaError


def web(
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="P", help="Port; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    allow_network: Annotated[
        bool,
        typer.Option(
            "--allow-network",
            help="Listen on an address that other computers reach. Whoever has the link can spend your money, and "
            "nothing on the way is encrypted.",
        ),
    ] = False,
    readonly: Annotated[
        bool, typer.Option("--readonly", help="Whoever opens the page may only look, and change nothing.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the terminal app in a browser until Ctrl+C; the link that is printed holds a secret.

    Every page is an app of its own over the same workspace. Closing it, or ending this command, stops no run.
    """
    import asyncio

    from vqa_tui.paths import find_workspace

    try:
        from vqa_tui.web.gate import is_loopback
        from vqa_tui.web.server import serve_until_interrupted
    except ModuleNotFoundError as error:
        raise VqaError(
            f"the terminal app in a browser needs a package that is not installed: {error.name}",
            hint="Install the extra: pip install 'vqa-tui[web]'",
        ) from None
    if not allow_network and not is_loopback(host):
        raise VqaError(
            f"--host {host}: other computers would reach the app, and could spend your money with it",
            hint="Leave --host out and tunnel instead (`ssh -L 8000:127.0.0.1:PORT`), or add --allow-network.",
        )
    root = find_workspace(workspace).root
    asyncio.run(serve_until_interrupted(_app_command(root, readonly), host=host, port=port, tell=_tell))


def _app_command(root: Path, readonly: bool) -> str:
    """Return the shell line that starts the app; `-P` keeps files in the current folder out of its imports."""
    words = [sys.executable, "-P", "-m", "vqa_tui", "--workspace", str(root)]
    return shlex.join([*words, "--readonly"] if readonly else words)


def _tell(address: str) -> None:
    typer.echo(f"Open this in a browser; whoever has it can use the app:\n\n  {address}\n\nCtrl+C ends it.")
    sys.stdout.flush()
