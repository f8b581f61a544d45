"""Opening a file in the person's own editor, with the terminal app out of the way meanwhile."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from vqa_tui.domain.failure import VqaError

_FALLBACKS = ("nano", "vim", "vi")


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """Return the command of the editor: $VISUAL, else $EDITOR, else one that is installed. Raises VqaError."""
    for variable in ("VISUAL", "EDITOR"):
        if words := environ.get(variable, "").strip():
            try:
                return shlex.split(words)
            except ValueError as error:
                raise VqaError(f"${variable} cannot be read as a command: {error}") from error
    found = next((path for name in _FALLBACKS if (path := shutil.which(name))), None)
    if found is None:
        raise VqaError("there is no editor", hint="Set $VISUAL or $EDITOR to the one that you use.")
    return [found]


def edit_file(app: "App[Any]", path: Path) -> None:
    """Let the person edit `path`; the app stands still until the editor ends. Engines go on: they are no part of it.

    Raises VqaError when there is no editor, when it fails, or where the terminal cannot be given away.
    """
    command = editor_command(os.environ)
    try:
        with app.suspend():
            problem = _run([*command, str(path)])
    except SuspendNotSupported as error:
        raise VqaError("the terminal cannot be lent to an editor here", hint=f"The file is {path}") from error
    if problem:
        raise VqaError(problem, hint=f"$VISUAL and $EDITOR name the editor; the file is {path}")


def _run(command: list[str]) -> str:
    """Run the editor and return what went wrong. Nothing is raised: the terminal would not be taken back."""
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        return f"cannot start {command[0]}: {error.strerror}"
    return f"{command[0]} ended with {code}" if code else ""
