"""Whether the machines of a training have the same in their folders, before they begin."""

import os
import platform
from pathlib import Path

from vqa_tui.training.checkpoints import checkpoint_of, step_of, whole_checkpoints
from vqa_tui.training.together import gathered
from vqa_tui.training.trouble import TrainingTrouble


def agree_on_rows(rows: int, held_out: int) -> None:
    """Raises TrainingTrouble in all processes where these numbers are not the same on all machines."""
    found = gathered((_machine(), rows, held_out))
    if len({each[1:] for each in found}) > 1:
        told = "; ".join(f"{name} has {some:,} and {held:,} held out" for name, some, held in dict.fromkeys(found))
        raise TrainingTrouble(
            f"the machines have other rows: {told}", "Start it on each of them with the same export and `validation`."
        )


def agreed_checkpoints(folder: Path, *, resume: bool) -> list[Path]:
    """Return the checkpoints that every machine has whole, newest first; none where no machine has one.

    Raises TrainingTrouble in all processes where machines have some and none is on all of them: they would go on from
    other weights. One that does not resume has none.
    """
    ours = tuple(step_of(each) for each in whole_checkpoints(folder)) if resume else ()
    found = dict.fromkeys(gathered((_machine(), ours)))
    common = set(ours).intersection(*(steps for _, steps in found))
    if not common and any(steps for _, steps in found):
        wanted = max(step for _, steps in found for step in steps)
        lacking = ", ".join(name for name, steps in found if wanted not in steps)
        raise TrainingTrouble(
            f"no checkpoint is on all machines: checkpoint-{wanted} is not on {lacking}",
            "Copy its folder there, from `checkpoints` in the folder of the training on a machine that has it, and "
            "resume on all of them.",
        )
    return [checkpoint_of(folder, step) for step in sorted(common, reverse=True)]


def _machine() -> str:
    """Which machine this process is on; torchrun numbers them."""
    number = os.environ.get("GROUP_RANK", "0")
    return f"machine {number} ({platform.node()})"
