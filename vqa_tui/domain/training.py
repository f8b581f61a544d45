"""A fine-tuning job: what becomes of it, and what its process writes about itself."""

from dataclasses import dataclass
from enum import StrEnum


class TrainingPhase(StrEnum):
    """What the processes of a training say about it; faces never write it."""

    QUEUED = "queued"
    """Its process waits for a device that another training uses."""
    STARTING = "starting"
    """Libraries, model and data are being loaded."""
    TRAINING = "training"
    STOPPING = "stopping"
    """A person wants it to end: the step is finished and a checkpoint written."""
    SAVING = "saving"
    DONE = "done"
    STOPPED = "stopped"
    """Ended before its last step by a person, with a checkpoint to go on from."""
    CANCELLED = "cancelled"
    """Ended at once by a person."""
    FAILED = "failed"

    @property
    def is_live(self) -> bool:
        """Whether a process ought to be there."""
        return self not in _ENDED


_ENDED = frozenset({TrainingPhase.DONE, TrainingPhase.STOPPED, TrainingPhase.CANCELLED, TrainingPhase.FAILED})


class TrainingWish(StrEnum):
    """What a person wants of a training; only faces write it."""

    RUN = "run"
    STOP = "stop"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """One training of the workspace. Times are Unix seconds."""

    id: int
    name: str
    model: str
    backend: str
    device: str
    """What it takes a place on, so that trainings on the same device go one after the other."""
    phase: TrainingPhase
    reason: str
    """Why it is in that phase, in a sentence; empty where the phase says it."""
    wish: TrainingWish
    priority: int
    """Of those that wait for a device the highest goes first, then the oldest."""
    at_work: bool
    """Whether its process lives: the lock is held."""
    created_at: float
    started_at: float | None
    """When it last began."""
    ended_at: float | None
    step: int
    total_steps: int | None
    """None until the data is loaded."""
    rows: int
    """Rows to learn from."""
    held_out: int
    """Rows to look at."""
    evaluated: bool = False
    """Whether what works on it is an evaluation; the phase is that of the training all the same."""

    @property
    def is_lost(self) -> bool:
        """Whether its process ought to be there and is not."""
        return self.phase.is_live and not self.at_work
