"""`vqa-tui train estimate`: the memory that a training takes, before it is started."""

from typing import Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption
from vqa_tui.cli.output import print_facts, say
from vqa_tui.domain.failure import VqaError

_GIB = 1 << 30


def estimate(
    config: Annotated[
        str,
        typer.Argument(metavar="CONFIG", help="Name of a configuration, or path of its YAML file.", show_default=False),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the configuration (`lora.r=8`); may repeat."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="D", help="`auto`, `cpu`, `gpu` or `gpu 1`, as for `train start`."),
    ] = None,
    memory: Annotated[
        float | None, typer.Option("--memory", metavar="GIB", help="Against a GPU with so much, not this machine's.")
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say what memory a training takes, part by part, against what its device has. The exit status is 1 where it will
    not fit, or the device lacks what else it needs."""
    from vqa_tui.cli.errors import WORK_FAILED
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_configs import require_each_once, training_config
    from vqa_tui.operations.training_estimate import estimate_training
    from vqa_tui.paths import find_workspace

    if device is not None and memory is not None:
        raise VqaError("--device and --memory both say what it is compared with", hint="Give one of them.")
    require_each_once(settings or ())
    chosen = training_config(find_workspace(workspace), config, settings or ())
    found = estimate_training(chosen, device=device, device_gib=memory)
    if json:
        print_json(found)
    else:
        print_facts(
            (
                ("model", f"{found.model}, size from {found.source}"),
                ("weights", f"{found.memory.trainable:,} of {found.memory.parameters:,} learn, in {found.precision}"),
                ("longest row", f"{found.memory.row_tokens:,} tokens, its picture at the largest"),
            )
        )
        say()
        width = max(map(len, found.memory.parts))
        for name, part in found.memory.parts.items():
            say(f"  {name:<{width}}  {_gib(part):>10}")
        say(f"  {'in all':<{width}}  {_gib(found.total_bytes):>10}")
        say()
        say(_verdict(found.fits, found.device, found.device_bytes))
        if found.obstacle:
            say(f"✗ It cannot be started so: {found.obstacle}")
    if found.fits is False or found.obstacle:
        raise typer.Exit(WORK_FAILED)


def _verdict(fits: bool | None, device: str, has: int | None) -> str:
    if fits is None or has is None:
        return f"{device} does not tell what memory it has; --memory GIB compares with a number."
    if fits:
        return f"✓ Fits {device} with {_gib(has)}. It is an estimate: leave a tenth free."
    return (
        f"✗ Does not fit {device} with {_gib(has)}: lower max_pixels or batch_size, set gradient_checkpointing or "
        "four_bit, or take a smaller model."
    )


def _gib(size: int) -> str:
    return f"{size / _GIB:,.2f} GiB"
