"""An open workspace: what every operation takes first."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.paths import WorkspacePaths, find_workspace
from vqa_tui.store.db import Database


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
async def open_workspace(explicit: Path | None = None) -> AsyncIterator[Workspace]:
    """Open the workspace that `find_workspace(explicit)` names, making it when it is not there.

    Raises VqaError as Database.open does.
    """
    paths = find_workspace(explicit)
    async with Database.open(paths) as database:
        yield Workspace(paths, database)


def operator() -> str:
    """Return who is acting, for the log of actions."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
