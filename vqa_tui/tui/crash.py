"""What is left of an error that nobody expected: a file with where it happened, and no values of variables."""

import os
import time
import traceback
from pathlib import Path


def note_crash(folder: Path, error: BaseException) -> Path:
    """Write the traceback of `error`, without local variables, into a new private file in `folder`; return its path.

    Raises OSError when it cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"tui-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(traceback.format_exception(error))
    return path
