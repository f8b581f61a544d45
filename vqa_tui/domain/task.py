"""Tasks and attempts as faces list and inspect them."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from vqa_tui.domain.changes import UNCHANGED, TaskChanges
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import ONLY, Part, with_part
from vqa_tui.domain.reply_parts import ReplyForm
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Sample


class TaskField(StrEnum):
    """What a condition of a filter may look at, beside status, kind of failure and the item's key."""

    ID = "id"
    FLAG = "flag"
    """Flags of the task's pairs."""
    VERDICT = "verdict"
    """Verdicts on the task's pairs."""
    KEY = "key"
    """Name of an API key that the task was asked with."""
    ATTEMPTS = "attempts"
    COST = "cost"
    """Dollars of all attempts."""
    LATENCY = "latency"
    """Milliseconds of the slowest attempt."""
    SPLIT = "split"
    CATEGORY = "category"
    PILOT = "pilot"


ANY, NONE = "any", "none"
"""Values beside the names: a pair that has a flag or verdict at all, a pair that has no verdict."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field holds one of these values, or with `inverted` none of them. Case does not matter."""

    field: TaskField
    values: tuple[str, ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A number of the task compared with another; `=` may name several."""

    field: TaskField
    operator: str
    """<, <=, >, >= or =."""
    numbers: tuple[Decimal, ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks of a run are meant; all parts must hold, and an empty part restricts nothing.

    `kinds` are kinds of the last failure, `search` is a substring of the item's key. `not_kinds` and `not_search` mean
    everything else, so tasks that never failed are among `not_kinds`.
    """

    statuses: tuple[TaskStatus, ...] = ()
    kinds: tuple[str, ...] = ()
    search: str = ""
    not_kinds: tuple[str, ...] = ()
    not_search: tuple[str, ...] = ()
    conditions: tuple[OneOf | Compared, ...] = ()


class SortField(StrEnum):
    """What a list of tasks may be sorted by."""

    ID = "id"
    COST = "cost"
    ATTEMPTS = "attempts"
    LATENCY = "latency"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class TaskSort:
    """The order of a list of tasks; tasks that are alike follow each other by id."""

    by: SortField = SortField.ID
    descending: bool = False


BY_ID = TaskSort()


@dataclass(frozen=True, slots=True)
class FilterValues:
    """Values that occur in a run, for completing a filter; of splits and categories those of a sample of items."""

    keys: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of the list of items."""

    id: int
    item_key: str
    status: TaskStatus
    kind: str | None
    """Kind of the last failed attempt, if any."""
    attempts: int
    cost: Decimal
    samples: int
    finished_at: float | None
    latency_ms: float | None = None
    """Of the slowest attempt."""
    part: Part = ONLY
    price_known: bool = True
    """Whether the run's endpoint has prices, so that `cost` says anything."""

    @property
    def name(self) -> str:
        """The key, and where its picture is several requests, which of them this is."""
        return with_part(self.item_key, self.part)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a task as it was recorded. Message and reply are hostile text."""

    number: int
    session_id: int
    key_name: str
    started_at: float
    latency_ms: float | None
    http_status: int | None
    kind: str
    """`ok`, or a FailureKind."""
    message: str
    input_tokens: int
    output_tokens: int
    cost: Decimal
    uncertain: Decimal
    finish_reason: str
    model: str
    request_id: str
    raw_reply: str | None
    changes: TaskChanges = UNCHANGED
    """What it was asked with otherwise than recipe and limits said."""
    purpose: str = "ask"
    """Why it was sent: ask, repair, longer or hedge."""


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """One task with everything the inspector shows."""

    row: TaskRow
    item: Item
    picture: str
    """Absolute path of the picture; of a clip with its seconds behind it (domain.clip.address)."""
    prompt: str
    """The prompt as rendered for this item, or why it cannot be rendered."""
    attempts: tuple[Attempt, ...]
    samples: tuple[Sample, ...]
    changes: TaskChanges = UNCHANGED
    """What a person changed for it when it was asked again; it holds until it is done."""
    reply_form: ReplyForm = field(default_factory=ReplyForm)
    """How replies of the run are read."""
    further_pictures: tuple[str, ...] = ()
    """Absolute paths of the pictures that are shown after the first."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Where all pictures of the item lie, in the order in which the model sees them."""
        return (self.picture, *self.further_pictures)
