"""A training in facts and as a document, for `train show`, `watch` and --json."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vqa_tui.domain.training_events import Answered, Ended, Event, LeftOut, Looked, Saved, Started, Stepped

if TYPE_CHECKING:
    from vqa_tui.domain.training import TrainingSummary


def training_document(training: "TrainingSummary", told: Sequence[Event], folder: str) -> dict[str, Any]:
    """Return what is known of a training, for programs."""
    return {
        **dataclasses.asdict(training),
        "is_lost": training.is_lost,
        "folder": folder,
        "started": _last(told, Started),
        "last_step": _last(told, Stepped),
        "last_eval": _last(told, Looked),
        "end": _last(told, Ended),
        "checkpoints": [each for each in told if isinstance(each, Saved)],
        "left_out": [each for each in told if isinstance(each, LeftOut)],
        "samples": [each for each in told if isinstance(each, Answered)],
    }


def training_facts(training: "TrainingSummary", told: Sequence[Event], folder: str) -> list[tuple[str, str]]:
    """Return what is known of a training, for people."""
    started, stepped, looked = _last(told, Started), _last(told, Stepped), _last(told, Looked)
    facts = [
        ("training", f"{training.id}, {training.name}"),
        ("state", "lost: its process is gone; resume lets it go on" if training.is_lost else str(training.phase)),
        ("reason", training.reason),
        ("model", f"{training.model} ({training.backend})"),
        ("rows", f"{training.rows:,}, {training.held_out:,} held out"),
        ("step", f"{training.step:,} of {training.total_steps:,}" if training.total_steps else ""),
        ("device", training.device if started is None else f"{started.device}, {started.precision}"),
        ("weights", f"{started.trainable:,} of {started.parameters:,} learn" if started else ""),
        ("loss", "" if stepped is None or stepped.loss is None else f"{stepped.loss:.4f}"),
        ("loss on held-out rows", "" if looked is None or looked.loss is None else f"{looked.loss:.4f}"),
        ("checkpoints", ", ".join(f"{each.step:,}" for each in told if isinstance(each, Saved))),
        ("folder", folder),
    ]
    return [(name, words) for name, words in facts if words]


def _last(told: Sequence[Event], kind: type[Any]) -> Any:
    return next((each for each in reversed(told) if isinstance(each, kind)), None)
