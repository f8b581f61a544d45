"""Admission: a request goes out only with a key that may be used and with its money set aside."""

import asyncio
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
        self._board = board
        self._waiting: list[asyncio.Future[None]] = []

    async def admit(self, estimate: int, size: RequestSize = UNSIZED) -> Admission:
        """Wait until a request of `size` that costs `estimate` nano-dollars at most may be sent.

        Raises BudgetReached, NoKeyLeft, or NotNow when the run pauses meanwhile.
        """
        while True:
            self._board.waiting_for_key += 1
            try:
                loan = await self.keyring.borrow(size)
            finally:
                self._board.waiting_for_key -= 1
            amount = self.budget.amount_for(estimate)
            reservation = self.budget.reserve(amount)
            if reservation is not None:
                return Admission(loan, reservation)
            self.keyring.give_back(loan)
            if self.budget.is_used_up(amount):
                left = (self.budget.cap or 0) - self.budget.spent - self.budget.uncertain
                raise BudgetReached(amount, max(left, 0))
            await self._settlement()

    def settle(self, admission: Admission, *, actual: int, uncertain: int) -> None:
        self.budget.settle(admission.reservation, actual=actual, uncertain=uncertain)
        self._look_again()

    def give_back(self, admission: Admission) -> None:
        """Take back the leave for a request that was not sent."""
        self.keyring.give_back(admission.loan)
        self.settle(admission, actual=0, uncertain=0)

    def set_cap(self, cap: int | None) -> None:
        """Change the cap, in nano-dollars; None is no cap."""
        if cap != self.budget.cap:
            self.budget.cap = cap
            self._look_again()

    def call_off(self) -> None:
        """Send everybody who waits away with NotNow."""
        self.keyring.call_off()
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_exception(NotNow())

    def _look_again(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _settlement(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._board.waiting_for_budget += 1
        try:
            await future
        finally:
            self._board.waiting_for_budget -= 1
