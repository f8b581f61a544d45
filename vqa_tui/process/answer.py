"""Asking a command of ours in a process of its own, for what must not happen in this one: its answer, bounded."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """How a command ended, and what it said."""

    status: int
    """Its exit status; negative is the signal that ended it."""
    stdout: bytes
    stderr: bytes


class NoAnswer(Exception):
    """The command took too long or said too much, and was ended; the text says which."""


async def command_answer(arguments: Sequence[str], *, within_s: float, most_bytes: int) -> CommandAnswer:
    """Run `python -m vqa_tui` with `arguments` and return what it said.

    The process never outlives this call, however that ends. Raises NoAnswer when it takes longer than `within_s`
    seconds or says more than `most_bytes` on either stream. `-P` keeps files in the current folder from standing in for
    our modules.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "vqa_tui"),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None and child.stderr is not None
    streams = child.stdout, child.stderr
    readers = [asyncio.create_task(_read(stream, most_bytes)) for stream in streams]
    try:
        async with asyncio.timeout(within_s):
            stdout, stderr = await asyncio.gather(*readers)
            return CommandAnswer(await child.wait(), stdout, stderr)
    except TimeoutError:
        raise NoAnswer(f"no answer within {within_s:.0f} s") from None
    finally:
        await asyncio.shield(_end(child, streams, readers))


async def _read(stream: asyncio.StreamReader, most_bytes: int) -> bytes:
    found = bytearray()
    while piece := await stream.read(_PIECE):
        found += piece
        if len(found) > most_bytes:
            raise NoAnswer(f"an answer of more than {most_bytes:,} bytes")
    return bytes(found)


async def _drop(stream: asyncio.StreamReader) -> None:
    while await stream.read(_PIECE):
        pass


async def _end(
    child: asyncio.subprocess.Process,
    streams: Sequence[asyncio.StreamReader],
    readers: Sequence["asyncio.Task[bytes]"],
) -> None:
    """Kill the process, and what it started, unless it has ended; an embedded server is a child of its own.

    What it had said is read to its end: asyncio takes a process whose pipes are full and unread for one that runs.
    """
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await asyncio.gather(child.wait(), *map(_drop, streams))
