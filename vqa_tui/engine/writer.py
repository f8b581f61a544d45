"""The one writer: results are committed in groups, and only then counted."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store.db import StoreTrouble, Unstorable

GROUP_SIZE = 64
GROUP_DELAY_S = 0.1
BACKLOG = 1024
RETRY_S = (1.0, 2.0, 5.0, 10.0)
"""Seconds between the tries to reach a store in trouble."""
_REFUSED = "the result could not be stored; the engine's log has it"

log = logging.getLogger(__name__)


class Settles(Protocol):
    """Where results are stored: store.queue.TaskQueue."""

    async def settle(self, outcomes: Sequence[TaskOutcome]) -> None: ...


class Writer:
    """Collects outcomes and commits at most GROUP_SIZE of them at once, GROUP_DELAY_S after the first at the latest.

    A commit that fails (a full disk, say) is tried again until it succeeds: paid replies wait in memory meanwhile and
    `trouble` says so.
    """

    def __init__(self, queue: Settles, committed: Callable[[Sequence[TaskOutcome]], None]) -> None:
        self._queue = queue
        self._committed = committed
        self._pending: list[TaskOutcome] = []
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.trouble = ""
        """Why nothing can be stored at present, in words; '' while all is well."""
        self.healthy = asyncio.Event()
        """Set while results can be stored; nothing more is asked while they cannot."""
        self.healthy.set()

    async def submit(self, outcome: TaskOutcome) -> None:
        """Hand over an outcome; waits only while BACKLOG outcomes are uncommitted."""
        self._pending.append(outcome)
        self._idle.clear()
        self._arrived.set()
        if len(self._pending) >= GROUP_SIZE:
            self._full.set()
        if len(self._pending) >= BACKLOG:
            self._room.clear()
        await self._room.wait()

    @property
    def at_rest(self) -> bool:
        """Whether everything handed over has been committed."""
        return self._idle.is_set()

    async def drained(self) -> None:
        """Wait until everything handed over has been committed."""
        self._full.set()
        await self._idle.wait()

    async def work(self) -> None:
        """Commit groups until cancelled."""
        while True:
            await self._arrived.wait()
            if len(self._pending) < GROUP_SIZE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), GROUP_DELAY_S)
            self._full.clear()
            group = self._pending[:GROUP_SIZE]
            await self._commit(group)
            del self._pending[: len(group)]
            self._committed(group)
            if len(self._pending) < BACKLOG:
                self._room.set()
            if not self._pending:
                self._arrived.clear()
                self._idle.set()
            elif len(self._pending) >= GROUP_SIZE:
                self._full.set()

    async def _commit(self, group: Sequence[TaskOutcome]) -> None:
        tries = 0
        while True:
            try:
                await self._queue.settle(group)
            except StoreTrouble as error:
                if isinstance(error, Unstorable) and not _is_refusal(group):
                    await self._commit_one_by_one(group)
                    break
                wait = RETRY_S[min(tries, len(RETRY_S) - 1)]
                tries += 1
                self.healthy.clear()
                self.trouble = f"{error.message}; {len(self._pending)} results wait in memory, trying again"
                log.error("%s in %.0f s", self.trouble, wait)
                await asyncio.sleep(wait)
            else:
                break
        self.trouble = ""
        self.healthy.set()

    async def _commit_one_by_one(self, group: Sequence[TaskOutcome]) -> None:
        """Store what can be stored; a result that the schema refuses fails its task, with its cost, and is logged."""
        if len(group) > 1:
            for outcome in group:
                await self._commit([outcome])
            return
        (outcome,) = group
        log.error("a result cannot be stored, so its task fails: %r", outcome)
        failed = TaskOutcome(
            outcome.task_id,
            TaskStatus.FAILED,
            _refused(outcome.attempt),
            True,
            kind=FailureKind.BAD_REPLY,
            problem=_REFUSED,
            hedge=_refused(outcome.hedge),
            attempt_alone=outcome.attempt_alone,
        )
        await self._commit([failed])


def _refused(attempt: AttemptRecord | None) -> AttemptRecord | None:
    return replace(attempt, kind=FailureKind.BAD_REPLY, message=_REFUSED) if attempt is not None else None


def _is_refusal(group: Sequence[TaskOutcome]) -> bool:
    """Tell whether this is the failure in place of a refused result: if not even that can be stored, we must wait."""
    return len(group) == 1 and group[0].problem == _REFUSED
