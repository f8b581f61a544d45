"""Ending a process with all its children: first politely, in the end for certain."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

STEPS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0))
"""Signals in the order of their urgency, and how long each is waited for, in seconds."""
_LOOK_EVERY_S = 0.05


async def end_group(group: int, steps: tuple[tuple[signal.Signals, float], ...] = STEPS) -> bool:
    """Signal a process group until nothing of it lives, and return whether that is so."""
    for number, patience_s in steps:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not group_lives(group):
                return True
            await asyncio.sleep(_LOOK_EVERY_S)
    return not group_lives(group)


def group_lives(group: int) -> bool:
    """Tell whether a process of the group lives; those that ended and were not waited for are none."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    if sys.platform != "linux":
        return True
    return any(_is_of(path, group) for path in Path("/proc").glob("[0-9]*/stat"))


def start_ticks(pid: int) -> int:
    """Return when a process began, in clock ticks since the machine did; 0 where that is not told, or it is gone."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return int(fields[19]) if len(fields) > 19 else 0


def _is_of(stat: Path, group: int) -> bool:
    fields = _fields(stat)
    return len(fields) > 2 and fields[2] == str(group) and fields[0] != "Z"


def _fields(stat: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on (proc_pid_stat(5)); the second may hold any character."""
    try:
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
