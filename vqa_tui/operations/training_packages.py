"""What training needs beside the product itself, packages and a GPU, asked for before anything is made."""

import os
import sys
from importlib.util import find_spec

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import NotInstalled, VqaError
from vqa_tui.gpus import visible_gpus
from vqa_tui.process.devices import CPU

_TRAINING = ("torch", "transformers", "peft", "accelerate")
_JUDGING = ("rouge_score", "sacrebleu")


def missing_training_packages(*, judging: bool = False) -> list[str]:
    """Return the names of packages that training, and with `judging` an evaluation, needs and that are not there."""
    return [name for name in _TRAINING + (_JUDGING if judging else ()) if find_spec(name) is None]


def require_training_packages(*, judging: bool = False) -> None:
    """Raise NotInstalled where packages are missing that training, and with `judging` an evaluation, needs."""
    if missing := missing_training_packages(judging=judging):
        raise _without(missing, "this" if judging else "training")


def obstacle(config: TrainingConfig, device: str) -> VqaError | None:
    """Return what stands in the way of `config` on a stored device of this machine, as the error to raise; None where
    nothing does."""
    if missing := missing_training_packages():
        return _without(missing, "training")
    if (error := obstacle_in(config) or obstacle_of_device(config, device)) is not None:
        return error
    if config.backend == "unsloth" and find_spec("unsloth") is None:
        return NotInstalled(
            "the back end unsloth is not installed",
            hint="`pip install 'vqa-tui[unsloth]'` brings it; or write `backend: peft`.",
        )
    return None


def obstacle_in(config: TrainingConfig) -> VqaError | None:
    """Return what in `config` itself no device can train; None where nothing is."""
    if config.holds_four_bits and not config.four_bit:
        return VqaError(f"the weights of {config.model} are in 4 bits", hint="Write `four_bit: true`.")
    return None


def obstacle_of_device(config: TrainingConfig, device: str) -> VqaError | None:
    """Return what `config` asks of a stored device of this machine that it does not have; None where nothing."""
    unsloth = config.backend == "unsloth"
    # What a Mac calls its CPU may be its GPU, which has fp16.
    half = config.precision == "fp16" and sys.platform != "darwin"
    if device == CPU and (unsloth or config.four_bit or half):
        where = "it shall be on the CPU" if visible_gpus(os.environ) else "none is seen here"
        if unsloth:
            return VqaError(f"the back end unsloth needs an NVIDIA GPU, and {where}", hint="Write `backend: peft`.")
        if half and not config.four_bit:
            return VqaError(f"precision: fp16 needs an NVIDIA GPU, and {where}", hint="Write `precision: auto`.")
        return VqaError(f"weights in 4 bits need an NVIDIA GPU, and {where}", hint="Write `four_bit: false`.")
    return None


def _without(missing: list[str], what: str) -> NotInstalled:
    return NotInstalled(
        f"{what} needs packages that are not installed: {', '.join(missing)}",
        hint="`pip install 'vqa-tui[train]'` brings them.",
    )
