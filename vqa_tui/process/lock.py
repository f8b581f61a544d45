"""The lock that says whether an engine or a training lives; the kernel frees it even after kill -9 (flock, POSIX)."""

import asyncio
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from vqa_tui.domain.failure import VqaError
from vqa_tui.store.at_work import is_locked as is_locked

_GONE_WITHIN_S = 5.0

ALREADY_AT_WORK = 75
"""Exit status of an engine that found another one at work (EX_TEMPFAIL of sysexits.h)."""


async def is_let_go(path: Path, *, patience_s: float = _GONE_WITHIN_S) -> bool:
    """Tell whether nobody holds the lock at `path`, or lets go of it within `patience_s`: a process of many threads
    counts as ended a moment before the last of them has closed its files."""
    deadline = time.monotonic() + patience_s
    while is_locked(path):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True


class AlreadyAtWork(VqaError):
    """Another process holds the lock."""


class ProcessLock:
    """An exclusive lock on a file, held until the process ends or `release` is called."""

    def __init__(
        self,
        path: Path,
        *,
        taken: str = "another engine is already at work on this run",
        hint: str = "Watch it instead of starting a second one.",
    ) -> None:
        """`taken` and `hint` are said when another process holds it."""
        self._path = path
        self._taken, self._hint = taken, hint
        self._descriptor: int | None = None

    async def acquire(self, *, patience_s: float = 2.0) -> None:
        """Take the lock. Raises VqaError when another process holds it for longer than `patience_s`.

        A face that probes the lock holds it for an instant, hence the patience.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise AlreadyAtWork(self._taken, hint=self._hint) from None
                await asyncio.sleep(0.02)
        self._descriptor = descriptor

    @property
    def descriptor(self) -> int:
        """The open file: a child that inherits it holds the lock too. Raises RuntimeError when the lock is not held."""
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        return self._descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def __aenter__(self) -> "ProcessLock":
        await self.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
