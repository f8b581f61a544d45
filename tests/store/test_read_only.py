"""A workspace that was opened only to look: everything can be read, nothing written, nothing made."""

import sqlite3

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import runs
from vqa_tui.store.db import Database
from vqa_tui.store.migrating import schema_steps


async def test_reads_work_and_every_write_is_refused(builder: Builder, paths: WorkspacePaths) -> None:
    run_id = await builder.run(await builder.dataset(3))
    async with Database.open(paths, read_only=True) as looking:
        assert await runs.run_names(looking) == [(run_id, "run")]
        with pytest.raises(VqaError, match="only to look"):
            await runs.note_action(looking, run_id, who="x", verb="retry")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await looking._connection.execute("DELETE FROM run")
        assert await runs.run_names(looking) == [(run_id, "run")]


async def test_an_older_file_is_left_as_it_is(paths: WorkspacePaths) -> None:
    paths.root.mkdir(mode=0o700, parents=True)
    connection = sqlite3.connect(paths.database)
    connection.executescript(schema_steps()[0][2] + "PRAGMA user_version = 1;")
    connection.close()
    with pytest.raises(VqaError, match="older vqa-tui"):
        async with Database.open(paths, read_only=True):
            pass
    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
