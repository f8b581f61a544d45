"""Opening a picture in the desktop's own viewer, detached from this terminal."""

import shutil
import subprocess
import sys

from vqa_tui.domain.clip import placed_at
from vqa_tui.domain.failure import VqaError

_START_S = 1.5
"""Seconds in which a viewer that cannot show anything has said so by its exit code."""


def viewer() -> str | None:
    """Return the program that opens a file with the desktop's default application, if there is one."""
    return shutil.which("open" if sys.platform == "darwin" else "xdg-open")


def open_externally(path: str) -> None:
    """Show the file at absolute `path` in the default viewer; blocks until that is up, at most 1.5 s.

    Of a clip, whose seconds stand behind the path, the video is opened.
    Raises VqaError when there is no viewer, or when it ends at once with an error, as it does without a desktop.
    """
    path, _seconds = placed_at(path)
    program = viewer()
    if program is None:
        raise VqaError("this machine has no viewer to open pictures with", hint=f"The picture is {path}")
    try:
        started = subprocess.Popen(
            [program, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise VqaError(f"cannot start {program}: {error.strerror}", hint=f"The picture is {path}") from error
    try:
        code = started.wait(_START_S)
    except subprocess.TimeoutExpired:
        return  # It shows the picture and stays until that is closed.
    if code:
        raise VqaError(f"{program} could not open the picture (exit {code})", hint=f"The picture is {path}")
