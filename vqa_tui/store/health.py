"""What the database library can do, and what a workspace file is. Looks only; nothing is changed or created."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables (3.37), RETURNING (3.35) and built-in JSON functions (3.38)."""


def sqlite_version() -> tuple[int, int, int]:
    """Return the version of the SQLite library that this Python was built with."""
    return sqlite3.sqlite_version_info


def schema_of(path: Path) -> int:
    """Return the schema version of a workspace file. Raises OSError when it cannot be read or is no database."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
