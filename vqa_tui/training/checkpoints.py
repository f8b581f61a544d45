"""Which checkpoints of a training were written whole, writing them so that they are, and away with the others."""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

CHECKPOINTS = "checkpoints"
_STATE = "trainer_state.json"
_WRITTEN_BY_ALL = (_STATE, "optimizer.pt", "scheduler.pt")
_SHARDED = ("pytorch_model_fsdp*", "optimizer_*", "global_step*")
"""What FSDP and DeepSpeed write in place of one file of weights and one of the optimizer's state."""
_ZIPPED = (".pt", ".pth", ".bin")


def whole_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a training's folder that were written whole, oldest first."""
    return sorted(filter(_is_certainly_whole, (folder / CHECKPOINTS).glob("checkpoint-*")), key=step_of)


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written whole; None where there is none."""
    return next(iter(reversed(whole_checkpoints(folder))), None)


def checkpoint_of(folder: Path, step: int) -> Path:
    """Return where the checkpoint after this step lies."""
    return folder / CHECKPOINTS / f"checkpoint-{step}"


def remove_unfinished(folder: Path) -> list[str]:
    """Delete checkpoints that were not written whole, and return their names: nothing goes on from them, they take
    space, and they would count among those that are kept. One that cannot be read at this moment stays."""
    removed: list[str] = []
    for path in sorted((folder / CHECKPOINTS).glob("*"), key=step_of):
        with suppress(OSError, MemoryError):
            if path.is_dir() and not _is_whole(path):
                shutil.rmtree(path, ignore_errors=True)
                if not path.exists():
                    removed.append(path.name)
    return removed


def remove_later(folder: Path, step: int) -> None:
    """Delete checkpoints behind the one that is gone on from: their steps are done again."""
    for path in (folder / CHECKPOINTS).glob("checkpoint-*"):
        if step_of(path) > step:
            shutil.rmtree(path, ignore_errors=True)


def step_of(checkpoint: Path) -> int:
    """Return the step after which a checkpoint was written."""
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def to_disk(checkpoint: Path) -> None:
    """Return when a checkpoint would survive a power failure: its files and their names are on the disk."""
    for path in [*_files(checkpoint), *_folders(checkpoint), checkpoint.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_state(state: Any, checkpoint: Path) -> None:
    """Put this TrainerState in place of the one in a checkpoint: a reader finds the one or the other, whole."""
    new = checkpoint / f"{_STATE}.new"
    state.save_to_json(str(new))
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    new.replace(checkpoint / _STATE)


def _is_whole(checkpoint: Path) -> bool:
    """Whether each file that must be there is, to its end: files are written in place, one after the other, and a power
    failure may leave any of them empty or short. Raises OSError or MemoryError where that cannot be told now."""
    try:
        json.loads((checkpoint / _STATE).read_text("utf-8"))
        sharded = any(True for pattern in _SHARDED for _ in checkpoint.glob(pattern))
        return (sharded or _has_all(checkpoint)) and all(map(_ends_well, _files(checkpoint)))
    except (FileNotFoundError, ValueError, KeyError):
        return False


def _is_certainly_whole(checkpoint: Path) -> bool:
    try:
        return _is_whole(checkpoint)
    except (OSError, MemoryError):
        return False


def _has_all(checkpoint: Path) -> bool:
    names = {path.name for path in _files(checkpoint)}
    for index in checkpoint.glob("*.safetensors.index.json"):
        if not names.issuperset(json.loads(index.read_text("utf-8"))["weight_map"].values()):
            return False
    return names.issuperset(_WRITTEN_BY_ALL) and any(name.endswith(".safetensors") for name in names)


def _ends_well(path: Path) -> bool:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError, safe_open

        try:
            # It holds the sizes that are told at its head against the file's own.
            with safe_open(str(path), framework="numpy"):
                return True
        except SafetensorError:
            return False
    if path.suffix in _ZIPPED:
        # PyTorch writes ZIP archives, whose list of contents is their end.
        try:
            with zipfile.ZipFile(path):
                return True
        except zipfile.BadZipFile:
            return False
    return True


def _files(checkpoint: Path) -> Iterator[Path]:
    return (path for path in checkpoint.rglob("*") if path.is_file())


def _folders(checkpoint: Path) -> Iterator[Path]:
    yield from (path for path in checkpoint.rglob("*") if path.is_dir())
    yield checkpoint
