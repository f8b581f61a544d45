"""The line of trainings before a device: who stands where, and letting one go earlier or later."""

from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, place_in_line
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import trainings

MOST_PRIORITY = 1_000_000
"""Either side of 0."""


@dataclass(frozen=True, slots=True)
class InLine:
    """Where a training stands after its priority was set."""

    training_id: int
    name: str
    device: str
    priority: int
    place: int | None
    """From 1; None where it does not wait, so that the priority holds when it is resumed."""
    waiting: int
    """How many wait for the device, it among them."""


def parse_priority(typed: str) -> int:
    """Return the priority that a person typed, 0 for nothing. Raises VqaError for anything but a whole number."""
    text = typed.strip() or "0"
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= len(str(-MOST_PRIORITY))):
        raise VqaError(f"{typed!r} is no priority", hint="A whole number; the highest goes first.")
    return require_priority(int(text))


def require_priority(priority: int) -> int:
    """Return a priority as it is. Raises VqaError for one beyond MOST_PRIORITY."""
    if abs(priority) > MOST_PRIORITY:
        raise VqaError(f"{priority} is no priority", hint=f"Give one from {-MOST_PRIORITY} to {MOST_PRIORITY}.")
    return priority


def why_no_priority(training: TrainingSummary) -> str:
    """Return why the priority of a training means nothing any more; empty where it still does."""
    if training.at_work and not training.waits and not training.evaluated:
        return f"{training.name} has its device already: it is {training.phase}."
    if training.phase is TrainingPhase.DONE:
        return f"{training.name} is done, so it will never wait again."
    return ""


async def set_priority(workspace: Workspace, training_id: int, priority: int) -> InLine:
    """Let a training that waits for its device go earlier or later: the highest goes first, then the oldest.

    Its process heeds it at its next look. Of a training that can still be resumed it holds when it waits again. Raises
    VqaError when there is no such training, or it has its device already or is done.
    """
    require_priority(priority)
    await _require_open(workspace, training_id)
    await trainings.set_priority(workspace.db, training_id, priority)
    return await _stands(workspace, training_id)


async def shift_priority(workspace: Workspace, training_id: int, by: int) -> InLine:
    """Raise or lower the priority of a training by so much; else as `set_priority`."""
    await _require_open(workspace, training_id)
    await trainings.shift_priority(workspace.db, training_id, by, most=MOST_PRIORITY)
    return await _stands(workspace, training_id)


def in_line_words(found: InLine) -> str:
    """Return where a training stands, in a sentence."""
    if found.place is None:
        return f"{found.name} has priority {found.priority:,}. It does not wait; that holds when it is resumed."
    place = f"number {found.place:,} of {found.waiting:,} that wait" if found.waiting > 1 else "the only one that waits"
    return f"{found.name} has priority {found.priority:,}: it is {place} for {found.device}."


async def _require_open(workspace: Workspace, training_id: int) -> None:
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    if why_not := why_no_priority(found):
        raise VqaError(why_not.rstrip("."), hint="Only of one that waits, or can be resumed, the priority counts.")


async def _stands(workspace: Workspace, training_id: int) -> InLine:
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    every = await trainings.training_summaries(workspace.db, workspace.paths)
    number, waiting = place_in_line(found, every) or (None, 0)
    return InLine(training_id, found.name, found.device, found.priority, number, waiting)
