"""Admission: a request goes out only with a key that may be used and with its money set aside."""

import asyncio
from collections import deque
from dataclasses import dataclass

from vqa_tui.domain.quota import UNSIZED, RequestSize
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget, Reservation
from vqa_tui.engine.keyring import Keyring, Loan, NotNow


class BudgetReached(Exception):
    """The cap cannot take one more request, even when everything in flight has settled."""

    def __init__(self, needed: int, left: int) -> None:
        super().__init__(needed, left)
        self.needed = needed
        """What one more request may cost, in nano-dollars."""
        self.left = left
        """What the cap leaves, in nano-dollars."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to send one request: a key, and nano-dollars set aside."""

    loan: Loan
    reservation: Reservation

    @property
    def reserved(self) -> int:
        return self.reservation.amount


class Gatekeeper:
    """Admits requests one by one, and settles them when they are over."""

    def __init__(self, keyring: Keyring, budget: Budget, board: Board) -> None:
        self.keyring = keyring
        self.budget = budget
        self.closed = False
        """Whether nothing is admitted: the run pauses, stops, or is about to."""
        self.least_refused: int | None = None
        """The least that one of the requests may cost that the cap did not take, and of those that were at hand when it
        closed the gate; None while it took all."""
        self._board = board
        self._most: int | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def admit(self, estimate: int, size: RequestSize = UNSIZED) -> Admission:
        """Wait until a request of `size` that costs `estimate` nano-dollars at most may be sent.

        Raises BudgetReached, NoKeyLeft, or NotNow when the gate is closed, at once or meanwhile.
        """
        waited = False
        try:
            if self.closed:
                raise NotNow
            while True:
                # Room is looked for before a key is: a key that is taken and given back for want of money moves its
                # quotas to and fro, and may tell that a day is used up.
                if self._has_room(estimate):
                    loan = await self._key(size)
                    reservation = self._reserved(estimate)
                    if reservation is not None:
                        return Admission(loan, reservation)
                    self.keyring.give_back(loan)
                amount = self.budget.amount_for(estimate)
                if self.budget.is_used_up(amount):
                    left = (self.budget.cap or 0) - self.budget.spent - self.budget.uncertain
                    self._note_refused(amount)
                    raise BudgetReached(amount, max(left, 0))
                await self._room(first=waited)
                waited = True
        except NotNow:
            if self.least_refused is not None:
                self._note_refused(self.budget.amount_for(estimate))
            raise
        finally:
            # One at a time: whoever got on, or gave up, lets the next one look.
            self._wake_next()

    def try_admit(self, estimate: int, size: RequestSize = UNSIZED) -> Admission | None:
        """Admit as `admit` does if that needs no waiting and nobody waits; else None, and nothing has happened."""
        if self.closed or self._waiting or not self._has_room(estimate):
            return None
        loan = self.keyring.try_borrow(size)
        if loan is None:
            return None
        reservation = self._reserved(estimate)
        if reservation is None:
            self.keyring.give_back(loan)
            return None
        return Admission(loan, reservation)

    def settle(self, admission: Admission, *, actual: int, uncertain: int, answered: bool = False) -> bool:
        """Replace what was set aside by what the request cost, in nano-dollars; see Budget.settle."""
        plausible = self.budget.settle(admission.reservation, actual=actual, uncertain=uncertain, answered=answered)
        self._wake_next()
        return plausible

    def give_back(self, admission: Admission) -> None:
        """Take back the leave for a request that was not sent."""
        self.keyring.give_back(admission.loan)
        self.settle(admission, actual=0, uncertain=0)

    def set_cap(self, cap: int | None) -> None:
        """Change the cap, in nano-dollars; None is no cap."""
        if cap != self.budget.cap:
            self.budget.cap = cap
            self._wake_next()

    def set_concurrency(self, most: int) -> None:
        """Change the most requests in flight over all keys, second requests of stragglers included."""
        if most != self._most:
            self._most = most
            self._wake_next()

    def close(self) -> None:
        """Admit nothing until `open`, and send everybody who waits away with NotNow."""
        self.closed = True
        self.call_off()

    def open(self) -> None:
        """Admit again."""
        if self.closed:
            self.least_refused = None
        self.closed = False

    def call_off(self) -> None:
        """Send everybody who waits away with NotNow."""
        self.keyring.call_off()
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(NotNow())

    def _note_refused(self, amount: int) -> None:
        self.least_refused = amount if self.least_refused is None else min(self.least_refused, amount)

    async def _key(self, size: RequestSize) -> Loan:
        self._board.waiting_for_key += 1
        try:
            loan = await self.keyring.borrow(size)
        finally:
            self._board.waiting_for_key -= 1
        if self.closed:
            # It was lent just before the gate closed.
            self.keyring.give_back(loan)
            raise NotNow
        return loan

    @property
    def _has_slot(self) -> bool:
        return self._most is None or self.budget.in_flight < self._most

    def _has_room(self, estimate: int) -> bool:
        return self._has_slot and self.budget.has_room(self.budget.amount_for(estimate))

    def _reserved(self, estimate: int) -> Reservation | None:
        return self.budget.reserve(estimate) if self._has_slot else None

    def _wake_next(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return

    async def _room(self, *, first: bool) -> None:
        """Wait until it is worth looking for room; `first` stands before the others, because it has waited before."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(future)
        else:
            self._waiting.append(future)
        board, for_slot = self._board, not self._has_slot
        board.waiting_for_key += for_slot
        board.waiting_for_budget += not for_slot
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._wake_next()
            raise
        finally:
            board.waiting_for_key -= for_slot
            board.waiting_for_budget -= not for_slot
        if self.closed:
            raise NotNow
