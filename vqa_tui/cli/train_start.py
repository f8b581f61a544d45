"""`vqa-tui train start` and `configs`: a training from a configuration, and what can be named."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import Column, note, print_table, say, warn
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.config.load import ConfigFile
    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.operations.training_start import StartedTraining
    from vqa_tui.operations.workspace import Workspace


def start(
    config: Annotated[
        str,
        typer.Argument(metavar="CONFIG", help="Name of a configuration, or path of its YAML file.", show_default=False),
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="Learn from this export: its file, its name or its manifest."),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Learn from the pairs of this run, as they stand.")
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Of a run, only pairs that a reviewer accepted.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the configuration (`lora.r=8`); may repeat."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="What the training is called.")] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="D",
            help="`auto`, `cpu`, `gpu` (one that is free), `gpu 1`, or several: `gpu 0,1`. On the same device "
            "trainings go one after the other.",
        ),
    ] = None,
    priority: Annotated[
        int, typer.Option("--priority", metavar="P", help="Of those that wait for a device the highest goes first.")
    ] = 0,
    detach: Annotated[bool, typer.Option("--detach", help="Do not watch it.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Start a training, and watch it; Ctrl+C leaves it at work."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.part import counted
    from vqa_tui.operations.runs import find_run
    from vqa_tui.operations.training_configs import require_each_once, training_config
    from vqa_tui.operations.training_estimate import memory_warning
    from vqa_tui.operations.training_start import start_training

    require_each_once(settings or ())
    if data is not None and run is not None:
        raise VqaError("--data and --run both name what to learn from", hint="Give one of them.")
    if accepted and run is None:
        raise VqaError("--accepted says which pairs of a run are taken", hint="Give --run RUN as well.")

    async def work(opened: "Workspace") -> "tuple[TrainingConfig, StartedTraining]":
        chosen = training_config(opened.paths, config, settings or ())
        if lacking := memory_warning(chosen, device):
            warn(lacking)
        number = None if run is None else await find_run(opened, run)
        return chosen, await start_training(
            opened,
            chosen,
            data=data,
            run_id=number,
            reviewed="accepted" if accepted else "not-rejected",
            name=name,
            device=device,
            priority=priority,
        )

    _chosen, started = in_workspace(workspace, work, create=run is None)
    if json:
        print_json(started)
        return
    made = started.data
    say(f"Training {started.id}: {counted(made.rows, 'row')}, {made.held_out:,} held out.")
    note(f"Command: {' '.join(started.command)}")
    if made.left_out:
        warn(f"no rows: {counted(made.left_out, 'record')}; the first: {made.problems[0]}")
    if detach:
        say(f"To watch it:  {command_line(f'train watch {started.id}', workspace)}")
        return
    from vqa_tui.cli.train_watch import watch

    watch(str(started.id), workspace=workspace)


def configs(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the training configurations that can be named."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_configs import list_training_configs
    from vqa_tui.paths import find_workspace

    found: list[ConfigFile] = list_training_configs(find_workspace(workspace))
    if json:
        print_json(found)
        return
    rows = [(each.name, each.problem or each.description, str(each.path)) for each in found]
    print_table((Column("name"), Column("description"), Column("file")), rows, empty="None.")
