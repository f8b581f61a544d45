"""What a run holds and would take with it, and what the deleted ones had cost."""

from dataclasses import dataclass
from decimal import Decimal

from vqa_tui.domain.part import PICTURE


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
    unit: str = PICTURE
    """What its tasks are called."""
    price_known: bool = True
    """Whether its endpoint has prices, so that `spent` says anything."""

    @property
    def paid(self) -> bool:
        """Whether money was spent on it, or may have been: what has no known price may have had one."""
        return self.spent > 0 or self.uncertain > 0 or (self.attempts > 0 and not self.price_known)


@dataclass(frozen=True, slots=True)
class DeletedRuns:
    """All runs that were deleted from a workspace; money in dollars."""

    runs: int = 0
    spent: Decimal = Decimal(0)
    uncertain: Decimal = Decimal(0)
    """What may have been billed beside, of requests whose reply never came."""
    unpriced: int = 0
    """How many of them asked an endpoint without prices, so that nobody knows what they had cost."""

    @property
    def paid(self) -> bool:
        """Whether money was spent on them, or may have been."""
        return self.spent > 0 or self.uncertain > 0 or self.unpriced > 0


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """What stays known of one deleted run; money in dollars, times in Unix seconds."""

    id: int
    name: str
    dataset: str
    recipe: str
    endpoint: str
    model: str
    created_at: float
    deleted_at: float
    who: str
    pictures: int
    attempts: int
    pairs: int
    spent: Decimal
    uncertain: Decimal
    price_known: bool = True
    """As in RunContents."""
