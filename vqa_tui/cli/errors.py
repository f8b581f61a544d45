"""How what goes wrong in a command becomes words on stderr and an exit code."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.safe_text import clean

WORK_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
READER_GONE = 141
"""What a shell shows of a program that SIGPIPE ended."""

_FULL = "Make room on that disk, or choose another, and do it again; what was stored before stays."
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "That disk is read-only: choose a place that can be written, or remount it for writing.",
    errno.EACCES: "This user may not do that there: choose another place, or change the permissions.",
    errno.EPERM: "This user may not do that there: choose another place, or change the permissions.",
}


class CommandGroup(TyperGroup):
    """The root of all commands: bad input exits with 2, a machine that refuses (disk, permission) with 1."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        # `--help` and `--version` print here, before any command is invoked.
        with _told_in_words():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with _told_in_words():
            result = super().invoke(ctx)
            # What cannot be written, or a reader that has gone, must show here, and not while Python ends.
            sys.stdout.flush()
            return result


@contextlib.contextmanager
def _told_in_words() -> Iterator[None]:
    try:
        yield
    except VqaError as error:
        complain(error)
        raise typer.Exit(_exit_code(error)) from error
    except OSError as error:
        _forget_unwritten()
        if error.errno == errno.EPIPE:
            raise typer.Exit(READER_GONE) from error
        complain_in_words(_in_words(error), _ADVICE.get(error.errno or 0, ""))
        raise typer.Exit(WORK_FAILED) from error


def _exit_code(error: VqaError) -> int:
    # Imported here, where something went wrong anyway, because `--help` must not load the database library.
    from vqa_tui.store.db import StoreTrouble

    return WORK_FAILED if isinstance(error, (StoreTrouble, WorkFailed)) else BAD_INPUT


def _in_words(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    return error.strerror + (f": {error.filename!r}" if error.filename is not None else "")


def _forget_unwritten() -> None:
    """Let what stdout still holds go nowhere: Python would try to write it again as it ends, and complain."""
    if (stdout := sys.__stdout__) is not None and sys.stdout is stdout:
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, stdout.fileno())
            finally:
                os.close(nowhere)


def complain(error: VqaError) -> None:
    """Print what is wrong and what to do about it on stderr."""
    complain_in_words(error.message, error.hint)


def complain_in_words(problem: str, hint: str = "") -> None:
    typer.echo(f"{typer.style('Error:', fg='red', bold=True)} {clean(problem)}", err=True)
    if hint:
        typer.echo(clean(hint), err=True)
