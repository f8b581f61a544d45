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

    @property
    def paid(self) -> bool:
        """Whether money was spent on it, or may have been."""
        return self.spent > 0 or self.uncertain > 0


@dataclass(frozen=True, slots=True)
class DeletedRuns:
    """All runs that were deleted from a workspace; money in dollars."""

    runs: int = 0
    spent: Decimal = Decimal(0)
    uncertain: Decimal = Decimal(0)
    """What may have been billed beside, of requests whose reply never came."""

    @property
    def paid(self) -> bool:
        """Whether money was spent on them, or may have been."""
        return self.spent > 0 or self.uncertain > 0


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
