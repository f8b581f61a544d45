"""A training's metrics and log from their beginnings, and on as they grow, until its process has ended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_events import Event
from vqa_tui.operations.trainings import training_events, training_summary
from vqa_tui.operations.workspace import Workspace

_LOOK_EVERY_S = 0.25
_PIECE_BYTES = 256 * 1024


async def metric_stream(workspace: Workspace, training_id: int, *, follow: bool) -> AsyncIterator[tuple[Event, ...]]:
    """Yield what a training told of itself, oldest first, as it comes; without `follow` only what is there.

    Raises VqaError when there is no such training, or its file cannot be read.
    """
    read = 0
    while True:
        # Before the events: what a training wrote before it ended is then told as well.
        at_work = (await training_summary(workspace, training_id)).at_work
        told = await training_events(workspace, training_id, after_bytes=read)
        read = told.read_bytes
        if told.events:
            yield told.events
        if not (follow and at_work):
            return
        await asyncio.sleep(_LOOK_EVERY_S)


async def log_stream(workspace: Workspace, training_id: int, *, follow: bool) -> AsyncIterator[str]:
    """Yield a training's log in pieces as it grows, each of whole lines but the last; hostile text.

    Without `follow` only what is there. Raises VqaError as `metric_stream` does.
    """
    path = workspace.paths.training_log(training_id)
    read, rest = 0, b""
    while True:
        at_work = (await training_summary(workspace, training_id)).at_work
        while data := await asyncio.to_thread(_piece, path, read):
            read += len(data)
            whole, end, rest = (rest + data).rpartition(b"\n")
            if end:
                yield (whole + end).decode("utf-8", "replace")
            elif len(rest) > _PIECE_BYTES:
                yield rest.decode("utf-8", "replace")
                rest = b""
        if not (follow and at_work):
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    if rest:
        yield rest.decode("utf-8", "replace")


def _piece(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(_PIECE_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise VqaError(f"the log {path} cannot be read: {error.strerror}") from error
