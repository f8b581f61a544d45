"""What the database library can do, and what a workspace file is. Looks only; nothing is changed or created."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables (3.37), RETURNING (3.35) and built-in JSON functions (3.38)."""

MOST_LOOKED_THROUGH = 500_000_000
"""Bytes; a file of this size takes some seconds."""


def sqlite_version() -> tuple[int, int, int]:
    """Return the version of the SQLite library that this Python was built with."""
    return sqlite3.sqlite_version_info


def damage_of(path: Path) -> str:
    """Return what SQLite finds wrong as it looks through a workspace file; '' when that is nothing, or the file holds
    more than is looked through. Raises OSError when it cannot be read."""
    if path.stat().st_size > MOST_LOOKED_THROUGH:
        return ""
    found = str(_asked(path, "PRAGMA quick_check(1)"))
    return "" if found == "ok" else found


def schema_of(path: Path) -> int:
    """Return the schema version of a workspace file. Raises OSError when it cannot be read or is no database."""
    return int(str(_asked(path, "PRAGMA user_version")))


def _asked(path: Path, question: str) -> object:
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            answer: object = connection.execute(question).fetchone()[0]
            return answer
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
