"""A training in facts for people, for `train show`."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from vqa_tui.domain.part import counted
from vqa_tui.domain.training_events import Event, LeftOut, Looked, Saved, Started, Stepped, last_event

if TYPE_CHECKING:
    from vqa_tui.domain.training import TrainingSummary


def training_facts(
    training: "TrainingSummary", told: Sequence[Event], folder: str, kept: Collection[int]
) -> list[tuple[str, str]]:
    """Return what is known of a training, for people; `kept` are the steps of the checkpoints in its folder."""
    started, stepped, looked = last_event(told, Started), last_event(told, Stepped), last_event(told, Looked)
    facts = [
        ("training", f"{training.id}, {training.name}"),
        ("state", _state(training)),
        ("reason", training.reason),
        ("priority", f"{training.priority:,}" if training.waits else ""),
        ("model", f"{training.model} ({training.backend})"),
        ("rows", f"{training.rows:,}, {training.held_out:,} held out"),
        ("left out", _left_out([each for each in told if isinstance(each, LeftOut)])),
        ("step", f"{training.step:,} of {training.total_steps:,}" if training.total_steps else ""),
        ("device", training.device if started is None else f"{started.device}, {started.precision}"),
        ("weights", f"{started.trainable:,} of {started.parameters:,} learn" if started else ""),
        ("loss", "" if stepped is None or stepped.loss is None else f"{stepped.loss:.4f}"),
        ("loss on held-out rows", "" if looked is None or looked.loss is None else f"{looked.loss:.4f}"),
        ("checkpoints", ", ".join(f"{each.step:,}" for each in told if isinstance(each, Saved) and each.step in kept)),
        ("folder", folder),
    ]
    return [(name, words) for name, words in facts if words]


def _left_out(rows: Sequence[LeftOut]) -> str:
    """Say of how many rows the trainer could not learn, and of the first why; nothing where it could of all."""
    if not rows:
        return ""
    found = len({each.row for each in rows})
    first = f"{counted(found, 'row')}, since {rows[0].reason}"
    return f"{first}; the log names the others" if found > 1 else first


def _state(training: "TrainingSummary") -> str:
    if training.is_lost:
        return "lost: its process is gone; resume lets it go on"
    return f"{training.phase}, being evaluated" if training.evaluated else str(training.phase)
