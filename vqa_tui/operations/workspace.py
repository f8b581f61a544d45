"""An open workspace: what every operation takes first."""

import getpass
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths, find_workspace
from vqa_tui.store.datasets import dataset_names
from vqa_tui.store.db import Database

MANY_TASKS = 5_000
"""Tasks from which on what is read about them takes long enough for others to notice."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace, open for reading and writing wishes."""

    paths: WorkspacePaths
    db: Database

    @property
    def recipe_folders(self) -> tuple[Path, ...]:
        return self.paths.recipe_folders

    @property
    def endpoint_folders(self) -> tuple[Path, ...]:
        return self.paths.endpoint_folders


@asynccontextmanager
async def open_workspace(
    explicit: Path | None = None, *, create: bool = True, read_only: bool = False
) -> AsyncIterator[Workspace]:
    """Open the workspace that `find_workspace(explicit)` names, making it when it is not there and `create` is set.

    With `read_only` every write through it is refused.

    Raises VqaError when it is not there and may not be made, and as Database.open does.
    """
    paths = find_workspace(explicit)
    if not create and not paths.database.exists():
        raise VqaError(
            f"there is no workspace in {paths.root.parent}",
            hint="`vqa-tui dataset import KIND PATH` makes one there; `--workspace DIR` names one that lies elsewhere.",
        )
    async with Database.open(paths, read_only=read_only) as database:
        yield Workspace(paths, database)


@asynccontextmanager
async def connection_for(workspace: Workspace, tasks: int) -> AsyncIterator[Workspace]:
    """Open the same workspace once more to read about so many tasks, so that nobody else waits for it.

    Few of them are read over the connection that there is.
    """
    if tasks < MANY_TASKS:
        yield workspace
        return
    async with Database.open(workspace.paths) as database:
        yield Workspace(workspace.paths, database)


@asynccontextmanager
async def patient_connection(workspace: Workspace, *, read_only: bool = False) -> AsyncIterator[Workspace]:
    """Open the same workspace once more, for writes that wait until the file is free, however long that takes.

    What is read through `workspace` meanwhile never waits for them.
    """
    async with Database.open(workspace.paths, patience_s=math.inf, read_only=read_only) as database:
        yield Workspace(workspace.paths, database)


async def has_datasets(workspace: Workspace) -> bool:
    """Return whether anything was imported into the workspace."""
    return bool(await dataset_names(workspace.db))


def operator() -> str:
    """Return who is acting, for the log of actions."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
