"""The feeder: claims pending tasks in batches, a little ahead of the workers."""

import asyncio
import logging
from collections import deque

from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import ClaimedTask, TaskOutcome
from vqa_tui.engine.clock import steady_time
from vqa_tui.engine.writer import Writer
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.queue import TaskQueue

_LONGEST_SLEEP_S = 1.0
"""Faces may requeue tasks at any time, so an idle feeder looks again this often."""
_TROUBLE_SLEEP_S = 2.0


log = logging.getLogger(__name__)


class Feeder:
    """Keeps a small buffer of leased tasks while its gate is open."""

    def __init__(self, queue: TaskQueue, writer: Writer) -> None:
        self._queue = queue
        self._writer = writer
        self._buffer: deque[ClaimedTask] = deque()
        self._available = asyncio.Semaphore(0)
        self._wanted = asyncio.Event()
        self._gate = asyncio.Event()
        self._poked = asyncio.Event()
        self._claiming = False
        self.pilot_only = False
        self.batch = 16
        self.trouble = ""
        """Why nothing can be claimed at present, in words; '' while all is well."""
        self.next_due: float | None = 0.0
        """When the next pending task may be asked (of steady_time, 0 = now); None when none is pending."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing is claimed ahead and nothing is being claimed."""
        return not self._buffer and not self._claiming

    def open(self, *, pilot_only: bool) -> None:
        """Claim from now on: any task, or only those of the pilot."""
        if self._gate.is_set() and self.pilot_only == pilot_only:
            return
        self.pilot_only = pilot_only
        self.next_due = 0.0
        self._gate.set()
        self._wanted.set()
        self._poked.set()

    def poke(self) -> None:
        """Look at once: a task has come back, or a person requeued some."""
        self._poked.set()

    async def close(self) -> None:
        """Claim nothing more and put back what was claimed ahead."""
        self._gate.clear()
        while self._buffer:
            await self._writer.submit(TaskOutcome(self._buffer.popleft().id, TaskStatus.PENDING))

    def shut(self) -> None:
        """Hand out nothing more from this moment; `close` then puts back what is left."""
        self._gate.clear()

    async def take(self) -> ClaimedTask:
        """Wait for a task."""
        while True:
            await self._gate.wait()
            await self._available.acquire()
            if not self._gate.is_set():
                self._available.release()
            elif self._buffer:
                task = self._buffer.popleft()
                if len(self._buffer) <= self.batch // 2:
                    self._wanted.set()
                return task

    async def work(self) -> None:
        """Claim until cancelled."""
        while True:
            await self._gate.wait()
            await self._wanted.wait()
            self._poked.clear()
            tasks = await self._claim()
            if self.trouble:
                await asyncio.sleep(_TROUBLE_SLEEP_S)
                continue
            if not self._gate.is_set():
                await self.close()
                continue
            if len(self._buffer) > self.batch // 2:
                self._wanted.clear()
            if len(tasks) < self.batch:
                await self._look_ahead()
                await self._sleep()
            else:
                self.next_due = 0.0

    async def _look_ahead(self) -> None:
        try:
            self.next_due = await self._queue.next_due(pilot_only=self.pilot_only)
        except StoreTrouble as trouble:
            self.trouble = trouble.message

    async def _claim(self) -> list[ClaimedTask]:
        self._claiming = True
        try:
            tasks = await self._queue.claim(self.batch, now=steady_time(), pilot_only=self.pilot_only)
        except StoreTrouble as trouble:
            if not self.trouble:
                log.error("cannot claim: %s", trouble.message)
            self.trouble = trouble.message
            return []
        finally:
            self._claiming = False
        self.trouble = ""
        self._buffer.extend(tasks)
        for _ in tasks:
            self._available.release()
        return tasks

    async def _sleep(self) -> None:
        wait = _LONGEST_SLEEP_S
        if self.next_due is not None:
            wait = min(max(self.next_due - steady_time(), 0.005), wait)
        try:
            async with asyncio.timeout(wait):
                await self._poked.wait()
        except TimeoutError:
            return
