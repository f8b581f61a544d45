"""A training as one document for programs: `train show --json` and the jobs API."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import (
    Answered,
    Ended,
    Event,
    LeftOut,
    Looked,
    Started,
    Stepped,
    checkpoints,
    last_event,
)


def training_document(
    training: TrainingSummary, told: Sequence[Event], folder: str, kept: Collection[int]
) -> dict[str, Any]:
    """Return what is known of a training; `kept` are the steps of the checkpoints that are in its `folder`."""
    return {
        **dataclasses.asdict(training),
        "is_lost": training.is_lost,
        "folder": folder,
        "started": last_event(told, Started),
        "last_step": last_event(told, Stepped),
        "last_eval": last_event(told, Looked),
        "end": _end(told),
        "checkpoints": [each for each in checkpoints(told) if each.step in kept],
        "left_out": [each for each in told if isinstance(each, LeftOut)],
        "samples": [each for each in told if isinstance(each, Answered)],
    }


def _end(told: Sequence[Event]) -> Ended | None:
    """Return how it ended; None while it is at work, also where it was resumed after an end."""
    newest = next((each for each in reversed(told) if isinstance(each, Started | Ended)), None)
    return newest if isinstance(newest, Ended) else None
