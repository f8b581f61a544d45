"""Verdicts on their way to the workspace file: written in the background, one after the other, none lost in silence."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vqa_tui.domain.review import JudgedMeanwhile, Judgement, PairGone
from vqa_tui.tui.toasts import error_words
from vqa_tui.tui.wishes import Wishes

RETRY_S = 2.0
"""Seconds between two tries to write a verdict that the file refused."""


@dataclass(frozen=True, slots=True)
class WriteTrouble:
    """A verdict could not be written: `kept` ones are tried again, the others can never be written."""

    judgement: Judgement
    words: str
    kept: bool


class VerdictWriter:
    """Writes what it is given in order. What the file refuses now stays first in the line and is tried again."""

    def __init__(
        self,
        write: Callable[[int, Judgement], Awaitable[None]],
        wishes: Wishes,
        *,
        written: Callable[[Judgement], None],
        trouble: Callable[[WriteTrouble], None],
    ) -> None:
        self._write, self._wishes = write, wishes
        self._written, self._trouble = written, trouble
        self._line: deque[tuple[int, Judgement]] = deque()
        self._at_work: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        wishes.finish_first(self.written_all)

    @property
    def pending(self) -> int:
        """How many verdicts are not written yet."""
        return len(self._line)

    def put(self, run_id: int, judgement: Judgement) -> None:
        """Have a judgement written as soon as those before it are."""
        self._line.append((run_id, judgement))
        self._nudge()

    async def written_all(self) -> None:
        """Wait until everything is written; what was refused is tried at once."""
        while self._line:
            self._nudge()
            if self._at_work is not None:
                await asyncio.wait([self._at_work], timeout=0.1)

    def _nudge(self) -> None:
        self._nudged.set()
        if self._at_work is None or self._at_work.done():
            # A task of its own and no worker of a screen: leaving the screen must not cut off a write.
            self._at_work = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        told = False
        while self._line:
            run_id, judgement = self._line[0]
            with self._wishes.carry_out(run_id, "review", "verdicts of the review"):
                try:
                    await self._write(run_id, judgement)
                except (PairGone, JudgedMeanwhile) as error:
                    self._line.popleft()
                    self._trouble(WriteTrouble(judgement, error_words(error), kept=False))
                    continue
                except Exception as error:  # Whatever it is, the verdict stays in the line and the person is told.
                    if not told:
                        told = True
                        self._trouble(WriteTrouble(judgement, error_words(error), kept=True))
                    await self._rest()
                    continue
                told = False
                self._line.popleft()
            self._written(judgement)

    async def _rest(self) -> None:
        """Wait before the next try, or until somebody judges another pair or wants to leave."""
        self._nudged.clear()
        try:
            async with asyncio.timeout(RETRY_S):
                await self._nudged.wait()
        except TimeoutError:
            return
