"""`vqa-tui train serve`: a tuned model as an endpoint on this machine."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.training_serve import ServedTraining
    from vqa_tui.operations.workspace import Workspace
    from vqa_tui.process.serving import Served


def serve(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING", help="Name or number of the training.", show_default=False)
    ],
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", min=1, max=65_535, help="Default: one that is free.")
    ] = None,
    program: Annotated[
        Literal["transformers", "vllm"] | None,
        typer.Option("--with", help="What serves it. Default: vllm where it is installed."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="NAME", help="What it is called as an endpoint.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="D", help="`cpu`, `gpu` or `gpu N`. Default: as the training.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the server.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve a tuned model on this machine alone, as an endpoint that labels the next dataset."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_serve import serve_training, stop_serving
    from vqa_tui.operations.trainings import find_training

    if stop:
        if any(each is not None for each in (port, program, endpoint, device)):
            raise VqaError("--stop ends the server; the other options are for starting it")

        async def end(opened: "Workspace") -> "Served":
            return await stop_serving(opened, await find_training(opened, training))

        ended = in_workspace(workspace, end)
        if json:
            print_json(ended)
            return
        if ended.state != "serving":
            say("The server is gone, before it answered.")
            return
        say(f"The server is gone; the file of the endpoint {ended.endpoint} stays.")
        return

    async def start(opened: "Workspace") -> "ServedTraining":
        number = await find_training(opened, training)
        note("The server is being started; the adapter is merged first where that is needed.")
        return await serve_training(
            opened, number, port=port, program=program, endpoint=endpoint, device=device, tell=note
        )

    served = in_workspace(workspace, start)
    if json:
        print_json(served)
        return
    say(f"{served.base_url} answers, with {served.program}. It is the endpoint {served.endpoint} ({served.file}).")
    label = f"run start DATASET --recipe RECIPE --endpoint {served.endpoint}"
    say(f"To label with it:  {command_line(label, workspace)}")
    say(f"To end it:  {command_line(f'train serve {served.training_id} --stop', workspace)}")
