"""The memory that a training will take, against what its device has."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.model_shape import KNOWN, ModelShape, known_shape, shape_of_config
from vqa_tui.domain.training_memory import MemoryEstimate, MemoryWish, estimate_memory
from vqa_tui.operations.named_path import expanded
from vqa_tui.operations.training_packages import obstacle_in, obstacle_of_device
from vqa_tui.process.device_memory import DeviceMemory, device_memory
from vqa_tui.process.devices import device_named, places_of

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """What a training takes on each of its devices, and whether that is there."""

    model: str
    source: str
    """Where the model's size is known from: a `config.json`, or `known models`."""
    device: str
    precision: str
    memory: MemoryEstimate
    total_bytes: int
    device_bytes: int | None
    fits: bool | None
    """None where the device does not tell what it has."""
    obstacle: str = ""
    """For what else than memory a start would be refused, with what to do; empty where nothing stands in the way."""


def estimate_training(
    config: TrainingConfig, *, device: str | None = None, device_gib: float | None = None
) -> TrainingEstimate:
    """Return what a training takes on the first that `device`, as a person names it, is here (the default where it is
    None), or on a GPU with `device_gib` GiB.

    Raises VqaError when there is no such device, the size of the model is not known, or a `config.json` cannot be
    understood.
    """
    if device_gib is not None and not 0 < device_gib < 1e6:
        raise VqaError(f"a device with {device_gib:g} GiB is none", hint="Give a number above 0, such as 24.")
    shape, source = _shape(config.model)
    refused = obstacle_in(config)
    if device_gib is None:
        named = device_named(device, 1)
        found, refused = device_memory(places_of(named, 1)[0]), refused or obstacle_of_device(config, named)
    else:
        found = DeviceMemory("GPU", True, int(device_gib * _GIB))
    precision = config.precision if config.precision != "auto" else ("bf16" if found.gpu else "fp32")
    launch = config.launch
    memory = estimate_memory(
        shape,
        MemoryWish(
            number_bytes=4 if precision == "fp32" else 2,
            four_bit=config.holds_four_bits,
            rank=config.lora.r if config.lora else None,
            vision_learns=config.lora.vision if config.lora else config.train_vision,
            batch=config.device_batch,
            max_pixels=config.max_pixels,
            max_tokens=config.max_tokens,
            checkpointing=config.gradient_checkpointing,
            shards=launch.processes * launch.machines if launch.fsdp else 1,
        ),
        gpu=found.gpu,
    )
    fits = None if found.total_bytes is None else memory.total <= found.total_bytes
    return TrainingEstimate(
        config.model,
        source,
        found.words,
        precision,
        memory,
        memory.total,
        found.total_bytes,
        fits,
        "" if refused is None else refused.sentence,
    )


def memory_warning(config: TrainingConfig, device: str | None = None) -> str:
    """Return in a sentence that a training will not fit its device; empty where it will, or nobody knows."""
    try:
        found = estimate_training(config, device=device)
    except VqaError:
        return ""  # who starts it says what is wrong with a device, and the trainer what is with a model
    if found.fits is not False or found.device_bytes is None:
        return ""
    return (
        f"this training takes about {found.total_bytes / _GIB:.1f} GiB, and {found.device} has "
        f"{found.device_bytes / _GIB:.1f} GiB. `vqa-tui train estimate` says what each part takes; lower max_pixels or "
        "batch_size, set gradient_checkpointing or four_bit, or take a smaller model."
    )


def _shape(model: str) -> tuple[ModelShape, str]:
    for path in _config_files(model):
        try:
            return shape_of_config(json.loads(path.read_text("utf-8"))), str(path)
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise VqaError(
                f"{path} does not tell the model's size: {error}", hint="It is the config.json that transformers wrote."
            ) from error
    if shape := known_shape(model):
        return shape, "known models"
    raise VqaError(
        f"the size of {model} is not known",
        hint=f"Name a folder with its config.json, or download it first; known by name: {', '.join(KNOWN)}.",
    )


def _config_files(model: str) -> list[Path]:
    """The `config.json` of a folder, or of the newest snapshot in the cache of the Hugging Face Hub (its layout:
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache)."""
    beside = expanded(model, "model") / "config.json"
    if beside.is_file():
        return [beside]
    home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    snapshots = cache / f"models--{model.replace('/', '--')}" / "snapshots"
    return sorted(snapshots.glob("*/config.json"), key=lambda path: path.stat().st_mtime, reverse=True)[:1]
