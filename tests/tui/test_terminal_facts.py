"""A terminal is asked before pictures are drawn by it: real pseudo-terminals that answer, late, or not at all."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from vqa_tui.tui import picture_mode
from vqa_tui.tui import terminal_facts as asked
from vqa_tui.tui.picture_mode import PictureMode, make_ready
from vqa_tui.tui.terminal_facts import TerminalFacts, ask_terminal, draws_in_cells

READY = b"\x1b[0n"
CELL = b"\x1b[6;18;9t"


class Terminal:
    """The far end of a pseudo-terminal: answers with `reply` once it has been asked everything."""

    def __init__(self) -> None:
        self.far, self.near = pty.openpty()
        self.heard = b""
        self._thread: threading.Thread | None = None

    def answer(self, reply: bytes) -> None:
        def listen() -> None:
            while not self.heard.endswith(b"\x1b[5n"):
                self.heard += os.read(self.far, 100)
            os.write(self.far, reply)

        self._thread = threading.Thread(target=listen)
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join()
        os.close(self.far)
        os.close(self.near)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal()
    stream = SimpleNamespace(fileno=lambda: terminal.near, isatty=lambda: True)
    monkeypatch.setattr(asked, "sys", SimpleNamespace(__stdin__=stream, __stdout__=stream))
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("reply", "name", "cell"),
    [
        (b"\x1bP>|kitty(0.26.5)\x1b\\" + CELL + READY, "kitty(0.26.5)", (9, 18)),
        (b"j\x1bP>|ghostty 1.1.3\x1b\\" + READY, "ghostty 1.1.3", None),
        (READY, None, None),
        (b"\x1b[3n", None, None),
    ],
)
def test_it_reads_what_the_terminal_says_and_leaves_it_as_it_was(
    terminal: Terminal, reply: bytes, name: str | None, cell: tuple[int, int] | None
) -> None:
    before = termios.tcgetattr(terminal.near)
    terminal.answer(reply)
    assert ask_terminal(within_s=60) == TerminalFacts(name, cell)
    assert termios.tcgetattr(terminal.near) == before
    assert not select.select([terminal.near], [], [], 0)[0], "an answer was left to be read as keys"


def test_the_window_tells_the_size_of_a_cell_where_it_is_known(terminal: Terminal) -> None:
    fcntl.ioctl(terminal.near, termios.TIOCSWINSZ, struct.pack("4H", 50, 200, 1_600, 1_000))
    terminal.answer(CELL + READY)
    assert ask_terminal(within_s=60).cell == (8, 20)


def test_a_terminal_that_says_nothing_is_not_waited_for(terminal: Terminal) -> None:
    assert ask_terminal(within_s=0.01) == TerminalFacts()


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with open(read, "rb") as keys, open(write, "wb") as screen:
        monkeypatch.setattr(asked, "sys", SimpleNamespace(__stdin__=keys, __stdout__=screen))
        assert ask_terminal() == TerminalFacts()


@pytest.mark.parametrize(
    ("name", "draws"),
    [
        ("kitty(0.26.5)", False),
        ("kitty(0.27.1)", False),
        ("kitty(0.28.0)", True),
        ("kitty(1.0.0)", True),
        ("ghostty 1.1.3", True),
        (None, False),
    ],
)
def test_kitty_draws_in_cells_since_0_28(name: str | None, draws: bool) -> None:
    assert draws_in_cells(name) is draws


@pytest.mark.parametrize(
    ("name", "mode"), [(b"kitty(0.26.5)", PictureMode.HALFBLOCK), (b"kitty(0.40.0)", PictureMode.KITTY)]
)
def test_an_old_kitty_gets_half_blocks(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: bytes, mode: PictureMode
) -> None:
    pytest.importorskip("textual_image")
    monkeypatch.setattr(picture_mode, "_widgets", {})
    terminal.answer(b"\x1bP>|" + name + b"\x1b\\" + READY)
    assert make_ready(PictureMode.KITTY) is mode


_DRAW = """
from vqa_tui.tui.picture_mode import PictureMode, make_ready
assert make_ready(PictureMode.KITTY) is PictureMode.KITTY
from textual_image._terminal import get_cell_size
print(get_cell_size())
"""


def test_only_one_question_is_asked_and_the_library_is_told_the_size_of_a_cell() -> None:
    """In a process of its own: the library asks when it is imported for the first time."""
    pytest.importorskip("textual_image")
    terminal = Terminal()
    terminal.answer(b"\x1bP>|kitty(0.41.1)\x1b\\" + CELL + READY)
    program = subprocess.Popen([sys.executable, "-c", _DRAW], stdin=terminal.near, stdout=terminal.near)
    assert program.wait() == 0
    said = b""
    while b")" not in said:
        said += os.read(terminal.far, 1_000)
    terminal.close()
    assert b"CellSize(width=9, height=18)" in said
    assert b"\x1b" not in said, "the terminal was asked once more"
