"""The lock that keeps an edit from being taken back while it is written; the kernel frees it when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vqa_tui.domain.failure import VqaError


@contextmanager
def writing_an_edit(path: Path) -> Iterator[None]:
    """Hold the lock at `path` together with other edits. Raises VqaError while one is being taken back."""
    with _held(path, fcntl.LOCK_SH, "an edit of this run is being taken back", "Wait until that is done; then again."):
        yield


@contextmanager
def taking_an_edit_back(path: Path) -> Iterator[None]:
    """Hold the lock at `path` alone. Raises VqaError while an edit is being written, or taken back."""
    with _held(
        path,
        fcntl.LOCK_EX,
        "an edit of this run is still being written",
        "It may be somebody else's. Wait until it is done; then take it back.",
    ):
        yield


@contextmanager
def _held(path: Path, how: int, refusal: str, hint: str) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VqaError(refusal, hint=hint) from None
        yield
    finally:
        os.close(descriptor)
