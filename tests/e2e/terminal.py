"""A real terminal for tests: the program runs in a pty, and what it draws is kept as a screen of characters."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType

import pyte

PATIENCE_S = 60.0


class Terminal:
    """`vqa-tui` with the given arguments on a screen of `columns` × `rows`; ends with the `with` block."""

    def __init__(self, arguments: Sequence[str], *, columns: int = 80, rows: int = 24) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-P", "-m", "vqa_tui", *arguments])
        self.resize(columns, rows)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        os.close(self._descriptor)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def until(self, *words: str, without: Sequence[str] = ()) -> str:
        """Wait until the screen shows all of `words` and none of `without`; return its text."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if all(word in self.text for word in words) and not any(word in self.text for word in without):
                return self.text
            if time.monotonic() > deadline:
                raise AssertionError(f"the screen never showed {words} without {tuple(without)}:\n{self.text}")
            self._read(0.05)

    def ended(self) -> int:
        """Wait for the program's end and return its exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"the program did not end:\n{self.text}")

    def kill(self) -> None:
        """kill -9, if it is still there."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    def _read(self, wait_s: float) -> None:
        readable, _, _ = select.select([self._descriptor], [], [], wait_s)
        if readable:
            try:
                self._stream.feed(os.read(self._descriptor, 65536))
            except OSError:
                # Linux reports the end of the program on the other side as an input-output error.
                time.sleep(0.01)
