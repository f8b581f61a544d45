"""Clocks that a person, a time server or a sleeping computer cannot upset."""

import time

_WALL_AT_START = time.time()
_STEADY_AT_START = time.monotonic()


def steady_time() -> float:
    """Return the Unix time as it was when this process began plus the seconds since: it neither jumps nor runs back.

    The time that a sleeping computer misses is missing here too, so a wait goes on where it stopped.
    """
    return _WALL_AT_START + (time.monotonic() - _STEADY_AT_START)


def to_wall(steady: float) -> float:
    """Return the Unix time of the present wall clock at which `steady_time()` will be `steady`."""
    return steady - steady_time() + time.time()


def elapsed_time() -> float:
    """Return seconds of a clock that no one can set and that goes on while the computer sleeps.

    Linux has CLOCK_BOOTTIME for that (clock_gettime(2)); on macOS it is CLOCK_MONOTONIC, unlike Python's monotonic.
    """
    return time.clock_gettime(_SLEEPLESS)


_SLEEPLESS: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
