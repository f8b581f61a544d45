"""Opening a workspace where the folder or the disk does not cooperate."""

import errno
import os
import threading
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.db import Database, StoreTrouble


async def test_a_folder_in_place_of_the_file_is_refused_and_leaves_no_thread(paths: WorkspacePaths) -> None:
    paths.database.mkdir(parents=True)
    before = {thread.name for thread in threading.enumerate() if "connection_worker" in thread.name}
    with pytest.raises(VqaError, match="cannot use the workspace file"):
        async with Database.open(paths):
            pass
    assert {thread.name for thread in threading.enumerate() if "connection_worker" in thread.name} == before


async def test_an_empty_file_beside_stored_runs_is_no_new_workspace(paths: WorkspacePaths) -> None:
    paths.run_folder(3).mkdir(parents=True)
    paths.database.touch()
    with pytest.raises(VqaError, match="is empty, although runs lie in") as caught:
        async with Database.open(paths):
            pass
    assert "backups" in caught.value.hint
    paths.runs.rename(paths.root / "away")
    async with Database.open(paths):
        pass


async def test_a_folder_that_others_may_read_is_closed_to_them(paths: WorkspacePaths) -> None:
    paths.root.mkdir(parents=True)
    paths.root.chmod(0o755)
    async with Database.open(paths):
        pass
    paths.database.chmod(0o644)
    async with Database.open(paths):
        assert paths.root.stat().st_mode & 0o777 == 0o700
        assert paths.database.stat().st_mode & 0o777 == 0o600


async def test_a_workspace_on_a_read_only_disk_is_told_in_words(
    paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(paths):
        pass
    paths.root.chmod(0o755)

    def refuse(path: Path, mode: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StoreTrouble, match="cannot be written: Read-only file system") as caught:
        async with Database.open(paths):
            pass
    assert "Copy it to a disk of your own" in caught.value.hint


async def test_sqlite_that_may_not_write_is_told_in_the_same_words(
    paths: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.database.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(StoreTrouble, match="cannot be written: unable to open database file"):
        async with Database.open(paths):
            pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_workspace_of_which_nothing_may_be_written_is_told_in_words(paths: WorkspacePaths) -> None:
    async with Database.open(paths):
        pass
    paths.database.chmod(0o400)
    paths.root.chmod(0o500)
    try:
        with pytest.raises(StoreTrouble, match="cannot be written"):
            async with Database.open(paths):
                pass
    finally:
        paths.root.chmod(0o700)


async def test_a_workspace_is_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="there is no workspace in"):
        async with open_workspace(tmp_path / "new", create=False):
            pass
    assert not (tmp_path / "new").exists()
    async with open_workspace(tmp_path / "new"):
        pass
    async with open_workspace(tmp_path / "new", create=False) as workspace:
        assert await workspace.db.data_version() > 0
