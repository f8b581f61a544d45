"""A real workspace file in a temporary folder, with a dataset of any size."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from vqa_tui.domain.run import Limits
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import runs
from vqa_tui.store.db import Database
from vqa_tui.store.run_creation import NewRun, create_run


@pytest.fixture
def paths(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(tmp_path / ".vqa")


@pytest.fixture
async def database(paths: WorkspacePaths) -> AsyncIterator[Database]:
    async with Database.open(paths) as opened:
        yield opened


def _truth(pairs: Sequence[int], number: int) -> str:
    count = pairs[number] if number < len(pairs) else 0
    asked = [{"question": f"q{index}", "answer": f"a{index}"} for index in range(count)]
    return json.dumps({"questions": asked} if asked else {})


class Builder:
    """Makes datasets and runs straight in the file."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def dataset(self, items: int, name: str = "bags", pairs: Sequence[int] = ()) -> int:
        """Make a dataset; of the first pictures each has so many reference pairs."""
        async with self.database.write() as transaction:
            dataset_id = await transaction.insert(
                "INSERT INTO dataset (name, kind, root, source, created_at, imported_at) "
                "VALUES (?, 'folder', '/x', '/x', 0, 0)",
                (name,),
            )
            await transaction.execute_many(
                "INSERT INTO item (dataset_id, key, path, format, width, height, size_bytes, sha256, orientation, "
                "modified_ns, truth) VALUES (?, ?, ?, 'JPEG', 64, 48, 100, ?, 1, 0, ?)",
                [
                    (dataset_id, f"{number:06}.jpg", f"{number:06}.jpg", f"{number:064}", _truth(pairs, number))
                    for number in range(items)
                ],
            )
        return dataset_id

    async def run(
        self,
        dataset_id: int,
        *,
        name: str = "run",
        pilot: int = 0,
        limit: int | None = None,
        endpoint: str = "{}",
        recipe: str = "{}",
        parts: int = 1,
    ) -> int:
        return await create_run(
            self.database,
            NewRun(
                name=name,
                dataset_id=dataset_id,
                recipe_name="caption",
                endpoint_name="embedded",
                model="m",
                recipe=recipe,
                endpoint=endpoint,
                config_sha256="0" * 64,
                pilot_size=pilot,
                limit=limit,
                limits=Limits(),
                approved=False,
                parts=parts,
            ),
        )

    async def session(self, run_id: int, pid: int = 1) -> int:
        return await runs.begin_session(self.database, run_id, pid)

    async def counts(self, run_id: int) -> dict[str, int]:
        """Counted row by row, not from the tallies."""
        rows = await self.database.read(
            "SELECT status, count(*) AS n FROM task WHERE run_id = ? GROUP BY status", (run_id,)
        )
        return {row["status"]: row["n"] for row in rows}

    async def tallied(self, run_id: int) -> dict[str, int]:
        rows = await self.database.read(
            "SELECT status, sum(n) AS n FROM tally WHERE run_id = ? GROUP BY status HAVING sum(n) <> 0", (run_id,)
        )
        return {row["status"]: row["n"] for row in rows}


@pytest.fixture
def builder(database: Database) -> Builder:
    return Builder(database)


@pytest.fixture
def now() -> float:
    return time.time()
