"""Steering runs: start the engine, watch, pause, resume, stop, approve."""

import asyncio
import difflib
import time
from dataclasses import replace

from vqa_tui.domain.at_cap import RAISE_IT
from vqa_tui.domain.failure import RunGone, VqaError
from vqa_tui.domain.run import LIVE_PHASES, EngineState, Intent, Phase, RunSummary, RunView
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.process.lock import ALREADY_AT_WORK, is_locked
from vqa_tui.process.spawn import reap_children, spawn_detached
from vqa_tui.store import reads, runs
from vqa_tui.store.inflight import JournalView, read_beat, read_journal
from vqa_tui.tail import tail

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
    now = time.time()
    found = []
    for summary, heartbeat_at in await reads.run_summaries(workspace.db):
        age = _heartbeat_age(now, heartbeat_at, read_beat(workspace.paths.run_flight_journal(summary.id)))
        found.append(replace(summary, engine=engine_state(workspace, summary.id, summary.phase, age)))
    return found


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
    reap_children()
    lock = workspace.paths.run_lock(run_id)
    # The lock is looked at first: a run that ends between the two looks must not be called lost.
    held = is_locked(lock)
    view, journal = await _read_view(workspace, run_id)
    if not held and view.phase in LIVE_PHASES and is_locked(lock):
        held = True
    if held and not is_locked(lock) and view.phase in LIVE_PHASES:
        view, journal = await _read_view(workspace, run_id)
        held = is_locked(lock)
    return _with_engine(view, journal, held=held)


async def _read_view(workspace: Workspace, run_id: int) -> tuple[RunView, JournalView]:
    journal = read_journal(workspace.paths.run_flight_journal(run_id))
    view = await reads.run_view(workspace.db, run_id, now=time.time(), flights=journal.flights)
    if view is None:
        raise RunGone(f"there is no run {run_id}")
    return view, journal


def _with_engine(view: RunView, journal: JournalView, *, held: bool) -> RunView:
    """Add what the lock and the journal say: they work when the database cannot be written."""
    if not held:
        return reads.with_engine(view, EngineState.LOST if view.phase in LIVE_PHASES else EngineState.NONE)
    now = time.time()
    heartbeat_at = None if view.engine.heartbeat_age_s is None else now - view.engine.heartbeat_age_s
    age = _heartbeat_age(now, heartbeat_at, journal.beat_at)
    view = replace(view, engine=replace(view.engine, heartbeat_age_s=age), why_idle=journal.trouble or view.why_idle)
    return reads.with_engine(view, EngineState.HUNG if age is not None and age > HUNG_AFTER_S else EngineState.ALIVE)


def _heartbeat_age(now: float, heartbeat_at: float | None, journal_beat_at: float | None) -> float | None:
    beats = [at for at in (heartbeat_at, journal_beat_at) if at is not None]
    return max(now - max(beats), 0.0) if beats else None


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
        if status == ALREADY_AT_WORK:
            # Somebody else started one at the same moment; that one is at work, which is all that was wanted.
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
        raise VqaError(f"run {view.name} is done", hint="`run retry` puts what failed back into the queue.")
    if view.at_cap:
        raise VqaError(
            f"run {view.name} cannot go on: {view.phase_reason.removesuffix(RAISE_IT)}",
            hint=f"`vqa-tui run set {view.name} budget=USD` raises the budget, and the run goes on by itself.",
        )
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
    if view.phase is Phase.STOPPED or view.intent is Intent.STOP:
        raise VqaError(f"run {view.name} is stopped", hint="Resume it first; then approve.")
    await runs.approve(workspace.db, run_id, who=operator())
    if view.engine.state is EngineState.LOST:
        await _ensure_engine(workspace, run_id)


async def go_on_if_ended(workspace: Workspace, run_id: int) -> RunView:
    """Let a run that was done or had failed go on with what was put back; a stopped or paused one waits.

    Returns the run as it stood before.
    """
    view = await run_view(workspace, run_id)
    if view.phase in (Phase.DONE, Phase.FAILED):
        await runs.set_intent(workspace.db, run_id, Intent.RUN, who=operator())
        await _ensure_engine(workspace, run_id)
    return view


def _require_not_ended(view: RunView, verb: str) -> None:
    if view.phase in ENDED_PHASES and view.phase is not Phase.CREATED:
        raise VqaError(f"run {view.name} is {view.phase}: there is nothing to {verb}")


async def _ensure_engine(workspace: Workspace, run_id: int) -> None:
    """Start the engine unless one is at work; wait for one that is just ending or making up its mind."""
    deadline = time.monotonic() + _START_PATIENCE_S
    lock = workspace.paths.run_lock(run_id)
    while is_locked(lock):
        phase = (await reads.standing(workspace.db, run_id)).phase
        if phase not in ENDED_PHASES and phase is not Phase.STOPPING:
            return
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.02)
    await start_engine(workspace, run_id)
