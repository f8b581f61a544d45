"""What a comparison of two runs reads, in short pieces at any size of the runs."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from vqa_tui.domain.comparison import RunFigures
from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.part import Part
from vqa_tui.store.db import Database
from vqa_tui.store.rows import PART_COLUMNS, part_from_row
from vqa_tui.store.run_deletion import verdict_counts

_PAGE = 20_000


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a run was made of, as it was frozen (JSON), and its limits as they stand."""

    recipe: str
    endpoint: str
    limits: str


@dataclass(frozen=True, slots=True)
class StoredPair:
    question: str
    answer: str
    flags: tuple[str, ...]


async def run_figures(database: Database, run_id: int) -> tuple[RunFigures, MadeOf] | None:
    """Return the figures of a run that need no look at single pictures; None when there is no such run."""
    async with database.snapshot():
        row = await database.read_one(
            "SELECT r.id, r.name, d.name AS dataset, r.recipe_name, r.endpoint_name, r.model, r.recipe, r.endpoint, "
            "r.limits, r.put_back, r.parts, json_extract(r.endpoint, '$.prices') AS prices, "
            "coalesce((SELECT n FROM sample_tally WHERE run_id = r.id), 0) AS pairs "
            "FROM run r JOIN dataset d ON d.id = r.dataset_id "
            "WHERE r.id = ? AND r.id NOT IN (SELECT id FROM hidden_run)",
            (run_id,),
        )
        if row is None:
            return None
        tasks = await database.read("SELECT status, kind, n FROM tally WHERE run_id = ? AND n > 0", (run_id,))
        requests = await database.read(
            "SELECT kind, sum(n) AS n, sum(cost_nano) AS cost, sum(uncertain_nano) AS uncertain, sum(input_tokens) "
            "AS input, sum(output_tokens) AS output FROM attempt_tally WHERE run_id = ? GROUP BY kind",
            (run_id,),
        )
    by_status: dict[str, int] = {}
    for task in tasks:
        by_status[task["status"]] = by_status.get(task["status"], 0) + task["n"]
    failures = {task["kind"]: task["n"] for task in tasks if task["status"] == "failed"}
    total = sum(each["n"] for each in requests)
    done, failed = by_status.get("done", 0), by_status.get("failed", 0)
    # Of a picture that cannot be prepared nothing is asked.
    asked = done + failed + row["put_back"] - failures.get(FailureKind.BAD_IMAGE, 0)
    figures = RunFigures(
        id=row["id"],
        name=row["name"],
        dataset=row["dataset"],
        recipe=row["recipe_name"],
        endpoint=row["endpoint_name"],
        model=row["model"],
        pictures=sum(by_status.values()),
        done=done,
        failed=failed,
        pairs=row["pairs"],
        spent=to_dollars(sum(each["cost"] for each in requests)),
        uncertain=to_dollars(sum(each["uncertain"] for each in requests)),
        price_known=row["prices"] is not None,
        requests=total,
        retries=max(total - asked, 0),
        input_tokens=sum(each["input"] for each in requests),
        output_tokens=sum(each["output"] for each in requests),
        failures=failures,
        request_failures={each["kind"]: each["n"] for each in requests if each["kind"] != "ok"},
        verdicts=await verdict_counts(database, run_id),
        in_parts=row["parts"] != 1,
    )
    return figures, MadeOf(row["recipe"], row["endpoint"], row["limits"])


_DONE = """
  SELECT id, id AS first, 0 AS second FROM task WHERE run_id = :run AND status = 'done' AND id > :after
  ORDER BY id LIMIT :page
"""

_DONE_BY_BOTH = """
  SELECT mine.id, mine.id AS first, theirs.id AS second FROM task mine
  JOIN task theirs ON theirs.run_id = :other AND theirs.item_id = mine.item_id AND theirs.part = mine.part
    AND theirs.status = 'done'
  WHERE mine.run_id = :run AND mine.id > :after AND mine.status = 'done' ORDER BY mine.id LIMIT :page
"""


@dataclass(frozen=True, slots=True)
class SpreadTasks:
    """Tasks that are spread evenly over all that are meant."""

    number: int
    """All that are meant."""
    tasks: list[tuple[int, int]]
    """The chosen ones: a task, and the same part of the same picture in the other run, if there is one (else 0)."""


async def done_tasks(database: Database, run_id: int, most: int) -> SpreadTasks:
    """Return at most `most` tasks of a run that are done."""
    return await _spread(database, _DONE, {"run": run_id}, most)


async def tasks_of_both(database: Database, first: int, second: int, most: int) -> SpreadTasks:
    """Return the tasks of at most `most` pictures that both runs answered."""
    return await _spread(database, _DONE_BY_BOTH, {"run": first, "other": second}, most)


async def _spread(database: Database, page: str, bounds: dict[str, int], most: int) -> SpreadTasks:
    """Count all rows of `page`, then choose; page by page, so that no other read waits, and inside of SQLite, so that a
    million rows are not made in vain."""
    number = 0
    async for count, _last in _pages(database, page, bounds):
        number += count
    chosen: list[tuple[int, int]] = []
    before, after = 0, 0
    async for count, last in _pages(database, page, bounds):
        # The k-th of `number` is taken when k * most / number passes a whole number.
        rows = await database.read(
            "SELECT first, second FROM (SELECT *, :before + row_number() OVER (ORDER BY id) AS k FROM "
            f"({page})) WHERE (k * :most) / :number > ((k - 1) * :most) / :number",
            {**bounds, "after": after, "page": _PAGE, "before": before, "most": min(most, number), "number": number},
        )
        chosen += [(row["first"], row["second"]) for row in rows]
        before, after = before + count, last
    return SpreadTasks(number, chosen)


async def _pages(database: Database, page: str, bounds: dict[str, int]) -> AsyncIterator[tuple[int, int]]:
    """Yield how many rows each page has, and the id of its last one."""
    after = 0
    while True:
        row = await database.read_one(
            f"SELECT count(*) AS n, max(id) AS last FROM ({page})", {**bounds, "after": after, "page": _PAGE}
        )
        if row is None or not row["n"]:
            return
        yield row["n"], row["last"]
        after = row["last"]


async def pairs_of_tasks(database: Database, ids: Sequence[int]) -> dict[int, list[StoredPair]]:
    """Return the pairs of some tasks, in order."""
    rows = await database.read(
        "SELECT task_id, question, answer, flags FROM sample WHERE task_id IN (SELECT value FROM json_each(?)) "
        "ORDER BY task_id, ordinal",
        (json.dumps(list(ids)),),
    )
    found: dict[int, list[StoredPair]] = {}
    for row in rows:
        pair = StoredPair(row["question"], row["answer"], tuple(json.loads(row["flags"])))
        found.setdefault(row["task_id"], []).append(pair)
    return found


async def latencies_of_tasks(database: Database, ids: Sequence[int]) -> list[float]:
    """Return how long the answered requests of some tasks took, in milliseconds."""
    rows = await database.read(
        "SELECT latency_ms FROM attempt WHERE task_id IN (SELECT value FROM json_each(?)) AND kind = 'ok' "
        "AND latency_ms IS NOT NULL",
        (json.dumps(list(ids)),),
    )
    return [row["latency_ms"] for row in rows]


async def names_of_tasks(database: Database, ids: Sequence[int]) -> dict[int, tuple[str, Part]]:
    """Return the keys of the pictures of some tasks, and which request about its picture each is."""
    rows = await database.read(
        f"SELECT t.id, i.key, {PART_COLUMNS} FROM task t JOIN item i ON i.id = t.item_id "
        "WHERE t.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {row["id"]: (row["key"], part_from_row(row)) for row in rows}
