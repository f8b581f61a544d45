"""How what goes wrong in a command becomes words on stderr and an exit code."""

import errno
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean

WORK_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


class CommandGroup(TyperGroup):
    """The root of all commands: bad input exits with 2, a machine that refuses (disk, permission) with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            # A reader that has gone (`| head`) must show here, where it is met quietly, and not while Python ends.
            sys.stdout.flush()
            return result
        except VqaError as error:
            complain(error)
            raise typer.Exit(_exit_code(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            complain_in_words(str(error))
            raise typer.Exit(WORK_FAILED) from error


def _exit_code(error: VqaError) -> int:
    # Imported here, where something went wrong anyway, because `--help` must not load the database library.
    from vqa_tui.store.db import StoreTrouble

    return WORK_FAILED if isinstance(error, StoreTrouble) else BAD_INPUT


def complain(error: VqaError) -> None:
    """Print what is wrong and what to do about it on stderr."""
    complain_in_words(error.message)
    if error.hint:
        typer.echo(clean(error.hint), err=True)


def complain_in_words(problem: str) -> None:
    typer.echo(f"{typer.style('Error:', fg='red', bold=True)} {clean(problem)}", err=True)
