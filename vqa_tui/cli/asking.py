"""Asking a person at the terminal before something that costs or cannot be taken back."""

import sys
from collections.abc import Callable

import typer

from vqa_tui.cli.errors import INTERRUPTED
from vqa_tui.cli.output import note
from vqa_tui.domain.failure import VqaError

NOTHING_DELETED = "Nothing was deleted."


def require_somebody(deed: str) -> None:
    """Return when a person can be asked. Raises VqaError, which says that `deed` needs a yes, where nobody can."""
    if not sys.stdin.isatty():
        raise VqaError(f"nobody can be asked here, and {deed}", hint="Say --yes if that is wanted.")


def confirmed(question: str, *, otherwise: str) -> bool:
    """Return whether a person says yes to `question`; Ctrl+C says `otherwise` and ends the command."""
    return _asked(lambda: typer.confirm(question, err=True), otherwise)


def typed_name(question: str, name: str, *, otherwise: str) -> bool:
    """Return whether a person types `name` at `question`; Ctrl+C says `otherwise` and ends the command."""
    return _asked(lambda: str(typer.prompt(question, err=True)) == name, otherwise)


def _asked(ask: Callable[[], bool], otherwise: str) -> bool:
    try:
        return ask()
    except typer.Abort as error:
        note(f"\n{otherwise}")
        raise typer.Exit(INTERRUPTED) from error
