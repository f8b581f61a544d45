"""The server of a tuned model: it outlives its terminal, is found again by its lock, and ends with its children."""

import asyncio
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.process.lock import ProcessLock, is_let_go, is_locked
from vqa_tui.process.process_group import end_group, start_ticks
from vqa_tui.process.tail import tail
from vqa_tui.process.training_command import trainer_environment

HOST = "127.0.0.1"
"""Loopback alone: `transformers serve` opens whatever files and addresses a request names."""
_LOOK_EVERY_S = 0.2
_ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work."""

    pid: int
    process_start: int
    """In ticks: a number used again by another process is told apart."""
    port: int
    program: str
    """`transformers` or `vllm`."""
    model: str
    """What it is called in a request."""
    endpoint: str
    """Name of the endpoint file that leads to it."""

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"


def server_command(program: str, model: str, port: int, more: Sequence[str] = ()) -> list[str]:
    """Return the arguments that serve `model` on loopback. Raises VqaError when there is no program vllm."""
    listening = ["--host", HOST, "--port", str(port)]
    if program == "transformers":
        return [sys.executable, "-P", "-m", "vqa_tui.training.serving", model, *listening, *more]
    if (found := vllm_program()) is None:
        raise VqaError("the program vllm is not installed", hint="`pip install vllm`, or serve with transformers.")
    return [found, "serve", model, *listening, *more]


def vllm_program() -> str | None:
    """Return the path of vLLM's program, beside this Python or on the path."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("vllm", path=beside) or shutil.which("vllm")


def free_port() -> int:
    """Return a port of loopback on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether something could listen on that port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def served_in(folder: Path) -> Served | None:
    """Return the server that is at work in `folder`; None where there is none."""
    if not is_locked(folder / "lock"):
        return None
    try:
        return Served(**json.loads((folder / "state.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # it is being started


async def run_to_end(command: Sequence[str], folder: Path) -> int:
    """Run a command that writes to the log in `folder`, and return its exit status; it ends with its caller."""
    child = _begin(command, folder)
    try:
        while (status := child.poll()) is None:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(_LOOK_EVERY_S)
    except BaseException:
        await end_group(child.pid)
        child.poll()
        raise
    return status


async def start_server(
    command: Sequence[str],
    folder: Path,
    lock: ProcessLock,
    *,
    port: int,
    program: str,
    model: str,
    endpoint: str,
    patience_s: float,
) -> Served:
    """Start a server that inherits `lock`, and wait until it answers `/health`.

    Raises VqaError, with the end of its log, when it ends or does not answer within `patience_s`; it is ended then, as
    it is when the caller is interrupted.
    """
    child = _begin(command, folder, lock.descriptor)
    served = Served(child.pid, start_ticks(child.pid), port, program, model, endpoint)
    try:
        deadline = time.monotonic() + patience_s
        while not await asyncio.to_thread(_answers, port):
            if (status := child.poll()) is not None:
                raise VqaError(f"the server ended (exit {status})", hint=tail(folder / "log", lines=8))
            if time.monotonic() > deadline:
                raise VqaError(
                    f"the server did not answer within {patience_s:.0f} s", hint=tail(folder / "log", lines=8)
                )
            await asyncio.sleep(_LOOK_EVERY_S)
        partial = folder / "state.json.partial"
        partial.write_text(json.dumps(asdict(served)), "utf-8")
        partial.rename(folder / "state.json")
    except BaseException:
        await end_group(child.pid)
        child.poll()
        raise
    return served


def _begin(command: Sequence[str], folder: Path, *inherited: int) -> subprocess.Popen[bytes]:
    """Start a command that writes to the log in `folder`, in a session of its own."""
    with open(folder / "log", "ab") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=trainer_environment(os.environ),
            cwd=folder,
            start_new_session=True,
            pass_fds=inherited,
        )


async def end_server(served: Served, folder: Path) -> bool:
    """End a server with its children and return whether nothing of it lives."""
    if start_ticks(served.pid) == served.process_start:
        await end_group(served.pid)
    with suppress(FileNotFoundError):
        (folder / "state.json").unlink()
    return await is_let_go(folder / "lock")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
