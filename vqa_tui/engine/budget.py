"""The hard cap: money is set aside before a request and settled after it.

Spent, uncertain and set aside together never pass the cap as long as estimates are upper bounds, however many requests
are in flight. Where a reply proves one too low, everything that is set aside at that moment is raised by the same
share, and so is every later estimate. So what can pass the cap is only what requests cost beyond their bounds, and only
of those that were in flight when a share that large was first seen; the next one is not let out. Until the first reply
has shown what requests really cost, there are only a few of them.
"""

from dataclasses import dataclass, field

NEARLY_USED_UP = 0.8
"""Share of the cap from which on a person is told that it comes near."""
UNPROVEN_IN_FLIGHT = 2
"""Requests in flight at once, under a cap, before the first one has settled."""


@dataclass(slots=True, eq=False)
class Reservation:
    """Nano-dollars set aside for one request."""

    amount: int


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
    """Whether a reply has shown what requests cost."""
    reserved: int = 0
    _reservations: set[Reservation] = field(default_factory=set)

    def amount_for(self, estimate: int) -> int:
        """Return what to set aside for a request estimated at `estimate`."""
        return int(estimate * self.worst_ratio + 0.999999)

    def reserve(self, amount: int) -> Reservation | None:
        """Set `amount` aside; None, and nothing is set aside, when the cap would be passed."""
        if self.cap is not None:
            if not self.proven and len(self._reservations) >= UNPROVEN_IN_FLIGHT:
                return None
            if self.spent + self.uncertain + self.reserved + amount > self.cap:
                return None
        reservation = Reservation(amount)
        self._reservations.add(reservation)
        self.reserved += amount
        return reservation

    def settle(self, reservation: Reservation, *, actual: int = 0, uncertain: int = 0) -> None:
        """Replace a reservation by what the request really cost."""
        self._reservations.remove(reservation)
        self.reserved -= reservation.amount
        self.spent += actual
        self.uncertain += uncertain
        self.proven = self.proven or actual > 0 or uncertain > 0
        if 0 < reservation.amount < actual:
            excess = actual / reservation.amount
            self.worst_ratio *= excess
            for other in self._reservations:
                other.amount = int(other.amount * excess + 0.999999)
            self.reserved = sum(other.amount for other in self._reservations)

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
