"""What a run holds and would take with it, and what the deleted ones had cost."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RunContents:
    """What is gone when a run is deleted; money in dollars."""

    name: str
    pictures: int
    """Tasks, whatever became of them."""
    attempts: int
    pairs: int
    verdicts: int
    """Pairs that a person has judged."""
    spent: Decimal
    uncertain: Decimal

    @property
    def paid(self) -> bool:
        """Whether money was spent on it, or may have been."""
        return self.spent > 0 or self.uncertain > 0


@dataclass(frozen=True, slots=True)
class DeletedRuns:
    """All runs that were deleted from a workspace."""

    runs: int = 0
    spent: Decimal = Decimal(0)
