"""Tasks and attempts as faces list and inspect them."""

from dataclasses import dataclass
from decimal import Decimal

from vqa_tui.domain.item import Item
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Sample


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


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """One task with everything the inspector shows."""

    row: TaskRow
    item: Item
    picture: str
    """Absolute path of the picture."""
    prompt: str
    """The prompt as rendered for this item, or why it cannot be rendered."""
    attempts: tuple[Attempt, ...]
    samples: tuple[Sample, ...]
