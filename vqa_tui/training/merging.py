"""`python -m vqa_tui.training.merging CONFIG`: the adapter of a training put into the weights of its model, so that it
can be served as a model of its own."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqa_tui.domain.training_exit import told_reason
from vqa_tui.training.launcher import quiet_when_interrupted

if TYPE_CHECKING:
    from vqa_tui.config.training import TrainingConfig

ADAPTER, MERGED = "adapter", "merged"
_THREADS = "OMP_NUM_THREADS"
_LAUNCHED = frozenset({"RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", _THREADS})
_LAUNCHERS = ("ACCELERATE_", "FSDP_", "TORCHELASTIC_", "ROLE_", "GROUP_")
"""Variables by which torchrun and accelerate tell a process what it is part of, and that it has one thread."""


def save_merged(model: Any, processor: Any, folder: Path) -> None:
    """Write a model whose adapters are merged, and its processor, to `folder`, which is there whole or not at all.

    Raises TrainingTrouble when the disk is full.
    """
    from vqa_tui.training.loading import save_processor
    from vqa_tui.training.saving import saving
    from vqa_tui.training.trouble import MERGING

    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    merged = model.merge_and_unload()
    try:
        with saving(folder.parent, MERGING):
            merged.save_pretrained(str(partial))
            save_processor(processor, partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def leave_merged(config: "TrainingConfig", model: Any | None, processor: Any, folder: Path) -> None:
    """Merge what was just trained in `folder`, whose adapter is saved already: of `model` itself, which is changed by
    that, or of the whole weights where its own are rounded to 4 bits, or None: dealt to several processes."""
    if model is None:
        _merge_apart(folder / "config.json")
    elif config.four_bit:
        merge(folder / "config.json")
    else:
        save_merged(model, processor, folder / MERGED)


def _merge_apart(config_path: Path) -> None:
    """Merge in a process that knows nothing of the launch: the libraries would deal its model, too, to the processes
    of which it would be one. Raises TrainingTrouble."""
    from vqa_tui.training.trouble import MERGING, TrainingTrouble

    alone = {
        name: value for name, value in os.environ.items() if name not in _LAUNCHED and not name.startswith(_LAUNCHERS)
    }
    command = [sys.executable, "-P", "-m", __name__, str(config_path)]
    done = subprocess.run(command, env=alone, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if not done.returncode:
        return
    print(done.stderr, file=sys.stderr, end="", flush=True)
    if done.returncode == -signal.SIGKILL:
        reason, hint = "it was killed; the system does that when memory runs out", MERGING.with_memory
    else:
        reason, hint = told_reason(done.stderr) or f"exit status {done.returncode}", ""
    raise TrainingTrouble(f"the adapter is saved, but cannot be merged into its model: {reason}", hint)


def merge(config_path: Path) -> None:
    """Merge in the folder of a frozen configuration, into whole weights on the CPU.

    Raises TrainingTrouble, and whatever the libraries raise.
    """
    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.training.adapters import with_adapter
    from vqa_tui.training.loading import device_for, load_model

    config = TrainingConfig.model_validate_json(config_path.read_text("utf-8"))
    # Weights in 4 bits cannot take an adapter without loss: it goes into the whole ones.
    whole = config.model_copy(update={"four_bit": False, "merge": True})
    folder = config_path.parent
    model, processor = load_model(whole, device_for(whole))
    save_merged(with_adapter(model, folder / ADAPTER), processor, folder / MERGED)


def main(arguments: list[str]) -> int:
    """Return the exit status: 0 merged, else as of domain.training_exit, with the reason in one line that begins with
    `error: `."""
    from vqa_tui.training.trouble import MERGING, in_words, told

    try:
        merge(Path(arguments[0]))
    except (Exception, MemoryError) as error:
        return told(in_words(error, MERGING), error)
    return 0


if __name__ == "__main__":
    with quiet_when_interrupted():
        sys.exit(main(sys.argv[1:]))
