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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.process.known_process import KnownProcess
from vqa_tui.process.lock import ProcessLock, is_let_go, is_locked
from vqa_tui.process.process_group import end_group, start_ticks
from vqa_tui.process.training_command import start_in_session
from vqa_tui.tail import tail

HOST = "127.0.0.1"
"""Loopback alone: `transformers serve` opens whatever files and addresses a request names."""
_LOOK_EVERY_S = 0.2
_ANSWER_WITHIN_S = 5.0


MERGING, STARTING, SERVING, FAILED = "merging", "starting", "serving", "failed"
_STATE = "state.json"
"""Written in the folder of a server as soon as there is a process."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server that is to be started; what is in Served as well is the same there."""

    port: int
    program: str
    model: str
    endpoint: str
    variables: dict[str, str] = field(default_factory=dict)
    """Further variables of its environment: those that choose the GPU."""
    held: tuple[int, ...] = ()
    """Open locks that it inherits beside that of its folder: it holds them as long as it lives."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work, or on its way there."""

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
    state: str = SERVING
    """`merging` while its model is made, `starting` until it has answered, then `serving`; `failed` where who started
    it is gone before that: its endpoint is written by nobody."""
    starter: int = 0
    starter_start: int = 0
    """In ticks, as `process_start`; 0 where the system does not tell."""

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
        served = Served(**json.loads((folder / _STATE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # its process is about to be started
    starter = KnownProcess(served.starter, served.starter_start)
    if served.state != SERVING and starter.began and not starter.is_certain:
        return replace(served, state=FAILED)
    return served


async def run_to_end(command: Sequence[str], folder: Path, lock: ProcessLock, wanted: Wanted) -> int:
    """Run a command that makes the model for a server and writes to the log in `folder`; return its exit status.

    It inherits `lock` and can be ended like a server; it ends with its caller. Raises VqaError when it cannot be
    started.
    """
    with _begun(command, folder, lock, wanted) as child:
        try:
            _note(folder, child, wanted, MERGING)
            while (status := child.poll()) is None:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(_LOOK_EVERY_S)
        except BaseException:
            await abandon_server(child.pid, folder)
            child.poll()
            raise
    return status


async def start_server(
    command: Sequence[str], folder: Path, lock: ProcessLock, wanted: Wanted, *, patience_s: float
) -> Served:
    """Start a server that inherits `lock`, and wait until it answers `/health`. Who looks meanwhile finds it.

    Raises VqaError, with the end of its log, when it cannot be started, ends, or does not answer within `patience_s`;
    it is ended then, as it is when the caller is interrupted.
    """
    with _begun(command, folder, lock, wanted) as child:
        try:
            _note(folder, child, wanted, STARTING)
            deadline = time.monotonic() + patience_s
            while not await asyncio.to_thread(_answers, wanted.port):
                if (status := child.poll()) is not None:
                    raise VqaError(f"the server ended (exit {status})", hint=tail(folder / "log", lines=8))
                if time.monotonic() > deadline:
                    raise VqaError(
                        f"the server did not answer within {patience_s:.0f} s", hint=tail(folder / "log", lines=8)
                    )
                await asyncio.sleep(_LOOK_EVERY_S)
            return _note(folder, child, wanted, SERVING)
        except BaseException:
            await abandon_server(child.pid, folder)
            child.poll()
            raise


def _note(folder: Path, child: subprocess.Popen[bytes], wanted: Wanted, state: str) -> Served:
    """Write down what is at work in `folder`, so that it is found though we be killed."""
    served = Served(
        pid=child.pid,
        process_start=start_ticks(child.pid),
        port=wanted.port,
        program=wanted.program,
        model=wanted.model,
        endpoint=wanted.endpoint,
        state=state,
        starter=os.getpid(),
        starter_start=start_ticks(os.getpid()),
    )
    partial = folder / f"{_STATE}.partial"
    partial.write_text(json.dumps(asdict(served)), "utf-8")
    partial.rename(folder / _STATE)
    return served


@contextmanager
def _begun(
    command: Sequence[str], folder: Path, lock: ProcessLock, wanted: Wanted
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that was started in the place of what `folder` told of before; what the disk refuses is a VqaError."""
    try:
        (folder / _STATE).unlink(missing_ok=True)
        yield _begin(command, folder, wanted.variables, lock.descriptor, *wanted.held)
    except OSError as error:
        raise VqaError(f"the server cannot be started: {error.strerror or error}") from error


def _begin(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], *inherited: int
) -> subprocess.Popen[bytes]:
    """Start a command that writes to the log in `folder`, in a session of its own."""
    with open(folder / "log", "ab") as log:
        log.write(f"$ {' '.join([*(f'{name}={each}' for name, each in variables.items()), *command])}\n".encode())
        log.flush()
        return start_in_session(command, folder, log, variables, inherited)


async def end_server(served: Served, folder: Path) -> bool:
    """End a server with its children and return whether nothing of it lives. One that may be another process by
    that number gets no signal."""
    if KnownProcess(served.pid, served.process_start).is_certain:
        await abandon_server(served.pid, folder)
    return await is_let_go(folder / "lock")


async def abandon_server(pid: int, folder: Path) -> None:
    """End a server that is certainly the one of `folder`, with its children."""
    if await end_group(pid):
        (folder / _STATE).unlink(missing_ok=True)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
