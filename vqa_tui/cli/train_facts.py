"""A training in facts for people, for `train show`."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from vqa_tui.domain.training_events import Event, Looked, Saved, Started, Stepped, last_event

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
        ("step", f"{training.step:,} of {training.total_steps:,}" if training.total_steps else ""),
        ("device", training.device if started is None else f"{started.device}, {started.precision}"),
        ("weights", f"{started.trainable:,} of {started.parameters:,} learn" if started else ""),
        ("loss", "" if stepped is None or stepped.loss is None else f"{stepped.loss:.4f}"),
        ("loss on held-out rows", "" if looked is None or looked.loss is None else f"{looked.loss:.4f}"),
        ("checkpoints", ", ".join(f"{each.step:,}" for each in told if isinstance(each, Saved) and each.step in kept)),
        ("folder", folder),
    ]
    return [(name, words) for name, words in facts if words]


def _state(training: "TrainingSummary") -> str:
    if training.is_lost:
        return "lost: its process is gone; resume lets it go on"
    return f"{training.phase}, being evaluated" if training.evaluated else str(training.phase)
