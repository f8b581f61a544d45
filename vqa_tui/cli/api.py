"""`vqa-tui api`: the jobs API on this computer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import WorkspaceOption, in_workspace
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace


def api(
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="P", help="Port; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    token_env: Annotated[
        str | None,
        typer.Option("--token-env", metavar="VARIABLE", help="Take the token from this variable of the environment."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Take the token from this file, which only you may read."),
    ] = None,
    allow_outside: Annotated[
        bool,
        typer.Option(
            "--allow-outside", help="Requests may name files outside the folder that holds the workspace as well."
        ),
    ] = False,
    allow_network: Annotated[
        bool,
        typer.Option(
            "--allow-network",
            help="Listen on an address that other computers reach. Nothing on the way is encrypted, the token neither.",
        ),
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve the jobs API until Ctrl+C: trainings are started, steered and followed over HTTP with a bearer token.

    Without --token-env or --token-file a token is made new and printed once. Ending this command ends no training.
    """
    from vqa_tui.api.bearer import made_token, token_of_file, token_of_variable
    from vqa_tui.api.server import serve_api
    from vqa_tui.web.gate import is_loopback

    if not allow_network and not is_loopback(host):
        raise VqaError(
            f"--host {host}: other computers would reach the API, and the token could be read on the way",
            hint="Leave --host out and tunnel instead (`ssh -L 8000:127.0.0.1:PORT`), or add --allow-network.",
        )
    if token_env is not None and token_file is not None:
        raise VqaError("--token-env and --token-file both say where the token is", hint="Give one of them.")
    given = token_of_variable(token_env) if token_env else token_of_file(token_file) if token_file else ""
    token = given or made_token()

    def tell(address: str) -> None:
        typer.echo(f"{address}\n")
        if not given:
            typer.echo(f"Token, shown this once; whoever has it can use the API:\n\n  {token}\n")
        typer.echo("Ctrl+C ends it.")
        sys.stdout.flush()

    async def work(opened: "Workspace") -> None:
        await serve_api(opened, token, host=host, port=port, allow_outside=allow_outside, tell=tell)

    in_workspace(workspace, work)
