"""A page of a list reads its own rows, however many tasks the run has."""

from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.store.db import Database, Row
from vqa_tui.store.tasks import task_rows


async def test_a_page_is_found_by_its_ids_and_not_by_going_through_the_run(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await builder.run(await builder.dataset(30))
    read, asked = Database.read, list[tuple[str, Any]]()

    async def noted(self: Database, sql: str, parameters: Any = ()) -> list[Row]:
        asked.append((sql, parameters))
        return await read(self, sql, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "read", noted)
        rows = await task_rows(builder.database, run_id, [3, 5, 4])
    assert sorted(rows) == [3, 4, 5]
    ((sql, parameters),) = asked
    plan = [row["detail"] for row in await builder.database.read(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert [step for step in plan if step.startswith("SEARCH t ")] == ["SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"]


async def test_a_page_leaves_out_the_tasks_of_other_runs(builder: Builder) -> None:
    dataset = await builder.dataset(2)
    mine, other = await builder.run(dataset), await builder.run(dataset, name="other")
    assert set(await task_rows(builder.database, mine, [1, 2, 3, 4])) == {1, 2}
    assert set(await task_rows(builder.database, other, [1, 2, 3, 4])) == {3, 4}
