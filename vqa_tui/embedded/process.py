"""Starting the embedded endpoint as a child process that ends with its parent."""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from pydantic import ValidationError

import vqa_tui
from vqa_tui.config.endpoint import Endpoint
from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.child import ChildReport, ChildSettings

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 3.0
_SHOWN_STDERR_BYTES = 4000


class RunningEmbedded:
    """A running embedded endpoint; also a context manager that stops it."""

    def __init__(self, base_url: str, child: subprocess.Popen[bytes], start: Callable[[], "RunningEmbedded"]) -> None:
        self.base_url = base_url
        """Up to and with `/v1`."""
        self._child = child
        self._start = start

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        """Whether the child ended although nobody asked it to."""
        return self._child.poll() is not None

    def start_again(self) -> None:
        """Start another child at the same address in place of one that ended (blocks up to a second).

        Raises VqaError when it does not start.
        """
        _end(self._child)
        self._child = self._start()._child

    def stop(self) -> None:
        """End the child and wait for it; a second call does nothing."""
        _end(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_embedded(
    endpoint: Endpoint, *, log: Path | None = None, start_timeout_s: float = _START_TIMEOUT_S, port: int = 0
) -> RunningEmbedded:
    """Start the embedded endpoint for `endpoint` in a child process and return once it listens (blocks up to a second).

    The child ends when `stop()` is called or when this process ends in any way, `kill -9` included, because it watches
    the pipe to its stdin. It accepts `embedded-<name>` for each key of the endpoint. `log` collects its stderr (it is
    appended to); without it stderr is only kept until the child listens. Raises VqaError with the child's stderr when
    it does not start. Port 0 takes a free one.
    """
    with _stderr_file(log) as stderr:
        stderr_start = stderr.seek(0, os.SEEK_END)
        # In a process group of its own, so that no signal of the terminal reaches it.
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "vqa_tui.embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=_environment(),
            process_group=0,
        )
        try:
            line = _exchange(child, ChildSettings.of(endpoint, keep_stderr=log is not None, port=port), start_timeout_s)
            report = _read_report(line)
        except BaseException:
            _end(child)
            raise
        if report is None or report.error:
            _end(child)
            stderr.seek(stderr_start)
            raise _start_failure(endpoint, child, report, stderr.read())
    taken = urlsplit(report.base_url).port or 0
    again = partial(start_embedded, endpoint, log=log, start_timeout_s=start_timeout_s, port=taken)
    return RunningEmbedded(report.base_url, child, again)


def _stderr_file(log: Path | None) -> IO[bytes]:
    """Open the log, or an unnamed temporary file: never a pipe, which would block the child once it is full."""
    if log is None:
        return tempfile.TemporaryFile()
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open(log, "a+b", opener=lambda path, flags: os.open(path, flags, 0o600))


def _environment() -> dict[str, str]:
    """Return our environment; from a checkout that is not installed, with the checkout on the module path.

    `-P` keeps files of the current folder from standing in for our modules, which also hides such a checkout.
    """
    checkout = Path(vqa_tui.__file__).resolve().parent.parent
    if not (checkout / "pyproject.toml").is_file():
        return dict(os.environ)
    paths = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _exchange(child: subprocess.Popen[bytes], settings: ChildSettings, timeout_s: float) -> bytes:
    """Send the settings and return the line that comes back, or what came before the child ended or the time was up."""
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(settings.model_dump_json().encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        return b""
    deadline = time.monotonic() + timeout_s
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([child.stdout], [], [], max(deadline - time.monotonic(), 0))
        chunk = os.read(child.stdout.fileno(), 65536) if readable else b""
        if not chunk:
            break
        line += chunk
    child.stdout.close()
    return line


def _read_report(line: bytes) -> ChildReport | None:
    try:
        return ChildReport.model_validate_json(line)
    except ValidationError:
        return None


def _start_failure(
    endpoint: Endpoint, child: subprocess.Popen[bytes], report: ChildReport | None, stderr: bytes
) -> VqaError:
    if report is not None:
        return VqaError(
            f"endpoint {endpoint.name}: the embedded endpoint did not start: {report.error}", hint=report.hint
        )
    said = stderr[-_SHOWN_STDERR_BYTES:].decode("utf-8", "replace").strip()
    return VqaError(
        f"endpoint {endpoint.name}: the embedded endpoint did not start (exit status {child.returncode})",
        hint=f"It said:\n{said}" if said else "It said nothing; the machine may be out of memory or very busy.",
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask by closing stdin, then by SIGTERM, then kill; return when the child is gone."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except BrokenPipeError:
                # Settings that a dead child never read; closing tries to write them once more.
                continue
    for press in (child.terminate, child.kill):
        try:
            child.wait(_STOP_TIMEOUT_S)
            return
        except subprocess.TimeoutExpired:
            press()
    child.wait()
