"""The crew: as many workers side by side as a person allows, more or fewer while they work."""

import asyncio
from collections.abc import Awaitable, Callable

from vqa_tui.domain.work import ClaimedTask


class Crew:
    """Slots that each take a task, work it off and take the next."""

    def __init__(
        self, take: Callable[[], Awaitable[ClaimedTask]], handle: Callable[[ClaimedTask], Awaitable[None]]
    ) -> None:
        self._take = take
        self._handle = handle
        self._slots: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self.size = 0
        self.fault: Exception | None = None
        """What ended a slot that should not have ended, if anything did."""

    def resize(self, size: int) -> None:
        """Have `size` slots: idle ones beyond it end at once, the others after their present task."""
        self.size = size
        while len(self._slots) < size:
            self._slots.add(asyncio.create_task(self._work()))
        for slot in list(self._idle)[: max(len(self._slots) - size, 0)]:
            slot.cancel()
            self._idle.discard(slot)
            self._slots.discard(slot)

    def cancel_tasks_at_work(self) -> None:
        """Cancel the requests in flight; each puts its task back. `resize` fills the slots again."""
        for slot in self._slots - self._idle:
            slot.cancel()

    async def dismiss(self) -> None:
        """End all slots, cancelling what is still in flight."""
        self.size = 0
        slots = list(self._slots)
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)

    async def _work(self) -> None:
        slot = asyncio.current_task()
        assert slot is not None
        try:
            while len(self._slots) <= self.size:
                self._idle.add(slot)
                task = await self._take()
                self._idle.discard(slot)
                await self._handle(task)
        except Exception as error:
            # A fault of ours, not of the endpoint: the supervisor ends the run with it, and the log has the trace.
            self.fault = error
        finally:
            self._idle.discard(slot)
            self._slots.discard(slot)
