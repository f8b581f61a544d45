"""What can be done with a training, why the rest cannot, and what each deed would bring."""

from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.tui.present.numbers import count, file_size, plural

_NONE = "There is no training under the cursor."


def why_not(action: str, training: TrainingSummary | None) -> str | None:
    """Return why `action` cannot be done with this training now, or None when it can."""
    if action not in ("stop", "cancel", "resume", "delete", "rename"):
        return None
    if training is None:
        return _NONE
    if action in ("stop", "cancel") and not training.at_work:
        if training.is_lost:
            return "Its process is gone, so nothing works. Press r to let it go on, or D to delete it."
        return f"Nothing works on it: it is {training.phase}."
    if action == "stop" and training.evaluated:
        return "It is being evaluated: there is no checkpoint to write. X ends the evaluation."
    if action == "stop" and training.wish is not TrainingWish.RUN:
        return "It is to end already. X ends it at once."
    if action == "cancel" and training.wish is TrainingWish.CANCEL and not training.evaluated:
        return "It is being cancelled."
    if action in ("resume", "delete") and training.evaluated:
        return "It is being evaluated. Press X to end that first."
    if action == "resume" and training.at_work:
        return "It is at work."
    if action == "resume" and training.phase is TrainingPhase.DONE:
        return "It is done. Start another one with more steps or epochs: press n."
    if action == "delete" and training.at_work:
        return "It is at work. Press x to stop it first, or X to cancel it."
    return None


def stop_words(training: TrainingSummary) -> str:
    """Return what stopping means."""
    if training.phase is TrainingPhase.QUEUED:
        return f"{training.name} waits for its device and has not begun: it leaves the queue, and nothing is lost."
    return (
        f"{training.name} finishes its step, writes a checkpoint and ends; its device is free then. r lets it go on "
        "from there, with the same order of rows."
    )


def cancel_words(training: TrainingSummary, course: TrainingCourse) -> str:
    """Return what cancelling means: which steps are lost, or that an evaluation ends."""
    if training.evaluated:
        return f"Its answers so far are lost. The training {training.name} stays what it is, with all that it learned."
    newest = course.saved[-1].step if course.saved else 0
    lost = max(training.step - newest, 0)
    if not training.step:
        return f"{training.name} ends at once. It has done no step yet."
    if not newest:
        return f"{training.name} ends at once. There is no checkpoint: all of its {plural(lost, 'step')} are lost."
    return (
        f"{training.name} ends at once, in the middle of its step. The {plural(lost, 'step')} since its checkpoint at "
        f"step {count(newest)} are lost; r goes on from there. x would save them."
    )


def delete_words(training: TrainingSummary, size: int) -> str:
    """Return what deleting takes away, of `size` bytes on disk."""
    return (
        f"{training.name}\n\nIts checkpoints, adapter, answers, curves and log go: {file_size(size)}. It cannot be "
        "taken back. The run or export that it learned from stays."
    )
