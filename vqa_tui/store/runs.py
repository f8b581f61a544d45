"""Runs: made and steered by faces, reported on by the engine. Each table has one writer."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import unit
from vqa_tui.domain.run import Intent, Limits, Phase
from vqa_tui.domain.work import Wishes
from vqa_tui.store.db import Database, Transaction
from vqa_tui.store.published import keys_at_rest


@dataclass(frozen=True, slots=True)
class FrozenRun:
    """What a run was made of, as stored."""

    id: int
    name: str
    dataset_id: int
    dataset_root: str
    recipe: str
    endpoint: str
    pilot_size: int
    parts: int = 1

    @property
    def unit(self) -> str:
        """What its tasks are called."""
        return unit(in_parts=self.parts != 1)


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One limit that a person changed, in words."""

    name: str
    old: str
    new: str


async def require_run(transaction: Transaction, run_id: int) -> None:
    """Raise VqaError when there is no such run, or it was deleted, or is not whole yet."""
    if not await transaction.rows(
        "SELECT 1 FROM run WHERE id = ? AND id NOT IN (SELECT id FROM hidden_run)", (run_id,)
    ):
        raise VqaError(f"there is no run {run_id}", hint="`vqa-tui run list` shows the runs of this workspace.")


async def frozen_run(database: Database, run_id: int) -> FrozenRun | None:
    """Return what a run was made of; None when there is no such run, or it was deleted."""
    row = await database.read_one(
        "SELECT r.id, r.name, r.dataset_id, d.root, r.recipe, r.endpoint, r.pilot_size, r.parts "
        "FROM run r JOIN dataset d ON d.id = r.dataset_id WHERE r.id = ? AND r.id NOT IN (SELECT id FROM hidden_run)",
        (run_id,),
    )
    if row is None:
        return None
    return FrozenRun(
        row["id"],
        row["name"],
        row["dataset_id"],
        row["root"],
        row["recipe"],
        row["endpoint"],
        row["pilot_size"],
        row["parts"],
    )


async def run_names(database: Database) -> list[tuple[int, str]]:
    """Return (id, name) of all runs, newest first."""
    rows = await database.read(
        "SELECT id, name FROM run WHERE id NOT IN (SELECT id FROM hidden_run) ORDER BY id DESC",
    )
    return [(row["id"], row["name"]) for row in rows]


async def names_of(database: Database, ids: Sequence[int]) -> set[str]:
    """Return the names of these runs, also of those that nobody sees."""
    rows = await database.read(
        "SELECT name FROM run WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {row["name"] for row in rows}


async def wishes(database: Database, run_id: int) -> Wishes:
    """Return what is wanted of a run, also of one that is being emptied. Raises VqaError when there is no such run."""
    row = await database.read_one(
        "SELECT intent, cancel_in_flight, approved_at, resumed_at, limits FROM run WHERE id = ?", (run_id,)
    )
    if row is None:
        raise VqaError(f"there is no run {run_id}")
    return Wishes(
        Intent(row["intent"]),
        bool(row["cancel_in_flight"]),
        row["approved_at"],
        row["resumed_at"],
        Limits.model_validate_json(row["limits"]),
    )


async def set_intent(
    database: Database, run_id: int, intent: Intent, *, who: str, cancel_in_flight: bool = False
) -> None:
    """Record what a person wants. Intent `run` also stamps `resumed_at`, which wakes a run that paused itself, and
    brings an archived run back into sight. Raises VqaError when there is no such run, or it was deleted."""
    now = time.time()
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        before = (await transaction.rows("SELECT intent FROM run WHERE id = ?", (run_id,)))[0]["intent"]
        await transaction.execute(
            "UPDATE run SET intent = :intent, cancel_in_flight = :cancel, "
            "resumed_at = CASE WHEN :intent = 'run' THEN :now ELSE resumed_at END, "
            "archived_at = CASE WHEN :intent = 'run' THEN NULL ELSE archived_at END WHERE id = :run",
            {"intent": intent, "cancel": int(cancel_in_flight), "now": now, "run": run_id},
        )
        verb = f"{intent}, cancelling what is in flight" if cancel_in_flight else str(intent)
        await transaction.execute(_INSERT_ACTION, (run_id, now, who, verb, before, intent))


async def approve(database: Database, run_id: int, *, who: str) -> None:
    """Approve the pilot; whether the run goes on is still a matter of its intent.

    Raises VqaError when there is no such run, or it was deleted.
    """
    now = time.time()
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        await transaction.execute("UPDATE run SET approved_at = coalesce(approved_at, ?) WHERE id = ?", (now, run_id))
        await transaction.execute(_INSERT_ACTION, (run_id, now, who, "approve the pilot", "", ""))


async def change_limits(
    database: Database, run_id: int, change: Callable[[Limits], tuple[Limits, list[LimitChange]]], *, who: str
) -> Limits:
    """Apply `change` to the limits as they stand at this moment, in one transaction; each change is an action row.

    Reading and writing in one transaction keeps two faces from undoing each other's changes. What `change` raises
    leaves everything as it was. Raises VqaError when there is no such run, or it was deleted.
    """
    now = time.time()
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        row = (await transaction.rows("SELECT limits FROM run WHERE id = ?", (run_id,)))[0]
        limits, changes = change(Limits.model_validate_json(row["limits"]))
        await transaction.execute("UPDATE run SET limits = ? WHERE id = ?", (limits.model_dump_json(), run_id))
        await transaction.execute_many(
            _INSERT_ACTION, [(run_id, now, who, f"set {each.name}", each.old, each.new) for each in changes]
        )
    return limits


async def note_action(database: Database, run_id: int, *, who: str, verb: str, detail: str = "") -> None:
    """Note what a person did. Raises VqaError when there is no such run, or it was deleted."""
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        await transaction.execute(_INSERT_ACTION, (run_id, time.time(), who, verb, "", detail))


@dataclass(frozen=True, slots=True)
class SessionState:
    """The newest engine session of a run, and whether it said good-bye."""

    id: int
    ended: bool


async def newest_session(database: Database, run_id: int) -> SessionState | None:
    """Return the run's newest engine session, None before the first. A killed engine's session has not ended."""
    row = await database.read_one(
        "SELECT id, ended_at IS NOT NULL AS ended FROM session WHERE run_id = ? ORDER BY id DESC LIMIT 1", (run_id,)
    )
    return SessionState(row["id"], bool(row["ended"])) if row else None


async def begin_session(database: Database, run_id: int, pid: int) -> int:
    """Open an engine session and return its id; the run's clock starts with its first one.

    Raises VqaError when there is no such run, or it was deleted.
    """
    now = time.time()
    async with database.write() as transaction:
        await require_run(transaction, run_id)
        session_id = await transaction.insert(
            "INSERT INTO session (run_id, pid, started_at) VALUES (?, ?, ?)", (run_id, pid, now)
        )
        await transaction.execute(
            "UPDATE session SET ended_at = ?, end_reason = 'lost' WHERE run_id = ? AND ended_at IS NULL AND id <> ?",
            (now, run_id, session_id),
        )
        # An engine that comes no further than this must not take from what earlier ones have told.
        (state,) = await transaction.rows("SELECT keys FROM run_state WHERE run_id = ?", (run_id,))
        await transaction.execute(
            "UPDATE run_state SET session_id = ?, heartbeat_at = ?, started_at = coalesce(started_at, ?), "
            "ended_at = NULL, reserved_nano = 0, keys = ?, throttles = '[]', phase = 'preflight', phase_reason = '' "
            "WHERE run_id = ?",
            (session_id, now, now, keys_at_rest(state["keys"]), run_id),
        )
    return session_id


async def set_phase(database: Database, run_id: int, phase: Phase, reason: str) -> None:
    ended = time.time() if phase in (Phase.DONE, Phase.STOPPED, Phase.FAILED) else None
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE run_state SET phase = ?, phase_reason = ?, ended_at = ? WHERE run_id = ?",
            (phase, reason, ended, run_id),
        )


async def finish_if_drained(database: Database, run_id: int, reason: str) -> bool:
    """Move the run to `done` unless a task became pending meanwhile; one transaction, so no requeue is overlooked."""
    async with database.write() as transaction:
        changed = await transaction.execute(
            "UPDATE run_state SET phase = 'done', phase_reason = ?, ended_at = ?, why_idle = '' WHERE run_id = ? "
            "AND NOT EXISTS (SELECT 1 FROM task WHERE run_id = ? AND status IN ('pending', 'leased'))",
            (reason, time.time(), run_id, run_id),
        )
    return changed == 1


async def stop_if_wanted(database: Database, run_id: int, reason: str, *, forced: bool) -> bool:
    """Move the run to `stopped` if that is still wanted, in one transaction, so that no resume is overlooked.

    `forced` stops whatever is wanted: the engine itself was told to end.
    """
    async with database.write() as transaction:
        changed = await transaction.execute(
            "UPDATE run_state SET phase = 'stopped', phase_reason = ?, ended_at = ? WHERE run_id = ? "
            "AND (? OR EXISTS (SELECT 1 FROM run WHERE id = run_state.run_id AND intent = 'stop'))",
            (reason, time.time(), run_id, forced),
        )
    return changed == 1


async def end_session(database: Database, run_id: int, session_id: int, reason: str) -> None:
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE session SET ended_at = ?, end_reason = ? WHERE id = ?", (time.time(), reason, session_id)
        )
        await transaction.execute("UPDATE run_state SET reserved_nano = 0, why_idle = '' WHERE run_id = ?", (run_id,))


async def beat(
    database: Database,
    run_id: int,
    *,
    reserved_nano: int,
    why_idle: str,
    keys: list[dict[str, object]],
    throttles: list[dict[str, object]] | None = None,
) -> None:
    """Publish the engine's volatile facts together with its heartbeat."""
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE run_state SET heartbeat_at = ?, reserved_nano = ?, why_idle = ?, keys = ?, throttles = ? "
            "WHERE run_id = ?",
            (time.time(), reserved_nano, why_idle, json.dumps(keys), json.dumps(throttles or []), run_id),
        )


async def add_event(database: Database, run_id: int, level: str, message: str) -> None:
    async with database.write() as transaction:
        await transaction.execute(
            "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, ?, ?)", (run_id, time.time(), level, message)
        )


_INSERT_ACTION = "INSERT INTO action (run_id, at, who, verb, old_value, new_value) VALUES (?, ?, ?, ?, ?, ?)"
