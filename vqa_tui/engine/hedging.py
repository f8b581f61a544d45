"""Hedging: a request that takes unusually long gets a second one beside it, and the first good reply counts.

Both are paid. So the slower one is never cut off to save money, because a provider bills what it has begun and only
the reply tells how much: it ends by itself, bounded by the endpoint's total timeout, and is recorded with its usage.
Its task does not wait for it. Its worker does, so that stragglers never pile up beside the slots that a person allows.
"""

import asyncio

from vqa_tui.domain.failure import POLICY
from vqa_tui.domain.work import Purpose
from vqa_tui.engine.admission import Admission
from vqa_tui.engine.asking import Asked, Asker, Question
from vqa_tui.engine.bench import Bench
from vqa_tui.engine.board import Board
from vqa_tui.engine.clock import elapsed_time

LEAST_OBSERVED = 50
"""Replies below which nobody can say what takes unusually long."""
SHORTEST_PATIENCE_S = 1.0
_TIMES = 2.0
"""Times the 99th percentile of the recent latencies."""
_LOOK_AGAIN_S = 1.0
"""A straggler for which there is no room is looked at again after so long."""


class Patience:
    """How long a reply may take until it is a straggler, by the recent latencies."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._known: float | None = None
        self._known_at = float("-inf")

    def seconds(self, now: float) -> float | None:
        """Return the seconds, or None while nobody can say; `now` is of elapsed_time."""
        # Sorting the latencies anew for every request would cost more than all the rest of hedging.
        if now - self._known_at >= _LOOK_AGAIN_S:
            board, self._known_at = self._board, now
            usual = board.percentile_ms(0.99) if len(board.latencies_ms) >= LEAST_OBSERVED else None
            self._known = None if usual is None else max(_TIMES * usual / 1000, SHORTEST_PATIENCE_S)
        return self._known


class Race:
    """One question, asked a second time if its reply lets wait for it. `decided` first, then `straggler`.

    Neither raises when its caller is cancelled: the requests are then cancelled too, `cancelled` is set, and what has
    become of them is returned.
    """

    def __init__(self, bench: Bench, asker: Asker, patience: Patience, question: Question) -> None:
        self._bench = bench
        self._asker = asker
        self._patience = patience
        self._question = question
        self._started = elapsed_time()
        self._look_at = 0.0
        self._first: asyncio.Task[Asked | None] | None = None
        self._requests: list[asyncio.Task[Asked | None]] = []
        self.cancelled = False

    async def decided(self, admission: Admission, *, probe: bool) -> tuple[Asked, Asked | None] | None:
        """Ask, and return how the request ended that decides about the task, and the other if that has ended too; None
        when the run paused before the first was sent."""
        self._first = asyncio.create_task(self._ask_first(admission, probe=probe))
        self._requests.append(self._first)
        while not self._is_decided():
            self._hedge_if_straggling()
            await self._wait(self._until_next_look())
        results = sorted(self._ended(), key=_usefulness)
        self._requests = [request for request in self._requests if not request.done()]
        if not results:
            return None
        return results[0], results[1] if len(results) > 1 else None

    def cancel(self) -> None:
        """Cancel what is still under way; `straggler` then returns what has become of it."""
        self.cancelled = True
        for request in self._requests:
            request.cancel()

    async def straggler(self) -> Asked | None:
        """Wait for the request that came too late and return how it ended; None when there is none."""
        while any(not request.done() for request in self._requests):
            await self._wait(None)
        return self._requests.pop().result() if self._requests else None

    def _ended(self) -> list[Asked]:
        return [asked for request in self._requests if request.done() and (asked := request.result()) is not None]

    def _is_decided(self) -> bool:
        self._requests = [request for request in self._requests if not (request.done() and request.result() is None)]
        ended = self._ended()
        return len(ended) == len(self._requests) or any(asked.failure is None for asked in ended)

    def _hedge_if_straggling(self) -> None:
        bench, now = self._bench, elapsed_time()
        patience = self._patience.seconds(now)
        if len(self._requests) > 1 or self.cancelled or now < self._look_at or patience is None:
            return
        quiet = bench.may_hedge() and bench.writer.healthy.is_set() and not bench.outage.active
        if quiet and self._has_slot and now - self._started >= patience:
            self._look_at = now + _LOOK_AGAIN_S
            self._requests.append(asyncio.create_task(self._ask_beside()))

    @property
    def _has_slot(self) -> bool:
        """Whether one more request stays within what a person allows over all keys."""
        return self._bench.board.asking < self._bench.limits().concurrency

    def _until_next_look(self) -> float | None:
        if len(self._requests) > 1 or self.cancelled:
            return None
        now = elapsed_time()
        patience = self._patience.seconds(now)
        if patience is None:
            return _LOOK_AGAIN_S
        due = max(self._started + patience, self._look_at) - now
        return due if due > 0 else _LOOK_AGAIN_S

    async def _wait(self, timeout_s: float | None) -> None:
        try:
            await asyncio.wait(self._requests, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.cancel()

    async def _ask_first(self, admission: Admission, *, probe: bool) -> Asked | None:
        """Ask, unless the gate has closed between the admission and this step of the event loop."""
        bench = self._bench
        if bench.gatekeeper.closed:
            bench.gatekeeper.give_back(admission)
            if probe:
                bench.outage.pass_on()
            return None
        return await self._asker.ask(self._question, admission, probe=probe)

    async def _ask_beside(self) -> Asked | None:
        """Ask a second time if key, quotas, throttle and money have room for it at this moment; None if not."""
        if self._first is None or self._first.done() or not self._has_slot:
            # Its reply has come meanwhile.
            return None
        estimate = self._question.estimate
        admission = self._bench.gatekeeper.try_admit(estimate.upper_bound_nano, estimate.size)
        if admission is None:
            return None
        return await self._asker.ask(self._question, admission, purpose=Purpose.HEDGE)


def _usefulness(asked: Asked) -> int:
    """Sort a good reply first, then what is final, then the rest."""
    if asked.failure is None:
        return 0
    return 1 if POLICY[asked.failure.kind].final else 2
