"""What a trainer says about itself while it works: one JSON object a line in `metrics.jsonl`, newest last.

Every event has `at` (Unix seconds). A reader takes what it knows and leaves the rest: files of another version stay
readable, and a line that a crash cut off is passed over.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Started:
    """The model and the data are loaded; written again by each resumed session."""

    at: float
    first_step: int
    """Steps that were done before; more than 0 when it goes on from a checkpoint."""
    total_steps: int
    epochs: float
    rows: int
    held_out: int
    device: str
    """Words: the card's name and how many, or `CPU`."""
    precision: str
    parameters: int
    trainable: int
    memory_total_bytes: int | None = None
    """Of the device (one card), or of the machine without one."""
    look_every: int | None = None
    """Steps between looks at the held-out rows; None where it takes none, or does not say."""
    save_every: int | None = None
    """Steps between checkpoints; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step of the optimizer."""

    at: float
    step: int
    epoch: float
    loss: float | None
    """Mean over the answers' tokens of the step; None where it is not a finite number."""
    learning_rate: float
    grad_norm: float | None
    seconds: float
    """Since the event before, without looks and checkpoints between them."""
    tokens: int
    """Of all rows of the step, pictures' tokens included, over all processes."""
    rows: tuple[int, ...]
    """Ids of the rows of the step, over all processes."""
    memory_bytes: int | None = None
    """Highest use so far of the device, or of the process on a CPU."""
    utilisation: float | None = None
    """Of the GPU, 0 to 100 percent; None without one."""
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """The loss on the held-out rows."""

    at: float
    step: int
    loss: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What the model makes of a held-out row at a look; the words are hostile text."""

    at: float
    step: int
    row: int
    key: str
    picture: str
    question: str
    reference: str
    answer: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint was written whole."""

    at: float
    step: int
    path: str
    """Relative to the training's folder."""
    size_bytes: int
    loss: float | None = None
    """On the held-out rows, where they were looked at in the same step: `checkpoints` puts it in from the look, which
    comes after it."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Saving:
    """All steps are done; what was learned is written, and merged where that is wanted."""

    at: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that cannot be learned from, and why (a sentence)."""

    at: float
    row: int
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word: `phase` is done, stopped or failed, `reason` a sentence with what to do."""

    at: float
    phase: str
    reason: str
    step: int
    peak_memory_bytes: int | None = None


Event = Started | Stepped | Looked | Answered | Saved | Saving | LeftOut | Ended

_WORDS: dict[str, type[Any]] = {
    "start": Started,
    "step": Stepped,
    "eval": Looked,
    "sample": Answered,
    "checkpoint": Saved,
    "saving": Saving,
    "left_out": LeftOut,
    "end": Ended,
}
_E = TypeVar("_E", Started, Stepped, Looked, Answered, Saved, Saving, LeftOut, Ended)
_WORD_OF = {event: word for word, event in _WORDS.items()}


def event_line(event: Event) -> str:
    """Return one line of `metrics.jsonl`, without its end."""
    return json.dumps({"event": _WORD_OF[type(event)], **asdict(event)}, separators=(",", ":"), allow_nan=False)


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of these lines; lines that are none are passed over."""
    for line in lines:
        try:
            value = json.loads(line)
            kind = _WORDS[value.pop("event")]
            known = {name: each for name, each in value.items() if name in kind.__dataclass_fields__}
            if kind is Stepped:
                known["rows"] = tuple(known.get("rows", ()))
            yield kind(**known)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def checkpoints(told: Sequence[Event]) -> list[Saved]:
    """Return the checkpoints that were told of, oldest first, each with the loss of the look in the same step."""
    losses = {each.step: each.loss for each in told if isinstance(each, Looked)}
    return [replace(each, loss=losses.get(each.step, each.loss)) for each in told if isinstance(each, Saved)]


def last_event(told: Sequence[Event], kind: type[_E]) -> _E | None:
    """Return the newest event of one kind; None where there is none."""
    return next((each for each in reversed(told) if isinstance(each, kind)), None)
