"""The supervisor: moves one run through its phases as a person wishes and as the facts allow."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from vqa_tui.domain.at_cap import at_cap_words
from vqa_tui.domain.cost import to_dollars, to_nano
from vqa_tui.domain.run import Intent, Limits, Phase, TaskStatus
from vqa_tui.domain.work import TaskOutcome, Wishes
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.breaker import Breaker
from vqa_tui.engine.budget import NEARLY_USED_UP
from vqa_tui.engine.clock import to_wall
from vqa_tui.engine.crew import Crew
from vqa_tui.engine.feeder import Feeder
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.idle import what_requests_wait_for, why_idle
from vqa_tui.engine.outage import BROKEN_TASKS, Outage
from vqa_tui.engine.pulse import Pulse
from vqa_tui.engine.standstill import Standstill
from vqa_tui.engine.writer import Writer
from vqa_tui.store import reads, runs
from vqa_tui.store.budget_notice import tell_of_cap
from vqa_tui.store.db import Database, StoreTrouble
from vqa_tui.store.inflight import FlightJournal
from vqa_tui.store.queue import TaskQueue

TICK_S = 0.25
_LONG_WAIT_S = 2.0
_CLAIM_AHEAD = (16, 256)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machinery:
    """The parts that the supervisor steers."""

    queue: TaskQueue
    writer: Writer
    feeder: Feeder
    crew: Crew
    gatekeeper: Gatekeeper
    breaker: Breaker
    outage: Outage
    standstill: Standstill
    board: Board
    journal: FlightJournal
    pulse: Pulse


class Supervisor:
    """One engine session of one run."""

    def __init__(self, database: Database, run_id: int, *, pilot_size: int) -> None:
        self._database = database
        self._run_id = run_id
        self._pilot_size = pilot_size
        self._phase = Phase.CREATED
        self._reason = ""
        self._halt: Halt | None = None
        self._halt_cap: int | None = None
        self._resumed_before: float | None = None
        """The stamp of the newest resume that was seen. Only another one counts: clocks of faces are not ours."""
        self._told_cap: int | None = None
        self._ending = ""
        self._fault: BaseException | None = None
        self._changed = asyncio.Event()
        self._cancelled = False
        self._told: list[tuple[str, str]] = []
        self._shut: Callable[[], None] = lambda: None
        self._trouble = ""
        self.limits = Limits()

    def halt(self, halt: Halt) -> None:
        """Pause the run for a reason of the engine's own; the first reason stands."""
        if self._halt is None:
            self._halt = halt
            self._shut()
            self._changed.set()

    def tell(self, level: str, message: str) -> None:
        """Record an event with the next tick."""
        self._told.append((level, message))
        self._changed.set()

    def stood_still(self, seconds: float) -> None:
        """Record that the computer slept, or that this process was stopped."""
        self.tell("warning", f"the engine stood still for {seconds:.0f} s: the computer slept or it was stopped")

    def may_hedge(self) -> bool:
        """Whether stragglers are asked twice now: a person wants it, and no pilot measures what one picture costs."""
        return self.limits.hedge and self._phase is Phase.RUNNING and self._halt is None

    def break_off(self, fault: BaseException) -> None:
        """End the session at once: a part of the engine broke, and waiting for it would be for ever."""
        self._fault = fault
        self._changed.set()

    def end(self, why: str) -> None:
        """End the session as if a person had asked to stop."""
        self._ending = why
        self._changed.set()

    def committed(self, group: Sequence[TaskOutcome], journal: FlightJournal, poke: Callable[[], None]) -> None:
        """Take note of what has been stored for good."""
        for outcome in group:
            for attempt in outcome.attempts:
                journal.leave(attempt.flight)
        if any(outcome.status is TaskStatus.PENDING for outcome in group):
            poke()
        self._changed.set()

    async def enter(self, phase: Phase, reason: str, *, level: str = "info") -> None:
        """Move to a phase, telling why in words; nothing happens when both stand already."""
        if (phase, reason) == (self._phase, self._reason):
            return
        if phase is not self._phase:
            log.info("%s: %s", phase, reason)
        while True:
            try:
                await runs.set_phase(self._database, self._run_id, phase, reason)
                if phase is not self._phase:
                    await runs.add_event(self._database, self._run_id, level, _told(phase, reason))
                break
            except StoreTrouble as trouble:
                log.error("cannot store the phase: %s", trouble.message)
                await asyncio.sleep(1)
        self._phase, self._reason = phase, reason

    async def work(self, machinery: Machinery) -> Phase:
        """Work until the run is done, stopped or broken, and return the phase it ended in."""

        def shut() -> None:
            machinery.feeder.shut()
            machinery.gatekeeper.close()

        self._shut = shut
        beating = asyncio.create_task(self._beat(machinery))
        try:
            return await self._work(machinery)
        finally:
            beating.cancel()

    async def _beat(self, parts: Machinery) -> None:
        """Note in the journal that we live and what is wrong with the store; nothing of the store is needed for it."""
        while True:
            parts.standstill.look()
            waiting_s = self._database.waiting_s
            locked = f"another program has locked the workspace file for {waiting_s:.0f} s; waiting for it"
            trouble = parts.writer.trouble or parts.feeder.trouble or self._trouble
            parts.journal.beat(time.time(), trouble or (locked if waiting_s > _LONG_WAIT_S else ""))
            await asyncio.sleep(TICK_S)

    async def _work(self, parts: Machinery) -> Phase:
        while True:
            if (fault := self._fault or parts.crew.fault) is not None:
                log.error("a part of the engine broke", exc_info=fault)
                reason = f"a fault of the program: {fault!r}; the log has the details"
                await self.enter(Phase.FAILED, reason, level="error")
                return Phase.FAILED
            try:
                if (ended := await self._step(parts)) is not None:
                    return ended
                self._trouble = ""
            except StoreTrouble as trouble:
                if not self._trouble:
                    log.error("the store is in trouble: %s", trouble.message)
                self._trouble = trouble.message
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._changed.wait()
                # Commits come ten times a second; there is no need to look more often than that.
                await asyncio.sleep(0.05)

    async def _step(self, parts: Machinery) -> Phase | None:
        """Look once at wishes and facts and do what follows; return the phase in which the session ends, if it does."""
        wishes = await runs.wishes(self._database, self._run_id)
        self._apply(wishes, parts)
        if self._ending or wishes.intent is Intent.STOP:
            if await self._stopped(wishes, parts):
                return Phase.STOPPED
        elif wishes.intent is Intent.PAUSE:
            await self._pause(wishes, parts, "a person paused it")
        elif self._halt is not None:
            await self._pause(wishes, parts, self._halt.reason)
        elif await self._go_on(wishes, parts):
            return Phase.DONE
        await self._publish(parts)
        return None

    def _apply(self, wishes: Wishes, parts: Machinery) -> None:
        self.limits = wishes.limits
        cap = None if wishes.limits.budget_usd is None else to_nano(wishes.limits.budget_usd)
        parts.gatekeeper.set_cap(cap)
        parts.gatekeeper.set_concurrency(wishes.limits.concurrency)
        parts.gatekeeper.keyring.set_limits(wishes.limits)
        low, high = _CLAIM_AHEAD
        parts.feeder.batch = min(max(wishes.limits.concurrency, low), high)
        resumed = wishes.resumed_at != self._resumed_before
        raised = False
        if self._halt is not None and self._halt.by_budget and cap != self._halt_cap:
            raised = cap is None or cap > (self._halt_cap or 0)
        if self._halt is None or resumed or raised:
            self._halt, self._halt_cap, self._resumed_before = None, cap, wishes.resumed_at
        if resumed or raised:
            # Whoever resumes may have mended what was wrong, whether the engine had paused for it or not.
            parts.gatekeeper.keyring.revive()
            parts.breaker.reset()
            parts.outage.reset()

    async def _go_on(self, wishes: Wishes, parts: Machinery) -> bool:
        """Let the work flow; True when nothing is left to do."""
        self._cancelled = False
        waiting_for_approval = wishes.approved_at is None and self._pilot_size > 0
        at_rest = parts.board.busy == 0 and parts.feeder.at_rest and parts.writer.at_rest
        if at_rest and await parts.queue.next_due(pilot_only=False) is None:
            await self._publish(parts, resting="")
            return await self._finish()
        if waiting_for_approval and at_rest and await parts.queue.next_due(pilot_only=True) is None:
            await parts.feeder.close()
            result = await self._pilot_result()
            if self._phase is not Phase.AWAITING_APPROVAL:
                await self._publish(parts, resting=result)
            await self.enter(Phase.AWAITING_APPROVAL, result)
            return False
        if parts.outage.suspected:
            most = BROKEN_TASKS
            left = await parts.queue.count_left(at_most=most, pilot_only=waiting_for_approval)
            parts.outage.tasks_left = left if left < most else None
        if self._halt is not None:
            # It came while we looked; the gate that it shut stays so.
            return False
        if self._phase in (Phase.PAUSED, Phase.AWAITING_APPROVAL):
            parts.gatekeeper.keyring.restart_gently()
        parts.crew.resize(wishes.limits.concurrency)
        parts.gatekeeper.open()
        parts.feeder.open(pilot_only=waiting_for_approval)
        if waiting_for_approval:
            await self.enter(Phase.PILOT, await self._pilot_words())
        else:
            await self.enter(Phase.RUNNING, "")
        return False

    async def _pause(self, wishes: Wishes, parts: Machinery, reason: str) -> None:
        if await self._quiesced(wishes, parts):
            reason = self._pause_reason(parts, reason)
            if self._phase is not Phase.PAUSED:
                # Whoever sees the run paused must see what it had come to, not what was reserved a moment before.
                await self._publish(parts, resting=reason)
            await self.enter(Phase.PAUSED, reason, level="warning" if self._halt else "info")
        elif self._phase is not Phase.PAUSED:
            await self.enter(Phase.PAUSING, f"{reason}; requests in flight end first")

    async def _stopped(self, wishes: Wishes, parts: Machinery) -> bool:
        reason = self._ending or "a person stopped it"
        if not await self._quiesced(wishes, parts):
            await self.enter(Phase.STOPPING, f"{reason}; requests in flight end first")
            return False
        reason = f"{reason}; resume it whenever you like"
        await self._publish(parts, resting=reason)
        if not await runs.stop_if_wanted(self._database, self._run_id, reason, forced=bool(self._ending)):
            return False
        await runs.add_event(self._database, self._run_id, "info", _told(Phase.STOPPED, reason))
        self._phase, self._reason = Phase.STOPPED, reason
        log.info("stopped: %s", reason)
        return True

    async def _quiesced(self, wishes: Wishes, parts: Machinery) -> bool:
        """Start nothing more; True when nothing is in flight and all is stored."""
        parts.gatekeeper.close()
        await parts.feeder.close()
        parts.gatekeeper.call_off()
        parts.outage.call_off()
        if wishes.cancel_in_flight and not self._cancelled and wishes.intent is not Intent.RUN:
            self._cancelled = True
            parts.crew.cancel_tasks_at_work()
        return parts.board.busy == 0 and parts.feeder.at_rest and parts.writer.at_rest

    def _pause_reason(self, parts: Machinery, reason: str) -> str:
        """Return why the run pauses, once all is settled: only then is it known what the cap leaves."""
        gate, budget = parts.gatekeeper, parts.gatekeeper.budget
        if self._halt is None or not self._halt.by_budget or self.limits.budget_usd is None:
            return reason
        left = max(to_nano(self.limits.budget_usd) - budget.used, 0)
        needed, uncertain = gate.least_refused or 0, budget.uncertain
        return at_cap_words(self.limits.budget_usd, *map(to_dollars, (needed, left, uncertain)))

    async def _pilot_words(self) -> str:
        """Return what the pilot begins with, or goes on with where a pause or a resume had come between."""
        if self._phase is Phase.PILOT:
            return self._reason
        if (answered := (await reads.run_counts(self._database, self._run_id)).done) > 0:
            return f"going on with the first {self._pilot_size} pictures, {answered} answered by now"
        return f"asking {self._pilot_size} pictures first"

    async def _pilot_result(self) -> str:
        counts = await reads.run_counts(self._database, self._run_id)
        failed = f", {counts.failed} failed" if counts.failed else ""
        return f"the pilot is done: {counts.done} answered{failed}; look at it, then approve or stop"

    async def _finish(self) -> bool:
        counts = await reads.run_counts(self._database, self._run_id)
        told = (f"{counts.done} done", counts.failed and f"{counts.failed} failed")
        reason = ", ".join(part for part in (*told, counts.skipped and f"{counts.skipped} skipped") if part)
        if not await runs.finish_if_drained(self._database, self._run_id, reason):
            return False
        await runs.add_event(self._database, self._run_id, "info", f"done: {reason}")
        self._phase, self._reason = Phase.DONE, reason
        log.info("done: %s", reason)
        return True

    async def _publish(self, parts: Machinery, *, resting: str | None = None) -> None:
        """Publish how things stand; `resting` says why nothing moves any more, for a run that is about to rest."""
        while self._told:
            level, message = self._told[0]
            await runs.add_event(self._database, self._run_id, level, message)
            log.warning("%s", message)
            self._told.pop(0)
        await self._tell_of_cap(parts)
        slots = self.limits.concurrency
        working = self._phase in (Phase.PILOT, Phase.RUNNING)
        trouble = parts.writer.trouble or parts.feeder.trouble or (self._outage(parts) if working else "")
        due = parts.feeder.next_due
        parts.pulse.look()
        idle = why_idle(
            parts.board,
            parts.gatekeeper.keyring,
            slots=slots,
            next_due=to_wall(due) if due else due,
            trouble=trouble,
            line=parts.pulse.line,
        )
        if resting is not None:
            idle = resting
        elif not working and not trouble:
            idle = self._reason
        if parts.pulse.orphaned and not self._ending:
            self.end("the workspace was deleted")
        await parts.pulse.beat(
            why_idle=idle, slots=slots, working=working or parts.board.busy > 0, last=resting is not None
        )

    def _outage(self, parts: Machinery) -> str:
        return parts.outage.why(what_requests_wait_for(parts.board, parts.gatekeeper.keyring))

    async def _tell_of_cap(self, parts: Machinery) -> None:
        """Say once for each cap that most of it is used."""
        budget = parts.gatekeeper.budget
        if budget.cap is None or budget.cap == self._told_cap or not budget.is_nearly_used_up:
            return
        message = _told_of_cap(budget.used, budget.cap, budget.uncertain)
        if await tell_of_cap(self._database, self._run_id, budget.cap, message):
            log.warning("%s", message)
        self._told_cap = budget.cap


def _told_of_cap(used: int, cap: int, uncertain: int) -> str:
    """Return the words for a cap of which most is used, or all: it may have been lowered. Amounts in nano-dollars."""
    perhaps = f", ${to_dollars(uncertain):.4f} of it perhaps billed" if uncertain else ""
    share, then = (
        ("more than", "the run pauses") if used > cap else (f"{NEARLY_USED_UP:.0%} of", "at the cap the run pauses")
    )
    return f"{share} the budget of ${to_dollars(cap)} is used: ${to_dollars(used):.4f}{perhaps}; {then}"


def _told(phase: Phase, reason: str) -> str:
    words = phase.replace("_", " ")
    return f"{words}: {reason}" if reason else words
