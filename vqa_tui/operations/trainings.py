"""Looking at the trainings of the workspace: how they stand, what they told of themselves, and their logs."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqa_tui.config.training import TrainingConfig
from vqa_tui.config.validation import nearest
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import Event, events
from vqa_tui.domain.training_files import METRICS
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import trainings
from vqa_tui.store.at_work import is_locked

LOG_TAIL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TrainingEvents:
    """What a trainer told of itself, oldest first, and how far its file was read."""

    events: tuple[Event, ...]
    read_bytes: int


@dataclass(frozen=True, slots=True)
class TrainingParts:
    """What a training was made of."""

    config: TrainingConfig
    data: dict[str, Any]
    """`run` and its id, or `data` and the path of an export."""
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a log as it stands there; hostile bytes."""

    start: int
    """Where it begins, in bytes from the start of the file."""
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)


async def list_trainings(workspace: Workspace) -> tuple[TrainingSummary, ...]:
    """Return all trainings, newest first."""
    return await trainings.training_summaries(workspace.db, workspace.paths)


async def training_summary(workspace: Workspace, training_id: int) -> TrainingSummary:
    """Return one training. Raises VqaError when there is none of that id."""
    return await trainings.training_summary(workspace.db, workspace.paths, training_id)


async def find_training(workspace: Workspace, named: str) -> int:
    """Return the id of the training with that number or name. Raises VqaError, with the nearest name."""
    found = await list_trainings(workspace)
    # A number comes first: where a training is called by the number of another, `delete 5` must not mean that one.
    number = {each.name: each.id for each in found} | {str(each.id): each.id for each in found}
    if named in number:
        return number[named]
    close = nearest(named, [each.name for each in found])
    raise VqaError(
        f"there is no training {named!r}" + (f"; did you mean {close}?" if close else ""),
        hint="`vqa-tui train list` shows the trainings of this workspace.",
    )


async def training_events(
    workspace: Workspace, training_id: int, *, after_bytes: int = 0, limit_bytes: int | None = None
) -> TrainingEvents:
    """Return what the trainer told of itself behind the first `after_bytes` of its file, of about `limit_bytes` of it;
    a line that is not whole yet is left for the next call. Raises VqaError when the file cannot be read."""
    path = workspace.paths.training_folder(training_id) / METRICS
    try:
        return await asyncio.to_thread(_events_after, path, after_bytes, limit_bytes)
    except OSError as error:
        raise VqaError(f"the metrics {path} cannot be read: {error.strerror}") from error


def nothing_moved(workspace: Workspace, known: Sequence[TrainingSummary]) -> bool:
    """Return whether the processes of these trainings, and those that judge them, live or do not, as they did then; the
    rest is in the store."""
    paths = workspace.paths
    for each in known:
        if (each.at_work or each.phase.is_live) and is_locked(paths.training_lock(each.id)) is not each.at_work:
            return False
        if trainings.is_evaluated(paths, each.id) is not each.evaluated:
            return False
    return True


def sizes(workspace: Workspace, training_id: int) -> tuple[int, int]:
    """Return how many bytes there are of a training's metrics and of its log; 0 where there is no such file."""
    folder = workspace.paths.training_folder(training_id)
    return _size(folder / METRICS), _size(workspace.paths.training_log(training_id))


def kept_checkpoints(folder: Path) -> frozenset[int]:
    """Return the steps of the checkpoints in a training's folder."""
    numbers = (path.name.rpartition("-")[2] for path in (folder / "checkpoints").glob("checkpoint-*"))
    return frozenset(int(number) for number in numbers if number.isdigit())


def size_on_disk(workspace: Workspace, training_id: int) -> int:
    """Return how many bytes the folder of a training takes; files that vanish meanwhile count as none."""
    folder = workspace.paths.training_folder(training_id)
    return sum(_size(Path(root) / name) for root, _, names in os.walk(folder) for name in names)


async def training_parts(workspace: Workspace, training_id: int) -> TrainingParts:
    """Return what a training was made of. Raises VqaError when there is none of that id."""
    frozen = await trainings.frozen_training(workspace.db, training_id)
    return TrainingParts(
        config=TrainingConfig.model_validate_json(frozen.config),
        data=dict(json.loads(frozen.data)),
        command=tuple(map(str, json.loads(frozen.command))),
        folder=workspace.paths.training_folder(training_id),
    )


async def rename_training(workspace: Workspace, training_id: int, name: str) -> None:
    """Give a training another name. Raises VqaError for one that is taken or that no training can have."""
    require_run_name(name, "training")
    await trainings.rename_training(workspace.db, training_id, name)


async def log_part(
    workspace: Workspace, training_id: int, *, after_bytes: int, limit_bytes: int = LOG_TAIL_BYTES
) -> LogPart:
    """Return up to `limit_bytes` of a log behind the first `after_bytes`; the bytes from its start where it has become
    shorter than that. Raises VqaError when it cannot be read."""
    path = workspace.paths.training_log(training_id)
    try:
        return await asyncio.to_thread(_part_of, path, after_bytes, limit_bytes)
    except OSError as error:
        raise VqaError(f"the log {path} cannot be read: {error.strerror}") from error


async def training_log(workspace: Workspace, training_id: int, *, limit_bytes: int = LOG_TAIL_BYTES) -> str:
    """Return the end of a training's log as it stands there, from the beginning of a line; hostile text.

    Raises VqaError when there is no such training or its log cannot be read.
    """
    path = workspace.paths.training_log(training_id)
    if not path.parent.is_dir():
        raise VqaError(f"there is no training {training_id}", hint="`vqa-tui train list` shows them.")
    try:
        return await asyncio.to_thread(_end_of, path, limit_bytes)
    except OSError as error:
        raise VqaError(f"the log {path} cannot be read: {error.strerror}") from error


def _events_after(path: Path, after_bytes: int, limit_bytes: int | None) -> TrainingEvents:
    if not path.exists():
        return TrainingEvents((), after_bytes)
    with path.open("rb") as file:
        file.seek(after_bytes)
        data = file.read(-1 if limit_bytes is None else limit_bytes)
        if b"\n" not in data:  # one line that is longer than that, or one that is not whole yet
            data += file.readline()
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.decode("utf-8", "replace").split("\n")
    return TrainingEvents(tuple(events(lines)), after_bytes + len(whole))


def _part_of(path: Path, after_bytes: int, limit_bytes: int) -> LogPart:
    if not path.exists():
        return LogPart(0, b"")
    with path.open("rb") as file:
        start = after_bytes if after_bytes <= file.seek(0, os.SEEK_END) else 0
        file.seek(start)
        return LogPart(start, file.read(limit_bytes))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _end_of(path: Path, limit_bytes: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        start = max(size - limit_bytes, 0)
        stream.seek(start)
        data = stream.read(limit_bytes)
    if start:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", "replace")
