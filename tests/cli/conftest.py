"""A workspace with drawn pictures, calling the command line in this process, and driving it in a real terminal."""

import asyncio
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vqa_tui.cli.main import app
from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.domain.run import LIVE_PHASES, EngineState
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.runs import list_runs, run_view, stop_run
from vqa_tui.operations.workspace import open_workspace

PICTURES = 12
PATIENCE_S = 60.0
CTRL_C = "\x03"
SLOW_ENDPOINT = """\
name: slow
kind: embedded
model: slow-1
keys: [{name: a}, {name: b}]
concurrency: 2
prices: {input_per_million: 0.1, output_per_million: 0.4}
embedded: {latency_ms: 300, latency_spread: 0}
"""

Cli = Callable[..., Result]


@dataclass(frozen=True)
class Place:
    """A workspace and what is beside it."""

    folder: Path

    @property
    def slow_endpoint(self) -> str:
        return str(self.folder / "slow.yaml")

    def call(self, *arguments: str) -> Result:
        """Run one command in this process on this workspace; it must not break."""
        result = CliRunner().invoke(app, [*arguments, "--workspace", str(self.folder)], prog_name="vqa-tui")
        unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
        if unexpected and result.exception is not None:
            raise result.exception
        return result

    def ok(self, *arguments: str) -> str:
        """Run one command that must succeed and return its standard output."""
        result = self.call(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: str) -> str:
        """Run one command that must be refused as bad input and return what it says."""
        result = self.call(*arguments)
        assert result.exit_code == 2, f"exit {result.exit_code}: {result.output}"
        assert result.stdout == ""
        return result.stderr


@pytest.fixture(scope="session")
def drawn_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder made once: pictures and annotations."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_demo_dataset(folder, PICTURES)
    return folder


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory, drawn_pictures: Path) -> Path:
    """A workspace with the pictures imported as `scans`, to be copied."""
    folder = tmp_path_factory.mktemp("imported")

    async def work() -> None:
        async with open_workspace(folder) as workspace:
            await import_dataset(workspace, "stcray", drawn_pictures / "annotations.json", name="scans")

    asyncio.run(work())
    return folder


@pytest.fixture
def place(tmp_path: Path, imported: Path) -> Iterator[Place]:
    """A workspace of its own with the dataset `scans` and the file slow.yaml; its engines end with the test."""
    folder = tmp_path / "place"
    shutil.copytree(imported, folder)
    (folder / "slow.yaml").write_text(SLOW_ENDPOINT)
    yield Place(folder)
    asyncio.run(end_engines(folder))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, imported: Path) -> Iterator[Place]:
    """A workspace with the finished run `first`; for looking only."""
    folder = tmp_path_factory.mktemp("finished") / "place"
    shutil.copytree(imported, folder)
    made = Place(folder)
    made.ok("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--name", "first", "--yes")
    # The run is done a moment before its engine has gone.
    asyncio.run(end_engines(folder))
    yield made
    # A command that ought to be refused and was not may have started one.
    asyncio.run(end_engines(folder))


async def end_engines(folder: Path) -> None:
    """Stop every engine of a workspace and wait until it is gone; kill one that does not obey."""
    async with open_workspace(folder) as workspace:
        for run in await list_runs(workspace):
            if run.engine is EngineState.NONE:
                continue
            if run.phase in LIVE_PHASES and run.engine is not EngineState.LOST:
                await stop_run(workspace, run.id, cancel_in_flight=True)
            deadline = time.monotonic() + PATIENCE_S
            while (view := await run_view(workspace, run.id)).engine.state in (EngineState.ALIVE, EngineState.HUNG):
                if time.monotonic() > deadline and view.engine.pid is not None:
                    os.kill(view.engine.pid, signal.SIGKILL)
                    raise AssertionError(f"the engine of {run.name} did not stop")
                await asyncio.sleep(0.02)


class Terminal:
    """A command in a pseudo-terminal of its own, so that it can ask, redraw and be interrupted."""

    def __init__(self, arguments: list[str], cwd: Path) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _RUN_IN_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        """Read until `text` was shown."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} was never shown: {self.shown[-3000:]}"
            assert self._read(), f"it ended without showing {text!r}: {self.shown[-3000:]}"

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self, text: str) -> None:
        """Press Ctrl+C until `text` was shown: Python misses one that comes in just before it waits for a line."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} was never shown: {self.shown[-3000:]}"
            self.press(CTRL_C)
            while text not in self.shown and self._read(wait_s=3.0):
                pass

    def exit_code(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE_S)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    def _read(self, wait_s: float = PATIENCE_S) -> bool:
        readable, _, _ = select.select([self._ours], [], [], wait_s)
        try:
            piece = os.read(self._ours, 65536) if readable else b""
        except OSError:
            # Linux reports the end of a pseudo-terminal as an input-output error.
            piece = b""
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


# The child makes the pseudo-terminal its controlling one, so that Ctrl+C reaches it as SIGINT.
_RUN_IN_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from vqa_tui.__main__ import main
main()
"""


@pytest.fixture
def in_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Start commands in pseudo-terminals; they end with the test."""
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(list(arguments), tmp_path))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()
