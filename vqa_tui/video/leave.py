"""How long a video may be read, and whether anybody still wants it: readers ask between one piece and the next."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_S = 600.0
"""Seconds that one call may take: a long clip of large frames needs minutes, and a hostile file may have no end."""


class TimeIsUp(Exception):
    """A video took longer than it may. The words say how long that was."""


class CalledOff(Exception):
    """Whoever wanted something of a video wants it no more: nothing is wrong with the video."""


class Leave:
    """Leave to go on reading, for so many seconds from now on, or until it is `called_off`."""

    def __init__(self, seconds: float = PATIENCE_S, *, called_off: Callable[[], bool] = lambda: False) -> None:
        self._seconds, self._until, self._called_off = seconds, time.monotonic() + seconds, called_off

    def require(self) -> None:
        """Raise CalledOff or TimeIsUp where there is no leave any more."""
        self.require_wanted()
        if time.monotonic() >= self._until:
            raise TimeIsUp(f"could not be read within {self._seconds:,.0f} s")

    def require_wanted(self) -> None:
        """Raise CalledOff where it is."""
        if self._called_off():
            raise CalledOff

    @contextmanager
    def standing_in_line(self) -> Iterator[None]:
        """Stop the clock: the time that another reader takes says nothing of this one."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._until += time.monotonic() - began
