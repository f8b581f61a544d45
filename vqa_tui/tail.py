"""Reading the end of a log file."""

from pathlib import Path


def tail(path: Path, *, lines: int = 20, limit_bytes: int = 64_000) -> str:
    """Return the last `lines` lines of a file, looking at its last `limit_bytes` bytes; '' when there is no file."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - limit_bytes, 0))
            content = file.read()
    except FileNotFoundError:
        return ""
    return "\n".join(content.decode("utf-8", "replace").splitlines()[-lines:])
