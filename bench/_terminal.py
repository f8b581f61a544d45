"""The terminal app in a pseudo-terminal, for benchmarks: keys go in, and what it draws is read and timed."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence

import pyte

PATIENCE_S = 60.0
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class Terminal:
    """`vqa-tui` with these arguments on a screen of `columns` × `rows`; it is killed at the end of the `with` block."""

    def __init__(self, arguments: Sequence[str], *, columns: int = 200, rows: int = 50) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unshown = bytearray()
        """Read from the app and not yet shown on the emulated screen."""
        self._draining: threading.Thread | None = None
        self._over = threading.Event()
        self.born = time.perf_counter()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-P", "-m", "vqa_tui", *arguments])
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        if self._draining is not None:
            self._draining.join()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    @property
    def lines(self) -> list[str]:
        self._stream.feed(bytes(self._unshown))
        self._unshown.clear()
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, shown: Callable[["Terminal"], bool]) -> float:
        """Read until `shown` holds of the screen, and return that moment (perf_counter)."""
        deadline = time.perf_counter() + PATIENCE_S
        while not shown(self):
            if time.perf_counter() > deadline:
                raise SystemExit(f"the screen never showed what was waited for:\n{self.text}")
            self.read(0.05)
        return time.perf_counter()

    def until_words(self, *words: str) -> float:
        return self.until(lambda terminal: all(word in terminal.text for word in words))

    def read(self, wait_s: float) -> bool:
        """Take in what has been drawn, waiting at most `wait_s` for it; False when there was nothing."""
        if arrived := self.read_raw(wait_s):
            self._stream.feed(bytes(self._unshown))
            self._unshown.clear()
        return bool(arrived)

    def until_drawn(self, what: re.Pattern[str]) -> float:
        """Read until `what` has been drawn, by the text between escape sequences, and return that moment.

        The emulated screen is brought up to date later: an emulator in Python takes longer than the app that it shows.
        """
        deadline, raw = time.perf_counter() + PATIENCE_S, b""
        while not what.search(_ESCAPES.sub("", raw.decode("utf-8", "ignore"))):
            if time.perf_counter() > deadline:
                raise SystemExit(f"the app never drew {what.pattern}")
            raw += self.read_raw(0.05)
        return time.perf_counter()

    def read_raw(self, wait_s: float) -> bytes:
        """Return what has been drawn, waiting at most `wait_s`; it is shown when the screen is looked at."""
        readable, _, _ = select.select([self._descriptor], [], [], wait_s)
        arrived = os.read(self._descriptor, 65536) if readable else b""
        self._unshown += arrived
        return arrived

    def drain(self) -> None:
        """From now on read what is drawn and throw it away, in a thread: no emulator takes part in the measuring."""

        def swallow() -> None:
            while not self._over.is_set():
                readable, _, _ = select.select([self._descriptor], [], [], 0.2)
                if readable:
                    os.read(self._descriptor, 65536)

        self._draining = threading.Thread(target=swallow, daemon=True)
        self._draining.start()
