"""Steering runs: start the engine, watch, pause, resume, stop, approve, retry, change limits."""

import asyncio
import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import thaw_endpoint
from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.run import LIVE_PHASES, EngineState, Intent, Limits, Phase, RunSummary, RunView
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.process.lock import is_locked
from vqa_tui.process.spawn import reap_children, spawn_detached
from vqa_tui.process.tail import tail
from vqa_tui.store import queue, reads, runs
from vqa_tui.store.inflight import read_flights

HUNG_AFTER_S = 20.0
_START_PATIENCE_S = 30.0
ENDED_PHASES = frozenset({Phase.CREATED, Phase.DONE, Phase.STOPPED, Phase.FAILED})


def engine_state(workspace: Workspace, run_id: int, phase: Phase, heartbeat_age_s: float | None) -> EngineState:
    """Return whether the engine of a run is alive, hung, lost, or not wanted."""
    if is_locked(workspace.paths.run_lock(run_id)):
        hung = heartbeat_age_s is not None and heartbeat_age_s > HUNG_AFTER_S
        return EngineState.HUNG if hung else EngineState.ALIVE
    return EngineState.LOST if phase in LIVE_PHASES else EngineState.NONE


async def list_runs(workspace: Workspace) -> list[RunSummary]:
    """Return all runs, newest first."""
    summaries = await reads.run_summaries(workspace.db)
    return [replace(s, engine=engine_state(workspace, s.id, s.phase, None)) for s in summaries]


async def find_run(workspace: Workspace, ref: str) -> int:
    """Return the id of the run that `ref` names (id or name). Raises VqaError with the nearest name."""
    names = await runs.run_names(workspace.db)
    for run_id, name in names:
        if name == ref or str(run_id) == ref:
            return run_id
    close = difflib.get_close_matches(ref, [name for _id, name in names], 1)
    raise VqaError(
        f"there is no run {ref!r}",
        hint=f"Did you mean {close[0]}?" if close else "`vqa-tui run list` shows the runs of this workspace.",
    )


async def run_view(workspace: Workspace, run_id: int) -> RunView:
    """Return everything there is to show of a run. Raises VqaError when it is gone."""
    flights = read_flights(workspace.paths.run_flight_journal(run_id))
    # The lock is looked at before and after: a run that ended between the two looks must not be called lost.
    before = is_locked(workspace.paths.run_lock(run_id))
    view = await reads.run_view(workspace.db, run_id, now=time.time(), flights=flights)
    if view is None:
        raise VqaError(f"there is no run {run_id}")
    state = engine_state(workspace, run_id, view.phase, view.engine.heartbeat_age_s)
    if state is EngineState.LOST and before:
        view = await reads.run_view(workspace.db, run_id, now=time.time(), flights=flights) or view
        state = engine_state(workspace, run_id, view.phase, view.engine.heartbeat_age_s)
    reap_children()
    return reads.with_engine(view, state)


async def start_engine(workspace: Workspace, run_id: int) -> None:
    """Start the engine of a run as a process of its own and wait until it is at work.

    Raises VqaError when one is alive already, or in the engine's own words when it cannot work (no key, say).
    """
    if is_locked(workspace.paths.run_lock(run_id)):
        raise VqaError("an engine is already at work on this run")
    log = workspace.paths.run_log(run_id)
    child = spawn_detached(["engine", str(run_id), "--workspace", str(workspace.paths.root)], log=log)
    deadline = time.monotonic() + _START_PATIENCE_S
    while time.monotonic() < deadline:
        # The exit is looked at first: what an ended engine wrote is complete.
        status = child.poll()
        standing = await reads.standing(workspace.db, run_id)
        if standing.pid == child.pid and standing.phase is not Phase.PREFLIGHT:
            if standing.phase is Phase.FAILED:
                raise VqaError(f"the engine cannot work: {standing.reason}")
            return
        if status is not None:
            raise VqaError(f"the engine did not start (exit {status})", hint=tail(log, lines=6) or f"Its log: {log}")
        await asyncio.sleep(0.02)
    raise VqaError(f"the engine did not come up within {_START_PATIENCE_S:.0f} s", hint=f"Its log: {log}")


async def pause_run(workspace: Workspace, run_id: int, *, cancel_in_flight: bool = False) -> None:
    """Stop starting requests; what is in flight ends, or is cancelled and put back."""
    view = await run_view(workspace, run_id)
    _require_not_ended(view, "pause")
    await runs.set_intent(workspace.db, run_id, Intent.PAUSE, who=operator(), cancel_in_flight=cancel_in_flight)


async def resume_run(workspace: Workspace, run_id: int) -> None:
    """Let a run go on, whatever it waits for; an engine that is lost or gone is started anew."""
    view = await run_view(workspace, run_id)
    if view.phase is Phase.DONE and view.counts.pending == 0:
        raise VqaError(f"run {view.name} is done", hint="`run retry` puts its failed pictures back into the queue.")
    await runs.set_intent(workspace.db, run_id, Intent.RUN, who=operator())
    await _ensure_engine(workspace, run_id)


async def stop_run(workspace: Workspace, run_id: int, *, cancel_in_flight: bool = False) -> None:
    """End a run's engine; what is in flight ends first unless it is to be cancelled. It can be resumed later."""
    view = await run_view(workspace, run_id)
    _require_not_ended(view, "stop")
    await runs.set_intent(workspace.db, run_id, Intent.STOP, who=operator(), cancel_in_flight=cancel_in_flight)
    if view.engine.state is EngineState.LOST:
        # Only an engine may say that a run has stopped; this one puts back what was in flight, says so and ends.
        await _ensure_engine(workspace, run_id)


async def approve_run(workspace: Workspace, run_id: int) -> None:
    """Approve the pilot, before or after it ended."""
    view = await run_view(workspace, run_id)
    if view.phase in (Phase.DONE, Phase.FAILED):
        raise VqaError(f"run {view.name} is {view.phase}: there is nothing to approve")
    await runs.approve(workspace.db, run_id, who=operator())
    if view.engine.state is EngineState.LOST:
        await _ensure_engine(workspace, run_id)


async def retry_failed(
    workspace: Workspace, run_id: int, *, kinds: Sequence[str] = (), ids: Sequence[int] | None = None
) -> int:
    """Put failed tasks back into the queue and return how many; a run that had ended goes on.

    `kinds` narrows by failure kind, `ids` by task. Raises VqaError for an unknown kind.
    """
    known = [str(kind) for kind in FailureKind]
    for kind in kinds:
        if kind not in known:
            close = difflib.get_close_matches(kind, known, 1)
            raise VqaError(
                f"unknown failure kind {kind!r}",
                hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}",
            )
    count = await queue.requeue(workspace.db, run_id, kinds=kinds, ids=ids)
    if count == 0:
        return 0
    which = f"of kind {', '.join(kinds)}" if kinds else "of any kind"
    await runs.note_action(workspace.db, run_id, who=operator(), verb="retry", detail=f"{count} failed tasks {which}")
    view = await run_view(workspace, run_id)
    if view.phase in (Phase.DONE, Phase.FAILED):
        await runs.set_intent(workspace.db, run_id, Intent.RUN, who=operator())
        await _ensure_engine(workspace, run_id)
    return count


async def set_limits(workspace: Workspace, run_id: int, changes: Mapping[str, str]) -> Limits:
    """Change limits of a run while it works; return all of them.

    Keys: `budget` (dollars, or `none`), `concurrency`, `max_attempts`, `rpm.KEY` (requests a minute of one key, or
    `none`). Raises VqaError for an unknown key or a bad value, with nothing changed.
    """
    view = await run_view(workspace, run_id)
    frozen = await runs.frozen_run(workspace.db, run_id)
    if frozen is None:
        raise VqaError(f"there is no run {run_id}")
    endpoint = thaw_endpoint(frozen.endpoint)
    limits, noted = view.limits, []
    for key, text in changes.items():
        limits, old = _changed(limits, key, text.strip(), endpoint)
        noted.append((key, old, text.strip()))
    if limits.budget_usd is not None and endpoint.prices is None:
        raise VqaError(f"the endpoint {view.endpoint} states no prices, so a budget cannot be held")
    await runs.set_limits(workspace.db, run_id, limits, who=operator(), changes=noted)
    return limits


def _changed(limits: Limits, key: str, text: str, endpoint: Endpoint) -> tuple[Limits, str]:
    """Return `limits` after `key=text`, and the old value as text."""
    unset = text.lower() in ("none", "off", "")
    key_names = [each.name for each in endpoint.keys]
    if key == "budget":
        update: dict[str, object] = {"budget_usd": None if unset else text.removeprefix("$")}
        old: object = limits.budget_usd
    elif key == "concurrency":
        update, old = {"concurrency": text}, limits.concurrency
    elif key == "max_attempts":
        update, old = {"max_attempts": text}, limits.max_attempts
    elif key.startswith("rpm.") and key.removeprefix("rpm.") in key_names:
        name = key.removeprefix("rpm.")
        kept: dict[str, object] = {k: v for k, v in limits.requests_per_minute.items() if k != name}
        update = {"requests_per_minute": kept if unset else {**kept, name: text}}
        old = limits.requests_per_minute.get(name)
    else:
        settable = ["budget", "concurrency", "max_attempts", *(f"rpm.{name}" for name in key_names)]
        close = difflib.get_close_matches(key, settable, 1)
        raise VqaError(
            f"unknown setting {key!r}",
            hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(settable)}",
        )
    try:
        return Limits.model_validate({**limits.model_dump(), **update}), "none" if old is None else str(old)
    except ValidationError as error:
        raise VqaError(f"{key}: {text!r}: {error.errors()[0]['msg']}") from error


def _require_not_ended(view: RunView, verb: str) -> None:
    if view.phase in ENDED_PHASES and view.phase is not Phase.CREATED:
        raise VqaError(f"run {view.name} is {view.phase}: there is nothing to {verb}")


async def _ensure_engine(workspace: Workspace, run_id: int) -> None:
    """Start the engine unless one is at work; wait for one that is just ending."""
    deadline = time.monotonic() + _START_PATIENCE_S
    lock = workspace.paths.run_lock(run_id)
    while is_locked(lock):
        view = await run_view(workspace, run_id)
        if view.phase not in ENDED_PHASES or time.monotonic() > deadline:
            return
        await asyncio.sleep(0.02)
    await start_engine(workspace, run_id)
