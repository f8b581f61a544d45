"""What passes between the queue and the engine: claimed tasks, and how they ended."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from vqa_tui.domain.changes import UNCHANGED, TaskChanges
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import ONLY, Part
from vqa_tui.domain.quota import UNSIZED, RequestSize
from vqa_tui.domain.run import Intent, Limits, TaskStatus
from vqa_tui.domain.sample import Pair

CUT = "length"
"""`finish_reason` of a reply that ran into max_tokens."""
LONGEST_WAIT_S = 600.0
"""A retry is never put off for longer, whatever a clock or an endpoint says."""


class Purpose(StrEnum):
    """Why a request was sent."""

    ASK = "ask"
    REPAIR = "repair"
    """Asks again and says what was wrong with the reply before."""
    LONGER = "longer"
    """Asks again with room for a longer reply."""
    HEDGE = "hedge"
    """A second request beside one that takes unusually long."""


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task that this engine session holds a lease on."""

    id: int
    item: Item
    attempts_spent: int
    last_kind: str | None
    last_problem: str | None
    tried: frozenset[str] = frozenset()
    """What was asked by the attempts whose reply could not be used. Here and below: since a person last requeued the
    task."""
    bad_reply: str = ""
    """What was wrong with the newest reply that could not be used; '' where there was none."""
    cut: bool = False
    """Whether that reply had run into max_tokens."""
    changes: TaskChanges = UNCHANGED
    """What a person wants otherwise for this task than recipe and limits say."""
    part: Part = ONLY
    """Which of the requests about the item it is; without the name of its prompt."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One request as it will be stored. `kind` is `ok` or a FailureKind; money in nano-dollars."""

    key_name: str
    started_at: float
    latency_ms: float | None
    kind: str
    http_status: int | None = None
    message: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_nano: int = 0
    uncertain_nano: int = 0
    reserved_nano: int = 0
    """What was set aside for it."""
    bound_nano: int = 0
    """The upper bound of its estimate, before it was scaled by what earlier requests had cost beyond theirs."""
    finish_reason: str = ""
    model: str = ""
    request_id: str = ""
    raw_reply: str | None = None
    purpose: Purpose = Purpose.ASK
    question: Purpose | None = None
    """What the request asked, where its purpose does not say: of a second one beside a straggler; None: as purpose."""
    estimated_input_tokens: int = 0
    """The plain estimate, not raised to an upper bound; 0 where no usage came back to compare it with."""
    expected: RequestSize = UNSIZED
    """Tokens that quotas count for it as long as no usage has come back."""
    never_sent: bool = False
    """Whether it certainly did not reach the endpoint, so that no quota counts it."""
    changes: TaskChanges = UNCHANGED
    """What it was asked with otherwise than recipe and limits say."""
    flight: int = 0
    """Its number in the flight journal; not stored."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What becomes of a leased task, together with the attempt that led there (None: no request was made)."""

    task_id: int
    status: TaskStatus
    attempt: AttemptRecord | None = None
    spends_attempt: bool = False
    not_before: float = 0.0
    kind: str | None = None
    problem: str | None = None
    pairs: tuple[Pair, ...] = ()
    hedge: AttemptRecord | None = None
    """The other request, where a straggler was asked twice and both had ended."""
    attempt_alone: bool = False
    """Only record the attempt: another outcome says what becomes of the task."""

    @property
    def attempts(self) -> tuple[AttemptRecord, ...]:
        """The requests that this outcome records."""
        return tuple(attempt for attempt in (self.attempt, self.hedge) if attempt is not None)


class Flight(NamedTuple):
    """One request that is under way, or whose result is not committed yet.

    A look at a run makes one for each, several times a second: a tuple takes a quarter of a frozen dataclass.
    """

    task_id: int
    started_at: float
    reserved_nano: int
    """What it may cost at most; once answered, what it cost."""
    key_name: str
    answered: bool = False
    """Whether the reply is here and only its commit is outstanding."""
    size: RequestSize = UNSIZED
    """Tokens that it was expected to take."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What faces want of a run, as the engine reads it."""

    intent: Intent
    cancel_in_flight: bool
    approved_at: float | None
    resumed_at: float | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was put back after an engine ended without saying so."""

    tasks: int
    requests: int
    """Requests that were in flight, or answered but not yet committed; these are asked again."""
    uncertain_nano: int
