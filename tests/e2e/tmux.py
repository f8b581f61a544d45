"""The program in a real tmux: keys go in by `send-keys`, what stands in the pane comes out by `capture-pane`."""

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.05
_GONE = "the program ended with "


class Tmux:
    """One pane of a tmux server of its own, in `folder`; the server ends with the `with` block.

    `environment` is added to this process's. Every screen that was looked at is in `seen`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, columns: int, rows: int) -> None:
        self.seen: list[str] = []
        self._socket = f"vqa-test-{uuid.uuid4().hex}"
        self._folder = folder
        outer = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
        self._environment = {**outer, **environment}
        # The pane outlives the program: what it last said can be read, and the program be started again in it.
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "-s", "only", "-c", str(folder), "cat")

    def __enter__(self) -> "Tmux":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")

    def start(self, *arguments: str) -> None:
        """Start `vqa-tui` with these arguments in the pane, in place of what was there."""
        program = shlex.join([sys.executable, "-P", "-m", "vqa_tui", *arguments])
        script = f'{program}; echo "{_GONE}$?"; exec cat'
        self._tmux("respawn-pane", "-k", "-c", str(self._folder), "sh", "-c", script)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them, such as `Enter`, `C-s` and `n`."""
        self._tmux("send-keys", "--", *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", "--", text)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def size(self) -> tuple[int, int]:
        columns, rows = self._tmux("display-message", "-p", "#{pane_width} #{pane_height}").split()
        return int(columns), int(rows)

    @property
    def text(self) -> str:
        text = self._tmux("capture-pane", "-p")
        self.seen.append(text)
        return text

    def until(self, *words: str, without: Sequence[str] = ()) -> str:
        """Wait until the pane shows all of `words` and none of `without`; return its text."""
        return self.until_fact(
            lambda text: all(word in text for word in words) and not any(word in text for word in without),
            f"{words} without {tuple(without)}",
        )

    def until_fact(self, fact: Callable[[str], bool], what: str) -> str:
        """Wait until `fact` holds of the pane's text and return that; `what` names the fact when it never does."""
        deadline = time.monotonic() + PATIENCE_S
        while not fact(text := self.text):
            if time.monotonic() > deadline:
                raise AssertionError(f"the terminal never showed {what}:\n{text}")
            time.sleep(_LOOK_EVERY_S)
        return text

    def ended(self) -> int:
        """Wait for the program's end and return its exit status."""
        text = self.until(_GONE)
        return int(text.rpartition(_GONE)[2].split()[0])

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode:
            raise AssertionError(f"tmux {arguments[0]}: {done.stderr}")
        return done.stdout
