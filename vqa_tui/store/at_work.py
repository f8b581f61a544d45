"""Which runs somebody works on: an engine, or whoever deletes the run, holds the lock of each."""

import fcntl
import os
from pathlib import Path

from vqa_tui.paths import WorkspacePaths


def is_locked(path: Path) -> bool:
    """Tell whether a live process holds the lock at `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def runs_at_work(paths: WorkspacePaths) -> list[int]:
    """Return the ids of the runs whose lock is held, sorted."""
    ids = (int(folder.name) for folder in paths.runs.glob("*") if folder.name.isascii() and folder.name.isdigit())
    return sorted(run_id for run_id in ids if is_locked(paths.run_lock(run_id)))
