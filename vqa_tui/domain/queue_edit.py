"""Edits of the queue by people: retry, skip, requeue and asking again, and taking them back."""

from dataclasses import dataclass, field
from enum import StrEnum

from vqa_tui.domain.part import PICTURE
from vqa_tui.domain.run import TaskStatus


class EditVerb(StrEnum):
    """What a person does to chosen tasks."""

    RETRY = "retry"
    """Failed ones are asked again."""
    SKIP = "skip"
    """Those that wait or failed are taken out of the queue."""
    REQUEUE = "requeue"
    """Whatever has ended is asked again; pairs of done ones are replaced when the new reply comes."""
    AGAIN = "ask again"
    """Failed and done ones are asked again, with something changed for them alone."""


MOVABLE: dict[EditVerb, tuple[TaskStatus, ...]] = {
    EditVerb.RETRY: (TaskStatus.FAILED,),
    EditVerb.SKIP: (TaskStatus.PENDING, TaskStatus.FAILED),
    EditVerb.REQUEUE: (TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.SKIPPED),
    EditVerb.AGAIN: (TaskStatus.FAILED, TaskStatus.DONE),
}
"""Statuses of the tasks that an edit moves; it leaves the others alone."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What a choice of tasks holds, for the question before an edit."""

    by_status: dict[TaskStatus, int]
    pairs: int = 0
    """Pairs of those that are done."""
    verdicts: int = 0
    """Verdicts on these."""
    elsewhere: dict[TaskStatus, int] = field(default_factory=dict)
    """Those that runs which follow this one ask, or have asked."""
    followers: tuple[str, ...] = ()
    """Names of these runs."""
    unit: str = PICTURE
    """What the tasks of the run are called."""

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    def movable(self, verb: EditVerb) -> int:
        """Return how many of them `verb` moves."""
        return sum(self.by_status.get(status, 0) for status in MOVABLE[verb])

    def paid_twice(self, verb: EditVerb) -> int:
        """Return how many of those that `verb` has asked are asked elsewhere as well."""
        return 0 if verb is EditVerb.SKIP else sum(self.elsewhere.get(status, 0) for status in MOVABLE[verb])


@dataclass(frozen=True, slots=True)
class StandingEdit:
    """An edit that can be taken back by whoever made it."""

    who: str
    verb: EditVerb
    tasks: int
    at: float
    """Unix time at which it began."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of taking an edit back."""

    verb: EditVerb
    tasks: int
    """How many the edit had moved."""
    restored: int
    """How many stand as before again; the others were touched since."""
