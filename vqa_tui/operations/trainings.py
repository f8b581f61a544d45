"""Looking at the trainings of the workspace: each is a folder with a lock and a log that its process writes."""

import asyncio
import os
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.lock import is_locked

LOG_TAIL_BYTES = 256 * 1024


async def list_trainings(workspace: Workspace) -> tuple[TrainingSummary, ...]:
    """Return all trainings, newest first."""
    return await asyncio.to_thread(_list, workspace)


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


def _list(workspace: Workspace) -> tuple[TrainingSummary, ...]:
    folder = workspace.paths.trainings
    if not folder.is_dir():
        return ()
    numbers = [int(entry.name) for entry in folder.iterdir() if entry.name.isascii() and entry.name.isdigit()]
    return tuple(_summary(workspace, number) for number in sorted(numbers, reverse=True))


def _summary(workspace: Workspace, number: int) -> TrainingSummary:
    lock, log = workspace.paths.training_lock(number), workspace.paths.training_log(number)
    status = _status(log)
    return TrainingSummary(
        id=number,
        at_work=is_locked(lock),
        started_at=(_status(lock) or lock.parent.stat()).st_mtime,
        written_at=status.st_mtime if status else None,
        log_bytes=status.st_size if status else 0,
    )


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


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
