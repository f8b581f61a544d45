"""`vqa-tui train models`: the models that a training can name, with what each takes."""

from typing import Annotated

import typer

from vqa_tui.cli.options import JsonOption
from vqa_tui.cli.output import Column, print_table, say

_GIB = 1 << 30


def models(
    memory: Annotated[
        float | None, typer.Option("--memory", metavar="GIB", help="Against a GPU with so much, not this machine's.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the models that the trainer is made for, and whether each fits this machine's device with adapters."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_models import trainable_models

    found = trainable_models(device_gib=memory)
    if json:
        print_json(found)
        return
    columns = (
        Column("model"),
        Column("weights", right=True),
        Column("memory", right=True),
        Column("fits"),
        Column("bits"),
    )
    print_table(
        columns,
        [
            (
                each.name,
                f"{each.weights / 1e9:.1f} B",
                f"{each.memory.total_bytes / _GIB:.0f} GiB",
                "needs a GPU" if each.memory.obstacle else {True: "yes", False: "no", None: "?"}[each.memory.fits],
                "4, back end unsloth" if "four_bit=true" in each.settings else "",
            )
            for each in found
        ],
        empty="No model is known.",
    )
    say("Another one: `--set model=NAME` takes any Qwen-VL or PaliGemma of the Hugging Face Hub, or a folder.")
