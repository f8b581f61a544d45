"""Ending a process with all its children: first politely, in the end for certain."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

STEPS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0))
"""Signals in the order of their urgency, and how long each is waited for, in seconds."""
_LOOK_EVERY_S = 0.05


async def end_group(group: int, steps: tuple[tuple[signal.Signals, float], ...] = STEPS) -> bool:
    """Signal a process group until nothing of it lives, and return whether that is so.

    Children that have a group of their own (torchrun gives each worker one) are left to their parent, which passes
    polite signals on; SIGKILL they get themselves.
    """
    family: dict[int, int] = {}
    for number, patience_s in steps:
        family |= _descendants(group)
        _signal(group, number)
        if number is signal.SIGKILL:
            for pid in _living(family):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while True:
            if not group_lives(group) and not _living(family):
                return True
            if time.monotonic() >= deadline:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
    return not group_lives(group) and not _living(family)


def group_lives(group: int) -> bool:
    """Tell whether a process of the group lives that may be signalled; those that ended and were not waited for are
    none (macOS refuses a group of them with EPERM)."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if sys.platform != "linux":
        return True
    return any(fields[2] == str(group) and fields[0] != "Z" for fields in _processes().values())


def start_ticks(pid: int) -> int:
    """Return when a process began, in clock ticks since the machine did; 0 where that is not told, or it is gone."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return int(fields[19]) if len(fields) > 19 else 0


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _descendants(pid: int) -> dict[int, int]:
    """All processes below this one, by number, with when they began; none where there is no /proc."""
    processes = _processes()
    below: dict[int, int] = {}
    parents = {str(pid)}
    while parents:
        found = {each: int(fields[19]) for each, fields in processes.items() if fields[1] in parents}
        parents = {str(each) for each in found if each not in below}
        below |= found
    return below


def _living(family: dict[int, int]) -> list[int]:
    """Those of the family that live; a number that another process took meanwhile is none."""
    fields = {pid: _fields(Path(f"/proc/{pid}/stat")) for pid in family}
    return [pid for pid, each in fields.items() if len(each) > 19 and each[0] != "Z" and int(each[19]) == family[pid]]


def _processes() -> dict[int, list[str]]:
    found = {int(path.parent.name): _fields(path) for path in Path("/proc").glob("[0-9]*/stat")}
    return {pid: fields for pid, fields in found.items() if len(fields) > 19}


def _fields(stat: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on (proc_pid_stat(5)); the second may hold any character."""
    try:
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
