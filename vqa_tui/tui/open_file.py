"""Opening a picture in the desktop's own viewer, detached from this terminal."""

import shutil
import subprocess
import sys

from vqa_tui.domain.failure import VqaError


def viewer() -> str | None:
    """Return the program that opens a file with the desktop's default application, if there is one."""
    return shutil.which("open" if sys.platform == "darwin" else "xdg-open")


def open_externally(path: str) -> None:
    """Show the file at absolute `path` in the default viewer. Raises VqaError when there is none."""
    program = viewer()
    if program is None:
        raise VqaError("this machine has no viewer to open pictures with", hint=f"The picture is {path}")
    try:
        subprocess.Popen(
            [program, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise VqaError(f"cannot start {program}: {error.strerror}", hint=f"The picture is {path}") from error
