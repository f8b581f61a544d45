"""The hard cap: money is set aside before a request and settled after it.

Spent, uncertain and set aside together never pass the cap as long as estimates are upper bounds, however many requests
are in flight. Where a reply proves one too low, everything that is set aside at that moment is raised by the same
share, and so is every later estimate. So what can pass the cap is only what requests cost beyond their bounds, and only
of those that were in flight when a share that large was first seen; the next one is not let out. Until the first answer
has shown what requests really cost, there are only a few of them; a failure shows nothing.

A report beyond all reason (IMPLAUSIBLE) is booked and counts against the cap, but nothing is concluded from it: one
such figure would otherwise leave room for hardly a request for the rest of the run.
"""

import math
from dataclasses import dataclass, field

from vqa_tui.domain.cost import IMPLAUSIBLE

NEARLY_USED_UP = 0.8
"""Share of the cap from which on a person is told that it comes near."""
UNPROVEN_IN_FLIGHT = 2
"""Requests in flight at once, under a cap, before the first one has been answered."""


@dataclass(slots=True, eq=False)
class Reservation:
    """Nano-dollars set aside for one request."""

    estimate: int
    """What it was believed to cost at most."""
    amount: int
    """What is held for it, which grows when others have cost more than was believed."""


@dataclass(slots=True)
class Budget:
    """All amounts in nano-dollars.

    `uncertain` may have been billed without a usage report, so it counts against the cap.
    """

    cap: int | None
    spent: int = 0
    uncertain: int = 0
    worst_ratio: float = 1.0
    """Largest actual cost ÷ estimate seen; estimates are scaled by it, so that they stay upper bounds."""
    proven: bool = False
    """Whether an answer has shown what requests cost."""
    reserved: int = 0
    _reservations: set[Reservation] = field(default_factory=set)

    def amount_for(self, estimate: int) -> int:
        """Return what to set aside for a request estimated at `estimate`."""
        return estimate if self.worst_ratio == 1 else math.ceil(estimate * self.worst_ratio)

    @property
    def in_flight(self) -> int:
        """Requests for which money is set aside, be it none because they are free."""
        return len(self._reservations)

    def has_room(self, amount: int) -> bool:
        """Whether `amount` can be set aside at this moment."""
        if self.cap is None:
            return True
        if amount and not self.proven and len(self._reservations) >= UNPROVEN_IN_FLIGHT:
            return False
        return self.spent + self.uncertain + self.reserved + amount <= self.cap

    def reserve(self, estimate: int) -> Reservation | None:
        """Set aside what `estimate` comes to; None, and nothing is set aside, when the cap would be passed."""
        amount = self.amount_for(estimate)
        if not self.has_room(amount):
            return None
        reservation = Reservation(estimate, amount)
        self._reservations.add(reservation)
        self.reserved += amount
        return reservation

    def settle(self, reservation: Reservation, *, actual: int = 0, uncertain: int = 0, answered: bool = False) -> bool:
        """Replace a reservation by what the request really cost; `answered` tells whether the model replied.

        Returns False where the cost is beyond all reason, so that nothing was concluded from it.
        """
        self._reservations.remove(reservation)
        self.reserved -= reservation.amount
        self.spent += actual
        self.uncertain += uncertain
        if 0 < reservation.amount * IMPLAUSIBLE < actual:
            return False
        self.proven = self.proven or answered or actual > 0
        if reservation.estimate and actual / reservation.estimate > self.worst_ratio:
            self.worst_ratio = actual / reservation.estimate
            for other in self._reservations:
                other.amount = self.amount_for(other.estimate)
            self.reserved = sum(other.amount for other in self._reservations)
        return True

    @property
    def used(self) -> int:
        """What counts against the cap for good."""
        return self.spent + self.uncertain

    @property
    def is_nearly_used_up(self) -> bool:
        return self.cap is not None and self.used >= self.cap * NEARLY_USED_UP

    def is_used_up(self, amount: int) -> bool:
        """Tell whether `amount` cannot fit even after everything in flight has settled at nothing."""
        return self.cap is not None and self.spent + self.uncertain + amount > self.cap
