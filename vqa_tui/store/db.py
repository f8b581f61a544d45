"""One SQLite connection: guarded writes, short reads."""

import asyncio
import os
import sqlite3
import time
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.drawing import drawn_place
from vqa_tui.store.file_system import file_system_of, is_network_file_system
from vqa_tui.store.migrating import bring_up_to_date

Row = sqlite3.Row
T = TypeVar("T")
Query = tuple[str, Sequence[Any] | dict[str, Any]]
"""SQL and its parameters."""

_TROUBLE_HINT = "Look whether the disk is full or another program holds the file; nothing that was stored is lost."
_PIECE = 10_000
"""Rows that are taken at once from an answer of any length."""
_BUSY_TIMEOUT_MS = 15_000
_BUSY_STEP_MS = 250
"""A transaction waits for its turn in steps, so that waiting can be cancelled and never holds the thread for long."""


class StoreTrouble(VqaError):
    """The workspace file cannot be written at present: a full disk, a lock held too long, an input-output error."""


class Unstorable(StoreTrouble):
    """The schema refuses these values; trying again would not help."""


class Database:
    """The workspace file. Writes go through `write()`; reads return lists and leave nothing open."""

    def __init__(
        self, connection: aiosqlite.Connection, *, patience_s: float = _BUSY_TIMEOUT_MS / 1000, read_only: bool = False
    ) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._read_only = read_only
        self._write_lock = asyncio.Lock()
        """One transaction at a time on this connection: SQLite has no nested ones."""
        self._waiting_since: float | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, paths: WorkspacePaths, *, patience_s: float = _BUSY_TIMEOUT_MS / 1000, read_only: bool = False
    ) -> AsyncIterator["Database"]:
        """Open the workspace's database, creating the folder (0700) and bringing the schema up to date.

        A write waits `patience_s` for another program that holds the file; `inf` waits until it is cancelled. With
        `read_only` writes are refused, and so is a file whose schema would have to be brought up to date.

        Raises VqaError when the folder is on a network file system, cannot be made, is not a database, was written by a
        newer version, or by an older one whose engine is still at work; StoreTrouble when the disk is full or nothing
        may be written there.
        """
        _make_private_folder(paths.root)
        try:
            # aiosqlite does not wait for its thread when it cannot connect, and that one then meets a closed loop.
            await asyncio.to_thread(_open_and_close, paths.database)
            connection = await aiosqlite.connect(paths.database, isolation_level=None, cached_statements=256)
        except sqlite3.Error as error:
            raise _unusable(paths, error) from error
        try:
            connection.row_factory = sqlite3.Row
            database = cls(connection, patience_s=patience_s, read_only=read_only)
            try:
                await connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
                await connection.execute("PRAGMA journal_mode = WAL")
                await connection.execute("PRAGMA synchronous = NORMAL")
                await connection.execute("PRAGMA foreign_keys = ON")
                await connection.create_function("drawn_place", 2, drawn_place, deterministic=True)
                await bring_up_to_date(database, connection, paths, read_only=read_only)
                await connection.execute(f"PRAGMA query_only = {int(read_only)}")
                await connection.execute(f"PRAGMA busy_timeout = {_BUSY_STEP_MS}")
            except sqlite3.DatabaseError as error:
                raise _unusable(paths, error) from error
            _keep_private(paths.database, 0o600)
            yield database
        finally:
            await connection.close()

    async def read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Return all rows of one query. Raises StoreTrouble when the file cannot be read."""
        try:
            return list(await self._connection.execute_fetchall(sql, parameters))
        except sqlite3.DatabaseError as error:
            raise StoreTrouble(f"cannot read the workspace file: {error}", hint=_TROUBLE_HINT) from error

    async def integer_pieces(
        self, sql: str, parameters: Sequence[Any] | dict[str, Any] = (), *, first: int = _PIECE
    ) -> "AsyncIterator[array[int]]":
        """Yield the first column of all rows, 8 bytes each, a piece at a time, so that a million delay nobody.

        The first piece has at most `first` of them. Raises StoreTrouble when the file cannot be read.
        """
        try:
            async with self._connection.execute(sql, parameters) as cursor:
                cursor.row_factory = None  # plain tuples: half the time where there are a million rows
                size = first
                while rows := await cursor.fetchmany(size):
                    size = _PIECE
                    yield array("q", [row[0] for row in rows])
        except sqlite3.DatabaseError as error:
            raise StoreTrouble(f"cannot read the workspace file: {error}", hint=_TROUBLE_HINT) from error

    async def read_integers(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> "array[int]":
        """Return the first column of all rows, as `integer_pieces` yields it. Raises StoreTrouble."""
        found = array("q")
        async for piece in self.integer_pieces(sql, parameters):
            found.extend(piece)
        return found

    async def interrupt(self) -> None:
        """Break off what this connection is reading, whoever asked for it: for connections with one user."""
        await self._connection.interrupt()

    async def read_one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        rows = await self.read(sql, parameters)
        return rows[0] if rows else None

    async def read_together(self, *queries: Query) -> list[list[Row]]:
        """Return the rows of each query, all of one state of the file, in one trip to the connection's thread.

        For what is read many times a second: each trip waits for two threads to be woken. Raises StoreTrouble as
        `read` does.
        """

        def read(connection: sqlite3.Connection) -> list[list[Row]]:
            _begin("BEGIN", connection)
            try:
                return [connection.execute(sql, parameters).fetchall() for sql, parameters in queries]
            finally:
                _roll_back(connection)

        async with self._write_lock:
            try:
                return await self._in_thread(read)
            except sqlite3.DatabaseError as error:
                raise StoreTrouble(f"cannot read the workspace file: {error}", hint=_TROUBLE_HINT) from error

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """Make the reads inside see one state of the file. Keep it short: an open read holds back the checkpoint.

        Raises StoreTrouble as `read` does; a cancelled snapshot leaves nothing open.
        """
        async with self._write_lock:
            try:
                await self._begin("BEGIN")
                try:
                    yield
                finally:
                    await self._roll_back()
            except sqlite3.DatabaseError as error:
                raise StoreTrouble(f"cannot read the workspace file: {error}", hint=_TROUBLE_HINT) from error

    async def data_version(self) -> int:
        """Return a number that moves when another connection has committed."""
        rows = list(await self._connection.execute_fetchall("PRAGMA data_version"))
        return int(rows[0][0])

    @asynccontextmanager
    async def write(self, *, check_references: bool = True) -> AsyncIterator["Transaction"]:
        """One immediate transaction: committed at the end, rolled back when anything is raised or cancelled.

        Without `check_references` rows go although others refer to them, and take none with them: whoever asks for that
        sees to those. Raises StoreTrouble when SQLite cannot do its work; nothing of the transaction is stored then.
        Raises VqaError where the file was opened only to read.
        """
        if self._read_only:
            raise VqaError(
                "this workspace was opened only to look: nothing can be changed", hint="Leave --readonly out."
            )
        async with self._write_lock, self._references(checked=check_references):
            try:
                await self._begin("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._connection)
                except BaseException:
                    await self._roll_back()
                    raise
                commit = asyncio.ensure_future(self._in_thread(_commit))
                try:
                    await asyncio.shield(commit)
                except asyncio.CancelledError:
                    await asyncio.wait([commit])
                    commit.result()
                    raise
            except (sqlite3.IntegrityError, sqlite3.DataError) as error:
                raise Unstorable(f"the workspace file refuses these values: {error}") from error
            except sqlite3.DatabaseError as error:
                raise StoreTrouble(f"cannot write to the workspace file: {error}", hint=_TROUBLE_HINT) from error

    @asynccontextmanager
    async def _references(self, *, checked: bool) -> AsyncIterator[None]:
        """Set how references are treated; SQLite takes that outside of transactions only."""
        if checked:
            yield
            return
        try:
            await self._connection.execute("PRAGMA foreign_keys = OFF")
            yield
        finally:
            await asyncio.shield(self._connection.execute("PRAGMA foreign_keys = ON"))

    @property
    def waiting_s(self) -> float:
        """How long a transaction has been waiting for another program's lock, in seconds; 0 when none waits."""
        return 0.0 if self._waiting_since is None else time.monotonic() - self._waiting_since

    async def _begin(self, how: str) -> None:
        self._waiting_since = time.monotonic()
        deadline = self._waiting_since + self._patience_s
        try:
            while True:
                try:
                    return await self._begin_once(how)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                        raise
                await asyncio.sleep(0.01)
        finally:
            self._waiting_since = None

    async def _begin_once(self, how: str) -> None:
        begin = asyncio.ensure_future(self._in_thread(partial(_begin, how)))
        try:
            await asyncio.shield(begin)
        except asyncio.CancelledError:
            # The thread may be about to take the lock: what it is asked next undoes that, or it would be held for ever.
            begin.add_done_callback(lambda done: done.cancelled() or done.exception())
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        """Undo what is open. The thread does so after all that it was asked before, though we be cancelled."""
        try:
            await asyncio.shield(self._in_thread(_roll_back))
        except (ValueError, sqlite3.ProgrammingError):
            return  # closed meanwhile, which undid it; whoever is being cancelled shall learn of that and nothing else

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do all of `work` in the connection's thread with nothing in between."""
        # aiosqlite offers single statements only; these are its own ways to the connection and to its thread.
        outer: Any = self._connection
        done: T = await outer._execute(work, outer._conn)
        return done


def _begin(how: str, connection: sqlite3.Connection) -> None:
    # The owner of one that is still open was cancelled, and once more while that was being undone.
    _roll_back(connection)
    connection.execute(how)


def _commit(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite itself rolls back after some errors, such as a full disk
        connection.execute("ROLLBACK")


class Transaction:
    """What may be done inside `Database.write()`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run one statement and return the number of rows it changed."""
        cursor = await self._connection.execute(sql, parameters)
        changed = cursor.rowcount
        await cursor.close()
        return changed

    async def insert(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run one INSERT and return the new row id."""
        cursor = await self._connection.execute(sql, parameters)
        row_id = cursor.lastrowid
        await cursor.close()
        if row_id is None:
            raise sqlite3.ProgrammingError("the statement inserted nothing")
        return row_id

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        cursor = await self._connection.executemany(sql, rows)
        await cursor.close()

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def run_script(self, sql: str) -> None:
        """Run the statements of a migration one by one inside this transaction."""
        statement = ""
        for line in sql.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                await self.execute(statement)
                statement = ""
        if statement.strip():
            raise sqlite3.ProgrammingError("the migration ends in the middle of a statement")


def _open_and_close(database: Path) -> None:
    sqlite3.connect(database).close()


def _unusable(paths: WorkspacePaths, error: sqlite3.Error) -> VqaError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreTrouble(f"cannot use the workspace file {paths.database}: {error}", hint=_TROUBLE_HINT)
    if code == sqlite3.SQLITE_READONLY or not os.access(paths.root, os.W_OK):
        return _read_only(paths.root, str(error))
    return VqaError(
        f"cannot use the workspace file {paths.database}: {error}",
        hint="Nothing was changed. Copies made before upgrades lie in the folder `backups` beside it.",
    )


def _read_only(root: Path, reason: str) -> StoreTrouble:
    return StoreTrouble(
        f"the workspace {root} cannot be written: {reason}",
        hint="Its disk is read-only, or it belongs to somebody else; even looking needs to write there. Copy it to a "
        "disk of your own and name the copy with --workspace DIR, or make it writable.",
    )


def _keep_private(path: Path, mode: int) -> None:
    """Take away what `path` allows to others beyond `mode`."""
    try:
        if path.stat().st_mode & 0o777 & ~mode:
            path.chmod(mode)
    except OSError as error:
        raise _read_only(path.parent if path.is_file() else path, error.strerror or str(error)) from error


def _make_private_folder(root: Path) -> None:
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise VqaError(
            f"cannot make the workspace folder {root}: {error.strerror}", hint="Choose another with --workspace DIR."
        ) from error
    kind = file_system_of(root)
    if is_network_file_system(kind):
        raise VqaError(
            f"the workspace {root} lies on a network file system ({kind}), where SQLite's locks cannot be trusted",
            hint="Choose a folder on a local disk with --workspace DIR; the pictures may stay where they are.",
        )
    _keep_private(root, 0o700)
