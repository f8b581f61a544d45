"""A training as one document for programs: `train show --json` and the jobs API."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import Answered, Ended, Event, LeftOut, Looked, Saved, Started, Stepped


def training_document(training: TrainingSummary, told: Sequence[Event], folder: str) -> dict[str, Any]:
    """Return what is known of a training; `folder` is where its files are."""
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


def _last(told: Sequence[Event], kind: type[Any]) -> Any:
    return next((each for each in reversed(told) if isinstance(each, kind)), None)
