"""What a terminal says of itself when it is asked (XTVERSION), and whether a Kitty is too old for pictures in cells."""

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_ASK = b"\x1b[>q\x1b[c"
"""XTVERSION, then primary device attributes: every terminal answers the second, so that no answer to the first is known
at once. Source: xterm's control sequences (ctlseqs)."""
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_END = re.compile(rb"\x1b\[\?[0-9;]*c")
_KITTY = re.compile(r"kitty\((\d+)\.(\d+)")
_PLACEHOLDERS_SINCE = (0, 28)
"""Kitty's changelog: Unicode placeholders for pictures came with 0.28.0."""


def terminal_name(within_s: float = 0.5) -> str | None:
    """Return name and version as the terminal tells them, such as `kitty(0.35.1)`.

    None without a terminal, and from one that does not tell or not in time. To be called before the app reads keys:
    keys that are pressed meanwhile are lost.
    """
    if not (sys.__stdin__ and sys.__stdout__ and sys.__stdin__.isatty() and sys.__stdout__.isatty()):
        return None
    return _ask(sys.__stdin__.fileno(), sys.__stdout__.fileno(), within_s)


def _ask(keys: int, screen: int, within_s: float) -> str | None:
    said, until = b"", time.monotonic() + within_s
    with _unbuffered(keys):
        os.write(screen, _ASK)
        while not _END.search(said):
            ready, _, _ = select.select([keys], [], [], max(until - time.monotonic(), 0))
            if not ready or not (more := os.read(keys, 1_000)):
                return None
            said += more
    name = _NAME.search(said)
    return name[1].decode(errors="replace") if name else None


@contextmanager
def _unbuffered(keys: int) -> Iterator[None]:
    """Read bytes as they come and do not echo them, and leave the terminal as it was."""
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSANOW, before)


def draws_in_cells(name: str | None) -> bool:
    """Return whether a terminal of this name draws Kitty pictures in place of characters."""
    if name is None:
        return False
    kitty = _KITTY.match(name)
    return kitty is None or (int(kitty[1]), int(kitty[2])) >= _PLACEHOLDERS_SINCE
