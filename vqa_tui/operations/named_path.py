"""Paths as people name them in configurations, with `~` for a home."""

from pathlib import Path

from vqa_tui.domain.failure import VqaError


def expanded(named: str, key: str) -> Path:
    """Return the absolute path that the value of `key` names. Raises VqaError for a home that there is not, and for a
    name that no file can have."""
    try:
        path = Path(named).expanduser().absolute()
        path.exists()
    except (RuntimeError, OSError, ValueError) as error:
        raise VqaError(f"{key}: {named!r} is no path: {getattr(error, 'strerror', None) or error}") from error
    return path
