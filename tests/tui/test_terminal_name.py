"""A terminal is asked for its name before pictures are drawn by it: real pseudo-terminals that answer, or do not."""

import os
import pty
import termios
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from vqa_tui.tui import picture_mode
from vqa_tui.tui import terminal_name as asked
from vqa_tui.tui.picture_mode import PictureMode, make_ready
from vqa_tui.tui.terminal_name import draws_in_cells, terminal_name

ATTRIBUTES = b"\x1b[?62;c"


class Terminal:
    """The far end of a pseudo-terminal: answers with `reply` once it has been asked everything."""

    def __init__(self) -> None:
        self.far, self.near = pty.openpty()
        self.heard = b""
        self._thread: threading.Thread | None = None

    def answer(self, reply: bytes) -> None:
        def listen() -> None:
            while not self.heard.endswith(b"\x1b[c"):
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
    ("reply", "name"),
    [
        (b"\x1bP>|kitty(0.26.5)\x1b\\" + ATTRIBUTES, "kitty(0.26.5)"),
        (b"j\x1bP>|ghostty 1.1.3\x1b\\" + ATTRIBUTES, "ghostty 1.1.3"),
        (ATTRIBUTES, None),
    ],
)
def test_it_reads_what_the_terminal_says_and_leaves_it_as_it_was(
    terminal: Terminal, reply: bytes, name: str | None
) -> None:
    before = termios.tcgetattr(terminal.near)
    terminal.answer(reply)
    assert terminal_name(within_s=60) == name
    assert termios.tcgetattr(terminal.near) == before


def test_a_terminal_that_says_nothing_is_not_waited_for(terminal: Terminal) -> None:
    assert terminal_name(within_s=0.01) is None


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with open(read, "rb") as keys, open(write, "wb") as screen:
        monkeypatch.setattr(asked, "sys", SimpleNamespace(__stdin__=keys, __stdout__=screen))
        assert terminal_name() is None


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
    terminal.answer(b"\x1bP>|" + name + b"\x1b\\" + ATTRIBUTES)
    assert make_ready(PictureMode.KITTY) is mode
