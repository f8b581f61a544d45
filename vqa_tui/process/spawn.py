"""Starting processes that outlive us: own session, own log file, no pipe back."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_children: list[subprocess.Popen[bytes]] = []
"""Started by this process; kept so that ended ones can be reaped."""


def spawn_detached(arguments: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start `python -m vqa_tui` with `arguments` in a session of its own, appending its output to `log`.

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
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    _children.append(child)
    return child


def reap_children() -> None:
    """Collect the exit status of children that ended, so that none stays behind as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]
