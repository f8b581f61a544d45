"""How the programs that train, judge and merge end: their exit statuses, which must tell what no file can any more."""

FAILED, BAD_INPUT = 1, 2
FULL_DISK = 74
"""EX_IOERR of sysexits.h: nothing more can be written, so nowhere else may it be said why."""
FULL_DISK_WORDS = "the disk is full. Free some space and try again"
ERROR = "error: "
"""Begins the line in which they say why they failed: on a full disk that is all they can."""


def told_reason(log: str) -> str:
    """Return what the last such line in a log says; empty where there is none."""
    return next((line.removeprefix(ERROR) for line in reversed(log.splitlines()) if line.startswith(ERROR)), "")
