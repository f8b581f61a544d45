"""Starting processes that outlive us: own session, own log file, no pipe back."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.tail import tail

_LOOK_EVERY_S = 0.02
_LINES = 8

_children: list[subprocess.Popen[bytes]] = []
"""Started by this process; kept so that ended ones can be reaped."""


def spawn_detached(
    arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `python -m vqa_tui` with `arguments` in a session of its own, appending its output to `log`.

    It sees the variables of `environment`; by default all of ours, API keys too.
    `-P` keeps files in the current folder from standing in for our modules.
    """
    reap_children()
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "vqa_tui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    _children.append(child)
    return child


def reap_children() -> None:
    """Collect the exit status of children that ended, so that none stays behind as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


async def spawn_until_up(
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    what: str,
    is_up: Callable[[], bool],
    patience_s: float,
) -> None:
    """Start `python -m vqa_tui` as `spawn_detached` does, on an empty log, and return when `is_up`, or when it
    has ended well.

    Raises VqaError, with the end of the log, where it ends otherwise or is not up within `patience_s`; `what` it is
    stands in the sentence.
    """
    child = _spawn_anew(arguments, log, environment)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if (status := child.poll()) is not None:
            if status:
                raise VqaError(f"{what} ended at once", hint=tail(log, lines=_LINES))
            return
        if is_up():
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise VqaError(f"{what} did not come up within {patience_s:.0f} s", hint=f"Its log: {log}")


def _spawn_anew(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    log.unlink(missing_ok=True)
    return spawn_detached(arguments, log=log, environment=environment)
