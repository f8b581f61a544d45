"""What can be done with a training, why the rest cannot, and what each deed would bring."""

import re
from collections.abc import Collection, Sequence

from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.operations.training_queue import why_no_priority as no_priority
from vqa_tui.tui.present.numbers import count, file_size, plural

_NONE = "There is no training under the cursor."
_END_IT_FIRST = "It is being evaluated. Press X to end that first."
_EVALUATED = {
    "stop": "It is being evaluated, so there is no checkpoint to write. X ends the evaluation.",
    "resume": _END_IT_FIRST,
    "delete": _END_IT_FIRST,
}
"""What cannot be done while a training is judged."""


def why_not(action: str, training: TrainingSummary | None) -> str | None:
    """Return why `action` cannot be done with this training now, or None when it can."""
    if action not in ("stop", "cancel", "resume", "delete", "rename"):
        return None
    if training is None:
        return _NONE
    if training.evaluated:
        return _EVALUATED.get(action)
    if action in ("stop", "cancel") and not training.at_work:
        if training.is_lost:
            return "Its process is gone, so nothing works. Press r to let it go on, or D to delete it."
        return f"Nothing works on it: it is {training.phase}."
    if action == "stop" and training.wish is not TrainingWish.RUN:
        return "It is to end already. X ends it at once."
    if action == "cancel" and training.wish is TrainingWish.CANCEL:
        return "It is being cancelled."
    if action == "resume" and training.at_work:
        return "It is at work."
    if action == "resume" and training.phase is TrainingPhase.DONE:
        return "It is done. Start another one with more steps or epochs: press n."
    if action == "delete" and training.at_work:
        return "It is at work. Press x to stop it first, or X to cancel it."
    return None


def why_not_evaluate(
    training: TrainingSummary | None, found: Sequence[TrainingSummary], kept: Collection[int], lacks: str
) -> str | None:
    """Return why a training cannot be judged now; `found` are all trainings, `kept` the steps of its checkpoints, and
    `lacks` says which packages are missing."""
    if training is None:
        return _NONE
    if training.evaluated:
        return "It is being evaluated already. X ends that."
    if training.at_work:
        return "It is at work. Evaluate it when it has ended, or press x to stop it first."
    if lacks:
        return lacks
    if not training.held_out:
        return "No rows are held out to judge by: train with `validation` above 0, or on an export with a split."
    if training.phase is not TrainingPhase.DONE and not kept:
        return "Nothing was learned yet: there is no checkpoint. Press r to let it go on."
    other = next((each for each in found if each.device == training.device and each.at_work and not each.waits), None)
    # Of several cards another one may be free: that is found out when it starts.
    if other is not None and (training.device == "cpu" or re.fullmatch(r"gpu [^,]+", training.device)):
        return f"{other.name} is at work on {training.device}. Evaluate when it has ended, or stop it."
    return None


def why_not_serve(training: TrainingSummary | None, lacks: str) -> str | None:
    """Return why what a training learned cannot be served; `lacks` says which packages are missing."""
    if training is None:
        return _NONE
    if lacks:
        return lacks
    if training.phase is not TrainingPhase.DONE:
        return "It has left no adapter yet. Let it end: r lets a stopped one go on."
    return None


def why_no_priority(training: TrainingSummary | None, *, in_place: bool) -> str | None:
    """Return why the priority of a training cannot be changed, `in_place`: among those that wait now."""
    if training is None:
        return _NONE
    if words := no_priority(training):
        return words
    if in_place and not training.waits:
        return "It does not wait for its device. P sets the priority that holds when it waits again."
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
    """Return what cancelling means: which steps are lost."""
    if training.evaluated:
        return (
            f"The evaluation of {training.name} ends at once, and what it has seen so far is lost. The training stays "
            "what it is, and so does what an earlier evaluation found."
        )
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


def evaluate_words(training: TrainingSummary, *, again: bool) -> str:
    """Return what an evaluation does, before it is begun."""
    earlier = " What the last evaluation found gives way to what this one finds." if again else ""
    return (
        f"The model before and after {training.name} answers held-out rows, and both are compared. {training.device} "
        "is taken meanwhile: nothing else trains there. It goes on when you leave the app; X "
        f"ends it.{earlier}\n\nFewer rows are quicker; they are taken from all over the file."
    )


def serve_words(training: TrainingSummary, endpoint: str) -> str:
    """Return what serving means, before it is begun."""
    return (
        f"A server loads the model of {training.name}, which takes memory, and answers on this computer alone, as the "
        f"endpoint {endpoint}: choose it for the next run. With transformers the adapter is merged into "
        "the model first. It goes on when you leave the app; V ends it."
    )


def end_serving_words(training: TrainingSummary, endpoint: str) -> str:
    """Return what ending a server means."""
    return (
        f"The server of {training.name} ends, and its memory is free. Runs that ask the endpoint {endpoint} find "
        "nobody there until it is served again."
    )


def delete_words(training: TrainingSummary, size: int) -> str:
    """Return what deleting takes away, of `size` bytes on disk."""
    return (
        f"{training.name}\n\nIts checkpoints, adapter, answers, curves and log go: {file_size(size)}. It cannot be "
        "taken back. The run or export that it learned from stays."
    )
