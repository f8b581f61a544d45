"""What a terminal says of itself when it is asked, once and before the app reads keys: its name, the size of a cell."""

import fcntl
import os
import re
import select
import struct
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_ASK = b"\x1b[>q\x1b[16t\x1b[5n"
"""XTVERSION, size of a cell, device status. Source: xterm's control sequences (ctlseqs).

Answers come in order and every terminal answers the last, so nothing is awaited in vain, and no answer comes so late
that it would be read as keys: `?` and digits are keys of this app.
"""
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_CELL = re.compile(rb"\x1b\[6;(\d+);(\d+)t")
_END = re.compile(rb"\x1b\[[03]n")
_KITTY = re.compile(r"kitty\((\d+)\.(\d+)")
_PLACEHOLDERS_SINCE = (0, 28)
"""Kitty's changelog: Unicode placeholders for pictures came with 0.28.0."""


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """What is known of a terminal."""

    name: str | None = None
    """Name and version, such as `kitty(0.41.1)`; None where it does not tell."""
    cell: tuple[int, int] | None = None
    """Width and height of a cell in pixels."""


def ask_terminal(within_s: float = 3.0) -> TerminalFacts:
    """Ask the terminal that this program is shown in; nothing is known without one, or when it does not answer in time.

    To be called before the app reads keys: keys that are pressed meanwhile are lost.
    """
    if not (sys.__stdin__ and sys.__stdout__ and sys.__stdin__.isatty() and sys.__stdout__.isatty()):
        return TerminalFacts()
    keys, screen = sys.__stdin__.fileno(), sys.__stdout__.fileno()
    said = _ask(keys, screen, within_s)
    name, cell = _NAME.search(said), _CELL.search(said)
    return TerminalFacts(
        name=name[1].decode(errors="replace") if name else None,
        cell=_cell_by_size(screen) or ((int(cell[2]), int(cell[1])) if cell else None),
    )


def _ask(keys: int, screen: int, within_s: float) -> bytes:
    said, until = b"", time.monotonic() + within_s
    with _unbuffered(keys):
        os.write(screen, _ASK)
        while not _END.search(said):
            ready, _, _ = select.select([keys], [], [], max(until - time.monotonic(), 0))
            if not ready or not (more := os.read(keys, 1_000)):
                break
            said += more
    return said


def _cell_by_size(screen: int) -> tuple[int, int] | None:
    """The size of a cell from that of the window, where the terminal has told the system both."""
    rows, columns, width, height = struct.unpack("4H", fcntl.ioctl(screen, termios.TIOCGWINSZ, bytes(8)))
    if not (rows and columns and width >= columns and height >= rows):
        return None
    return width // columns, height // rows


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
