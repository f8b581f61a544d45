"""Which of several processes of a training failed first, and why."""

import json
import re
import signal
from pathlib import Path

from vqa_tui.domain.training_files import REASON

_KILLED = re.compile(r"exitcode\s*:\s*-(\d+)")
"""As torchrun tells of a process that a signal ended."""


def forget_reasons(folder: Path) -> None:
    """Delete what processes of an earlier session said."""
    for path in folder.glob(f"{REASON}*"):
        path.unlink(missing_ok=True)


def first_failure(folder: Path, log: str) -> str:
    """Return why the training in `folder` failed, by what its processes left there and by its launcher's words in the
    `log` of this session; empty where neither says.

    One that was killed says nothing itself, and the others then only that they lost it. The launcher ends with SIGTERM
    those that are left.
    """
    killed = [int(number) for number in _KILLED.findall(log)]
    if first := next((number for number in killed if number != signal.SIGTERM), 0):
        return killed_by(first, "a process of the training")
    said = sorted(filter(None, map(_reason, folder.glob(f"{REASON}*"))))
    if said:
        return said[0][2]
    return killed_by(killed[0], "a process of the training") if killed else ""


def killed_by(number: int, who: str) -> str:
    """Return what to say of a trainer that a signal ended."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    more = "; the system does that when memory runs out" if number == signal.SIGKILL else ""
    return f"{who} was killed by {name}{more}. Its checkpoints are whole: resume goes on from the newest."


def _reason(path: Path) -> tuple[bool, float, str] | None:
    """Whether it follows from another's failure, when it was told, and the sentence; None for a file that is none."""
    try:
        said = json.loads(path.read_text("utf-8"))
        return bool(said["follows"]), float(said["at"]), str(said["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
