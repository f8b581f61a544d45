"""Looking at the trainings of the workspace: how they stand, what they told of themselves, and their logs."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.config.validation import nearest
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import Event, events
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import trainings

LOG_TAIL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TrainingEvents:
    """What a trainer told of itself, oldest first, and how far its file was read."""

    events: tuple[Event, ...]
    read_bytes: int


async def list_trainings(workspace: Workspace) -> tuple[TrainingSummary, ...]:
    """Return all trainings, newest first."""
    return await trainings.training_summaries(workspace.db, workspace.paths)


async def training_summary(workspace: Workspace, training_id: int) -> TrainingSummary:
    """Return one training. Raises VqaError when there is none of that id."""
    return await trainings.training_summary(workspace.db, workspace.paths, training_id)


async def find_training(workspace: Workspace, named: str) -> int:
    """Return the id of the training with that name or number. Raises VqaError, with the nearest name."""
    found = await list_trainings(workspace)
    for each in found:
        if each.name == named:
            return each.id
    if named.isascii() and named.isdigit() and any(each.id == int(named) for each in found):
        return int(named)
    close = nearest(named, [each.name for each in found])
    raise VqaError(
        f"there is no training {named!r}" + (f"; did you mean {close}?" if close else ""),
        hint="`vqa-tui train list` shows the trainings of this workspace.",
    )


async def training_events(workspace: Workspace, training_id: int, *, after_bytes: int = 0) -> TrainingEvents:
    """Return what the trainer told of itself behind the first `after_bytes` of its file; a line that is not whole yet
    is left for the next call. Raises VqaError when the file cannot be read."""
    path = workspace.paths.training_folder(training_id) / "metrics.jsonl"
    try:
        return await asyncio.to_thread(_events_after, path, after_bytes)
    except OSError as error:
        raise VqaError(f"the metrics {path} cannot be read: {error.strerror}") from error


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


def _events_after(path: Path, after_bytes: int) -> TrainingEvents:
    if not path.exists():
        return TrainingEvents((), after_bytes)
    with path.open("rb") as file:
        file.seek(after_bytes)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.decode("utf-8", "replace").split("\n")
    return TrainingEvents(tuple(events(lines)), after_bytes + len(whole))


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
