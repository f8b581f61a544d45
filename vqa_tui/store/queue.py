"""The queue of one run as its engine sees it: claim, settle in groups, rescue."""

import json
import time
from collections.abc import Mapping, Sequence

from vqa_tui.domain.changes import changes_of
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.part import ONLY, Part
from vqa_tui.domain.run import ORIGINAL_SIZE, TaskStatus
from vqa_tui.domain.work import CUT, LONGEST_WAIT_S, AttemptRecord, ClaimedTask, Flight, Rescue, TaskOutcome
from vqa_tui.store.asking_again import drop_pairs_put_aside, keep_done, put_aside_pairs
from vqa_tui.store.clusters import ClusterIds, Failed, attempt_failure, task_failure
from vqa_tui.store.db import Database, Transaction
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row

_INSERT_ATTEMPT = """
INSERT INTO attempt (id, run_id, task_id, number, session_id, key_name, started_at, latency_ms, http_status, kind,
  message, input_tokens, output_tokens, cost_nano, uncertain_nano, reserved_nano, finish_reason, model, request_id,
  raw_reply, purpose, cached_input_tokens, image_tokens, estimated_input_tokens, expected_input_tokens,
  expected_output_tokens, never_sent, question, bound_nano, max_tokens, max_side, cluster_id)
VALUES ((SELECT max(id, coalesce((SELECT max(id) FROM attempt), 0)) + 1 FROM attempt_floor),
  ?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE task_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9,
  ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)
"""


_LOST = "the engine ended before the reply was stored; the provider may have billed it"

# Each query names its index: without, SQLite takes one that makes it look at every pending task of the run.
_PENDING = (
    "SELECT id, not_before FROM task INDEXED BY task_later WHERE run_id = ? AND status = 'pending' AND not_before > 0",
    "SELECT id FROM task INDEXED BY task_fresh WHERE run_id = ? AND status = 'pending' AND not_before = 0",
)
_PILOT_PENDING = (
    "SELECT id, not_before FROM task INDEXED BY task_pilot WHERE run_id = ? AND pilot = 1 AND status = 'pending' "
    "AND not_before > 0",
    "SELECT id FROM task INDEXED BY task_pilot WHERE run_id = ? AND pilot = 1 AND status = 'pending' "
    "AND not_before = 0",
)


class TaskQueue:
    """The tasks of one run as one engine session sees them."""

    def __init__(self, database: Database, run_id: int, session_id: int) -> None:
        self._database = database
        self._run_id = run_id
        self._session_id = session_id
        self._cluster_ids = ClusterIds(run_id)

    async def claim(self, limit: int, *, now: float, pilot_only: bool) -> list[ClaimedTask]:
        """Lease at most `limit` pending tasks: those whose retry is due first, then fresh ones in order."""
        due, fresh = _PILOT_PENDING if pilot_only else _PENDING
        async with self._database.write() as transaction:
            ids = [
                row["id"]
                for row in await transaction.rows(
                    f"{due} AND not_before <= ? ORDER BY not_before LIMIT ?", (self._run_id, now, limit)
                )
            ]
            if len(ids) < limit:
                more = await transaction.rows(f"{fresh} ORDER BY id LIMIT ?", (self._run_id, limit - len(ids)))
                ids += [row["id"] for row in more]
            if not ids:
                return []
            listed = json.dumps(ids)
            await transaction.execute(
                "UPDATE task SET status = 'leased', lease = ? WHERE id IN (SELECT value FROM json_each(?))",
                (self._session_id, listed),
            )
            rows = await transaction.rows(
                "SELECT t.id AS task_id, t.attempts_spent, t.last_kind, t.last_problem, t.changes, t.part, t.parts, "
                "CASE WHEN t.attempts > t.requeued_after THEN (SELECT group_concat(DISTINCT question) FROM attempt "
                "WHERE task_id = t.id AND number > t.requeued_after AND kind = 'bad_reply') END AS tried, "
                f"b.message AS bad_reply, b.finish_reason, {ITEM_COLUMNS} "
                "FROM task t JOIN item i ON i.id = t.item_id LEFT JOIN attempt b ON t.attempts > t.requeued_after "
                "AND b.id = (SELECT id FROM attempt WHERE task_id = t.id AND number > t.requeued_after "
                "AND kind = 'bad_reply' ORDER BY number DESC LIMIT 1) "
                "WHERE t.id IN (SELECT value FROM json_each(?)) ORDER BY t.id",
                (listed,),
            )
        return [
            ClaimedTask(
                row["task_id"],
                item_from_row(row),
                row["attempts_spent"],
                row["last_kind"],
                row["last_problem"],
                frozenset(row["tried"].split(",")) if row["tried"] else frozenset(),
                row["bad_reply"] or "",
                row["finish_reason"] == CUT,
                changes_of(row["changes"]),
                ONLY if row["parts"] == 1 else Part(row["part"], row["parts"]),
            )
            for row in rows
        ]

    async def next_due(self, *, pilot_only: bool) -> float | None:
        """Return when the next pending task may be asked (0 = now), or None when none is pending."""
        due, fresh = _PILOT_PENDING if pilot_only else _PENDING
        if await self._database.read(f"{fresh} LIMIT 1", (self._run_id,)):
            return 0.0
        row = await self._database.read_one(f"{due} ORDER BY not_before LIMIT 1", (self._run_id,))
        return None if row is None else row["not_before"]

    async def count_left(self, *, at_most: int, pilot_only: bool) -> int:
        """Return how many tasks are pending or leased, counted up to `at_most`."""
        which = "INDEXED BY task_pilot WHERE run_id = ? AND pilot = 1" if pilot_only else "WHERE run_id = ?"
        row = await self._database.read_one(
            f"SELECT count(*) AS n FROM (SELECT 1 FROM task {which} AND status IN ('pending', 'leased') LIMIT ?)",
            (self._run_id, at_most),
        )
        return row["n"] if row else 0

    async def settle(self, outcomes: Sequence[TaskOutcome]) -> None:
        """Commit a group of outcomes in one transaction.

        Every attempt is recorded whatever has become of its task. The task itself and its samples are written only
        where this session still holds the lease, so a worker that lost it changes nothing. Pairs of a task that was
        done before are replaced by new ones, and by nothing else: where it fails it is done with those that it has.
        """
        # Messages are brought into their normal form before the file is locked.
        lost_by = [task_failure(outcome) for outcome in outcomes]
        failures = [failed for failed in (*lost_by, *_attempt_failures(outcomes)) if failed is not None]
        async with self._database.write() as transaction:
            clusters = await self._cluster_ids.find(transaction, failures) if failures else {}
            listed = json.dumps([outcome.task_id for outcome in outcomes])
            held = {
                row["id"]: bool(row["paired"])
                for row in await transaction.rows(
                    "SELECT id, EXISTS (SELECT 1 FROM sample WHERE task_id = task.id) AS paired FROM task "
                    "WHERE status = 'leased' AND lease = ? AND id IN (SELECT value FROM json_each(?))",
                    (self._session_id, listed),
                )
            }
            attempts = [(o.task_id, o.attempt, o.spends_attempt) for o in outcomes if o.attempt is not None]
            attempts += [(o.task_id, o.hedge, False) for o in outcomes if o.hedge is not None]
            await self._record_attempts(transaction, attempts, clusters)
            settled = [
                (outcome, clusters.get(failed) if failed else None)
                for outcome, failed in zip(outcomes, lost_by, strict=True)
                if outcome.task_id in held and not outcome.attempt_alone
            ]
            kept = [outcome for outcome, _cluster in settled]
            paired = [outcome for outcome in kept if held[outcome.task_id]]
            now = time.time()
            await transaction.execute_many(
                "UPDATE task SET status = ?1, lease = NULL, not_before = ?2, finished_at = ?5, "
                "changes = CASE ?1 WHEN 'done' THEN '{}' ELSE changes END, "
                "last_kind = CASE ?1 WHEN 'done' THEN NULL ELSE coalesce(?3, last_kind) END, "
                "last_problem = CASE ?1 WHEN 'done' THEN NULL ELSE coalesce(?4, last_problem) END, "
                "cluster_id = CASE ?1 WHEN 'done' THEN NULL ELSE coalesce(?7, cluster_id) END WHERE id = ?6",
                [
                    (
                        outcome.status,
                        outcome.not_before if outcome.status is TaskStatus.PENDING else 0,
                        outcome.kind,
                        outcome.problem,
                        None if outcome.status is TaskStatus.PENDING else now,
                        outcome.task_id,
                        cluster,
                    )
                    for outcome, cluster in settled
                ],
            )
            await put_aside_pairs(transaction, [each.task_id for each in paired if each.status is TaskStatus.DONE])
            await transaction.execute_many(
                "INSERT INTO sample (run_id, task_id, ordinal, question, answer, question_type, flags) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        self._run_id,
                        outcome.task_id,
                        ordinal,
                        pair.question,
                        pair.answer,
                        pair.question_type,
                        json.dumps([str(flag) for flag in pair.flags]),
                    )
                    for outcome in kept
                    for ordinal, pair in enumerate(outcome.pairs)
                ],
            )
            if paired:
                await drop_pairs_put_aside(transaction, [outcome.task_id for outcome in paired])
                failed = [outcome.task_id for outcome in paired if outcome.status is TaskStatus.FAILED]
                await keep_done(transaction, self._run_id, failed, now=now)

    async def rescue(self, flights: Sequence[Flight]) -> Rescue:
        """Put back every task that another session left leased, and record the requests it had in flight.

        `flights` is the dead session's journal. A request in it whose attempt was committed is left alone; the others
        become attempts of kind `lost`, and what they had reserved counts as uncertain. That holds for the second
        request of a straggler too, whose task may be done. A task's id and the time of sending name an attempt.
        """
        async with self._database.write() as transaction:
            leased = {
                row["id"]: row["lease"]
                for row in await transaction.rows(
                    "SELECT id, lease FROM task WHERE run_id = ? AND status = 'leased' AND lease <> ?",
                    (self._run_id, self._session_id),
                )
            }
            listed = json.dumps([flight.task_id for flight in flights])
            stored = {
                (row["task_id"], row["started_at"])
                for row in await transaction.rows(
                    "SELECT task_id, started_at FROM attempt WHERE task_id IN (SELECT value FROM json_each(?))",
                    (listed,),
                )
            }
            mine = {
                row["id"]: changes_of(row["changes"])
                for row in await transaction.rows(
                    "SELECT id, changes FROM task WHERE +run_id = ? AND id IN (SELECT value FROM json_each(?))",
                    (self._run_id, listed),
                )
            }
            (newest,) = await transaction.rows(
                "SELECT max(id) AS id FROM session WHERE run_id = ? AND id <> ?", (self._run_id, self._session_id)
            )
            lost = [
                flight
                for flight in flights
                if flight.task_id in mine and (flight.task_id, flight.started_at) not in stored
            ]
            failed = attempt_failure(FailureKind.LOST, _LOST)
            await self._record_attempts(
                transaction,
                [
                    (
                        flight.task_id,
                        AttemptRecord(
                            key_name=flight.key_name,
                            started_at=flight.started_at,
                            latency_ms=None,
                            kind=FailureKind.LOST,
                            message=_LOST,
                            uncertain_nano=flight.reserved_nano,
                            expected=flight.size,
                            changes=mine[flight.task_id],
                        ),
                        False,
                    )
                    for flight in lost
                ],
                await self._cluster_ids.find(transaction, [failed] if failed and lost else []),
                # Without an earlier session on record they count as ours: money is never dropped.
                session_of={
                    flight.task_id: leased.get(flight.task_id, newest["id"] or self._session_id) for flight in lost
                },
            )
            await transaction.execute(
                "UPDATE task SET status = 'pending', lease = NULL, not_before = 0 "
                "WHERE run_id = ? AND status = 'leased' AND lease <> ?",
                (self._run_id, self._session_id),
            )
            # A clock that was set back since must not put retries off for hours.
            latest = time.time() + LONGEST_WAIT_S
            await transaction.execute(
                "UPDATE task SET not_before = ? WHERE run_id = ? AND status = 'pending' AND not_before > 0 "
                "AND not_before > ?",
                (latest, self._run_id, latest),
            )
        return Rescue(len(leased), len(lost), sum(flight.reserved_nano for flight in lost))

    async def _record_attempts(
        self,
        transaction: Transaction,
        attempts: Sequence[tuple[int, AttemptRecord, bool]],
        clusters: Mapping[Failed, int],
        session_of: dict[int, int] | None = None,
    ) -> None:
        await transaction.execute_many(
            "UPDATE task SET attempts = attempts + 1, attempts_spent = attempts_spent + ? WHERE id = ?",
            [(int(spent), task_id) for task_id, _attempt, spent in attempts],
        )
        await transaction.execute_many(
            _INSERT_ATTEMPT,
            [
                (
                    self._run_id,
                    task_id,
                    session_of[task_id] if session_of else self._session_id,
                    attempt.key_name,
                    attempt.started_at,
                    attempt.latency_ms,
                    attempt.http_status,
                    attempt.kind,
                    attempt.message,
                    attempt.usage.input_tokens,
                    attempt.usage.output_tokens,
                    attempt.cost_nano,
                    attempt.uncertain_nano,
                    attempt.reserved_nano,
                    attempt.finish_reason,
                    attempt.model,
                    attempt.request_id,
                    attempt.raw_reply,
                    attempt.purpose,
                    attempt.usage.cached_input_tokens,
                    attempt.usage.image_tokens,
                    attempt.estimated_input_tokens,
                    attempt.expected.input_tokens,
                    attempt.expected.output_tokens,
                    attempt.never_sent,
                    attempt.question or attempt.purpose,
                    attempt.bound_nano,
                    attempt.changes.max_tokens,
                    0 if attempt.changes.max_side == ORIGINAL_SIZE else attempt.changes.max_side,
                    clusters.get(failed) if (failed := attempt_failure(attempt.kind, attempt.message)) else None,
                )
                for task_id, attempt, _spent in attempts
            ],
        )


def _attempt_failures(outcomes: Sequence[TaskOutcome]) -> list[Failed | None]:
    return [attempt_failure(each.kind, each.message) for outcome in outcomes for each in outcome.attempts]
