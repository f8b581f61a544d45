"""The hard cap: money is reserved before a request and settled after it, so the cap is never passed."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """All amounts in nano-dollars.

    `uncertain` may have been billed without a usage report, so it counts against the cap.
    """

    cap: int | None
    spent: int = 0
    uncertain: int = 0
    reserved: int = 0
    worst_ratio: float = field(default=1.0)
    """Largest actual cost ÷ estimate seen; estimates are scaled by it, so that they stay upper bounds."""

    def amount_for(self, estimate: int) -> int:
        """Return what to reserve for a request estimated at `estimate`."""
        return int(estimate * self.worst_ratio + 0.999999)

    def fits(self, amount: int) -> bool:
        return self.cap is None or self.spent + self.uncertain + self.reserved + amount <= self.cap

    def reserve(self, amount: int) -> bool:
        """Set `amount` aside; False, and nothing is set aside, when the cap would be passed."""
        if not self.fits(amount):
            return False
        self.reserved += amount
        return True

    def settle(self, amount: int, *, actual: int = 0, uncertain: int = 0) -> None:
        """Replace a reservation of `amount` by what the request really cost."""
        self.reserved -= amount
        self.spent += actual
        self.uncertain += uncertain
        if amount > 0 and actual > amount:
            self.worst_ratio = max(self.worst_ratio, self.worst_ratio * actual / amount)

    def is_used_up(self, amount: int) -> bool:
        """Tell whether `amount` cannot fit even after everything in flight has settled at nothing."""
        return self.cap is not None and self.spent + self.uncertain + amount > self.cap
