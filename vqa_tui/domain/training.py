"""A fine-tuning job as faces list it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """One training of the workspace. Times are Unix seconds."""

    id: int
    at_work: bool
    """Whether its process lives: the lock is held."""
    started_at: float
    written_at: float | None
    """When its log was last written to; None where there is none yet."""
    log_bytes: int
