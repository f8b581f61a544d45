"""Bringing the workspace file up to date: numbered steps in one transaction, after a copy, and under no engine."""

import os
import time
from importlib.resources import files
from typing import TYPE_CHECKING

import aiosqlite

from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.at_work import runs_at_work

if TYPE_CHECKING:
    from vqa_tui.store.db import Database


def schema_steps() -> list[tuple[int, str, str]]:
    """Return the migrations in order as (version, file name, SQL)."""
    folder = files("vqa_tui.store") / "schema"
    found = sorted((entry.name, entry) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), name, entry.read_text("utf-8")) for name, entry in found]


async def bring_up_to_date(
    database: "Database", connection: aiosqlite.Connection, paths: WorkspacePaths, *, read_only: bool
) -> None:
    """Take the steps that the file lacks; a file that holds anything is copied to `backups` before.

    Raises VqaError when the file was written by a newer version, when it is empty though runs lie beside it, and when
    there are steps to take while an engine is at work, or with `read_only`.
    """
    steps = schema_steps()
    newest = steps[-1][0]
    found = await _version(connection)
    if found > newest:
        raise VqaError(
            f"the workspace {paths.root} was written by a newer vqa-tui (schema {found}, this program knows {newest})",
            hint="Upgrade vqa-tui, or point --workspace at another folder. Nothing was changed.",
        )
    if found == newest:
        return
    if read_only:
        raise VqaError(
            f"the workspace {paths.root} was written by an older vqa-tui and must be brought up to date first",
            hint="Open it once without --readonly; a copy of the file is kept in `backups`.",
        )
    if found == 0 and any(paths.runs.glob("[0-9]*")):
        raise VqaError(
            f"the workspace file {paths.database} is empty, although runs lie in {paths.runs}",
            hint="Put back a copy of it; those made before upgrades lie in the folder `backups` beside it. To begin "
            "anew, move that folder away first.",
        )
    if found > 0:
        await _require_nobody_at_work(database, paths)
        await _back_up(connection, paths, found)
    # A step may make a table anew that others refer to: their rows must not go with the old one.
    async with database.write(check_references=False) as transaction:
        found = await _version(connection)
        if 0 < found < newest:
            # Once more: the copy of a large file takes a while.
            await _require_nobody_at_work(database, paths)
        for version, _name, sql in steps:
            if version > found:
                await transaction.run_script(sql)
                await transaction.execute(f"PRAGMA user_version = {version}")


async def _require_nobody_at_work(database: "Database", paths: WorkspacePaths) -> None:
    """Raise VqaError while an engine works on a run: one of an older version would go on in the form that it knows."""
    for run_id in runs_at_work(paths):
        rows = await database.read(
            "SELECT name, (SELECT pid FROM session WHERE run_id = run.id AND ended_at IS NULL "
            "ORDER BY id DESC LIMIT 1) AS pid FROM run WHERE id = ?",
            (run_id,),
        )
        name, pid = (rows[0]["name"], rows[0]["pid"]) if rows else (str(run_id), None)
        end = f"end it with `kill {pid}` (the run stops cleanly and can be resumed)" if pid else "end it"
        raise VqaError(
            f"an older vqa-tui is at work on run {name}, and the workspace {paths.root} cannot be brought up to date "
            "meanwhile",
            hint=f"Wait until it is done, or {end}; then again. Nothing was changed.",
        )


async def _version(connection: aiosqlite.Connection) -> int:
    rows = list(await connection.execute_fetchall("PRAGMA user_version"))
    return int(rows[0][0])


async def _back_up(connection: aiosqlite.Connection, paths: WorkspacePaths, version: int) -> None:
    paths.backups.mkdir(mode=0o700, exist_ok=True)
    target = paths.backups / f"schema-{version}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.db"
    await connection.execute("VACUUM INTO ?", (str(target),))
    os.chmod(target, 0o600)
