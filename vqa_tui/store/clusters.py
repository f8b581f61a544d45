"""Which cluster a failure belongs to: made with its first failure; and gathering what older versions recorded."""

import asyncio
from collections.abc import Iterable, Sequence

from vqa_tui.domain.failure_cluster import OTHER_MESSAGES
from vqa_tui.domain.normal_form import normal_form
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import TaskOutcome
from vqa_tui.store.db import Database, Row, Transaction

MOST_CLUSTERS = 1_000
"""Of one run: an endpoint that never says the same twice must not fill memory and screen."""

Failed = tuple[str, str]
"""The kind of a failure and the normal form of its message."""


class ClusterIds:
    """The clusters of one run by what they hold, as one writer knows them."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._known: dict[Failed, int] = {}
        """Only what is committed: a cluster that is rolled back must not be remembered."""

    async def find(self, transaction: Transaction, failures: Iterable[Failed]) -> dict[Failed, int]:
        """Return the cluster of each failure, making those that are missing. Ask once in a transaction."""
        wanted = set(failures)
        found = {failed: self._known[failed] for failed in wanted if failed in self._known}
        missing = [failed for failed in wanted if failed not in found]
        for failed in missing:
            if (cluster_id := await self._stored(transaction, failed)) is not None:
                found[failed] = self._known[failed] = cluster_id
        for failed in missing:
            if failed not in found:
                found[failed] = await self._made(transaction, failed)
        return found

    async def _stored(self, transaction: Transaction, failed: Failed) -> int | None:
        rows = await transaction.rows(
            "SELECT id FROM failure_cluster WHERE run_id = ? AND kind = ? AND form = ?", (self._run_id, *failed)
        )
        return rows[0]["id"] if rows else None

    async def _made(self, transaction: Transaction, failed: Failed) -> int:
        (row,) = await transaction.rows("SELECT count(*) AS n FROM failure_cluster WHERE run_id = ?", (self._run_id,))
        if row["n"] >= MOST_CLUSTERS:
            failed = failed[0], OTHER_MESSAGES
            if (cluster_id := await self._stored(transaction, failed)) is not None:
                return cluster_id
        return await transaction.insert(
            "INSERT INTO failure_cluster (run_id, kind, form) VALUES (?, ?, ?)", (self._run_id, *failed)
        )


def attempt_failure(kind: str, message: str) -> Failed | None:
    """Return what an attempt failed by; None where it did not."""
    return None if kind == "ok" else (kind, normal_form(message))


def task_failure(outcome: TaskOutcome) -> Failed | None:
    """Return what a task has failed by for good; None where it has not."""
    if outcome.status is not TaskStatus.FAILED or outcome.kind is None:
        return None
    attempt = outcome.attempt
    said = attempt.message if attempt is not None and attempt.kind == outcome.kind else ""
    return _of_task(outcome.kind, outcome.problem or "", said)


def _of_task(kind: str, problem: str, said: str) -> Failed:
    """A task is in the cluster of its attempt, `said`, also where its problem goes on to tell what to do about it."""
    return kind, normal_form(said if said and problem.startswith(said) else problem)


async def count_ungathered(database: Database, run_id: int) -> int:
    """Return how many failures are in no cluster yet; microseconds where there are none."""
    row = await database.read_one(
        "SELECT (SELECT count(*) FROM attempt INDEXED BY attempt_ungathered WHERE run_id = :run AND kind <> 'ok' "
        "AND cluster_id IS NULL) + (SELECT count(*) FROM task INDEXED BY task_ungathered WHERE run_id = :run "
        "AND status = 'failed' AND cluster_id IS NULL) AS n",
        {"run": run_id},
    )
    return row["n"] if row else 0


async def gather(database: Database, run_id: int, *, limit: int) -> int:
    """Put the next older failures into their clusters, at most `limit` attempts and as many tasks; return how many."""
    attempts = await database.read(
        "SELECT id, kind, message FROM attempt INDEXED BY attempt_ungathered WHERE run_id = ? AND kind <> 'ok' "
        "AND cluster_id IS NULL ORDER BY id LIMIT ?",
        (run_id, limit),
    )
    tasks = await database.read(
        "SELECT t.id, t.last_kind, coalesce(t.last_problem, '') AS problem, coalesce((SELECT message FROM attempt "
        "WHERE task_id = t.id AND kind = t.last_kind ORDER BY number DESC LIMIT 1), '') AS said "
        "FROM task t INDEXED BY task_ungathered WHERE t.run_id = ? AND t.status = 'failed' AND t.cluster_id IS NULL "
        "ORDER BY t.id LIMIT ?",
        (run_id, limit),
    )
    if not attempts and not tasks:
        return 0
    # In a thread: thousands of messages would hold up the screen.
    of_attempts, of_tasks = await asyncio.to_thread(_failures_of, attempts, tasks)
    async with database.write() as transaction:
        ids = await ClusterIds(run_id).find(transaction, [*of_attempts, *of_tasks])
        await transaction.execute_many(
            "UPDATE attempt SET cluster_id = ? WHERE id = ? AND cluster_id IS NULL",
            [(ids[failed], row["id"]) for row, failed in zip(attempts, of_attempts, strict=True)],
        )
        await transaction.execute_many(
            "UPDATE task SET cluster_id = ? WHERE id = ? AND cluster_id IS NULL AND status = 'failed'",
            [(ids[failed], row["id"]) for row, failed in zip(tasks, of_tasks, strict=True)],
        )
    return len(attempts) + len(tasks)


def _failures_of(attempts: Sequence[Row], tasks: Sequence[Row]) -> tuple[list[Failed], list[Failed]]:
    return (
        [(row["kind"], normal_form(row["message"])) for row in attempts],
        [_of_task(row["last_kind"], row["problem"], row["said"]) for row in tasks],
    )
