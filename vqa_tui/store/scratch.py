"""A temporary SQLite file that joins and deduplicates an import in constant memory."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Self

from vqa_tui.store.db import StoreTrouble

_BATCH = 2000
_KEYS_AT_ONCE = 500
"""Keys of one query; SQLite's limit on parameters was 999 before version 3.32."""
_CACHE_KB = 32_000
"""Annotations come in any order of pictures: with SQLite's 2 MB a large file would be read and written all the time."""


class SqliteScratch:
    """Implements domain.ports.Scratch; a context manager whose file is gone at the end.

    May be used from several threads. Every call raises StoreTrouble when the file cannot be written or read.
    After `close()` every call raises sqlite3.ProgrammingError, which is how a reader that still works in a thread
    learns that its import was cancelled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the connection: sqlite3 lets threads share one, but not a statement in progress."""
        # SQLite's nameless database is a file in the folder for temporary files, unlinked as soon as it is open, so
        # not even a killed process leaves it behind.
        with _in_words():
            self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            # A crash loses nothing of worth, so the file needs neither a journal nor fsync.
            self._connection.executescript(
                f"""
                PRAGMA journal_mode = OFF;
                PRAGMA cache_size = -{_CACHE_KB};
                PRAGMA synchronous = OFF;
                PRAGMA temp_store = FILE;
                CREATE TABLE entry (bag INTEGER NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
                  value TEXT NOT NULL, PRIMARY KEY (bag, key, number)) STRICT, WITHOUT ROWID;
                CREATE TABLE seen (bag INTEGER NOT NULL, key TEXT NOT NULL,
                  PRIMARY KEY (bag, key)) STRICT, WITHOUT ROWID;
                """
            )
        self._number = 0
        self._bags: dict[str, int] = {}
        """Numbers that stand for the names of tables, which would be repeated in every row and every comparison."""

    def put_many(self, table: str, rows: Iterable[tuple[str, str]]) -> None:
        """Add (key, value) rows to `table`, keeping their order per key."""
        pending = iter(rows)
        while batch := list(islice(pending, _BATCH)):
            with self._lock, _in_words():
                bag = self._bag(table)
                numbered = [(bag, key, number, value) for number, (key, value) in enumerate(batch, self._number)]
                self._number += len(batch)
                self._connection.execute("BEGIN")
                self._connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", numbered)
                self._connection.execute("COMMIT")

    def get(self, table: str, key: str) -> list[str]:
        """Return the values put under `key`, in the order of their arrival."""
        with self._lock, _in_words():
            rows = self._connection.execute(
                "SELECT value FROM entry WHERE bag = ? AND key = ? ORDER BY number", (self._bag(table), key)
            ).fetchall()
        return [value for (value,) in rows]

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return what `get` returns of each of `keys`, without the keys that nothing was put under."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            with self._lock, _in_words():
                rows = self._connection.execute(
                    f"SELECT key, value FROM entry WHERE bag = ? AND key IN ({', '.join('?' * len(some))}) "
                    "ORDER BY key, number",
                    (self._bag(table), *some),
                ).fetchall()
            for key, value in rows:
                found.setdefault(key, []).append(value)
        return found

    def first_time(self, table: str, keys: Sequence[str]) -> list[bool]:
        """Return for each key whether it was never given for `table` before, earlier in `keys` included."""
        with self._lock, _in_words():
            bag = self._bag(table)
            met: set[str] = set()
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                rows = self._connection.execute(
                    f"SELECT key FROM seen WHERE bag = ? AND key IN ({', '.join('?' * len(some))})", (bag, *some)
                )
                met.update(key for (key,) in rows)
            is_first = []
            for key in keys:
                is_first.append(key not in met)
                met.add(key)
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT INTO seen VALUES (?, ?)",
                [(bag, key) for key, first in zip(keys, is_first, strict=True) if first],
            )
            self._connection.execute("COMMIT")
        return is_first

    def close(self) -> None:
        """Delete the file. Closing twice does no harm."""
        with self._lock:
            self._connection.close()

    def _bag(self, table: str) -> int:
        return self._bags.setdefault(table, len(self._bags))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreTrouble(
            f"cannot use the temporary file of the import: {error}",
            hint="Make room in the folder for temporary files, or name another in the environment variable TMPDIR.",
        ) from error
