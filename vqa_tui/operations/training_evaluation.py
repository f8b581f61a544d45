"""Judging a training on its held-out rows, and reading what an earlier judgement found."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from vqa_tui.domain.evaluation import EVALUATION, Evaluation, EvaluationSight
from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_exit import FULL_DISK, FULL_DISK_WORDS, told_reason
from vqa_tui.operations.training_packages import require_training_packages
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.devices import device_named
from vqa_tui.process.evaluator import LOG, evaluator_command, run_evaluator
from vqa_tui.process.spawn import spawn_until_up
from vqa_tui.process.training_command import keeper_environment
from vqa_tui.store import trainings
from vqa_tui.tail import tail

_LAST_STEP = "judging"
"""What the program says before it writes what it found."""
_LINES, _LINES_TO_END = 8, 60
"""Lines of the log that are shown of one at work, and that are searched for how one ended."""
_START_PATIENCE_S = 30.0
_STARTER_LOG = "evaluator.log"
"""What the process says that stands over the one that judges."""


async def evaluate_training(
    workspace: Workspace,
    training_id: int,
    *,
    limit: int | None = None,
    device: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Let base and tuned model answer the held-out rows, at most `limit` of them, in a process of its own, on the first
    place of `device` (default: that of the training) that is free.

    `tell` gets each line that this process prints, which is hostile text. Raises VqaError when the packages or the
    device are missing, the training or the device is at work, or nothing is there to judge; WorkFailed when the process
    fails.
    """
    found = await _require_possible(workspace, training_id, limit)
    folder = workspace.paths.training_folder(training_id)
    command = evaluator_command(folder / "config.json", limit)
    place = device_named(device or found.device, 1)
    try:
        status, last = await run_evaluator(workspace.paths, training_id, place, command, tell)
    except OSError as error:
        raise VqaError(f"the evaluation cannot be started: {error.strerror or error}") from error
    if status:
        words = told_reason(last) or _ending(status)
        raise WorkFailed(f"the evaluation of {found.name} failed: {words}", hint=f"Its log: {folder / LOG}")
    evaluation = await last_evaluation(workspace, training_id)
    if evaluation is None:
        raise WorkFailed(f"the evaluation of {found.name} left nothing behind", hint=f"Its log: {folder / LOG}")
    return evaluation


async def start_evaluation(workspace: Workspace, training_id: int, *, limit: int | None = None) -> None:
    """Begin what `evaluate_training` does in a process that outlives us, and return when it is at work, or done.

    `training_start.cancel_training` ends it. Raises VqaError as `evaluate_training` does, also with what the process
    said where it ended at once.
    """
    found = await _require_possible(workspace, training_id, limit)
    arguments = ["evaluator", str(training_id), "--workspace", str(workspace.paths.root)]
    await spawn_until_up(
        arguments + ([] if limit is None else ["--limit", str(limit)]),
        log=workspace.paths.training_folder(training_id) / _STARTER_LOG,
        environment=keeper_environment(os.environ),
        what=f"the evaluation of {found.name}",
        is_up=lambda: trainings.is_evaluated(workspace.paths, training_id),
        patience_s=_START_PATIENCE_S,
    )


async def _require_possible(workspace: Workspace, training_id: int, limit: int | None) -> TrainingSummary:
    if limit is not None and limit < 1:
        raise VqaError(f"an evaluation of {limit} rows finds nothing", hint="Give 1 or more.")
    require_training_packages(judging=True)
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    if found.evaluated:
        raise VqaError(
            f"the training {found.name} is being evaluated", hint="`vqa-tui train cancel` ends that evaluation."
        )
    if found.at_work:
        raise VqaError(f"the training {found.name} is at work", hint="Evaluate it when it has ended, or stop it.")
    if not found.held_out:
        raise VqaError(
            f"the training {found.name} has no held-out rows to judge by",
            hint="Train with `validation` above 0, or on an export with a split.",
        )
    return found


def _ending(status: int) -> str:
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return FULL_DISK_WORDS if status == FULL_DISK else f"it ended with exit status {status}"


async def last_evaluation(workspace: Workspace, training_id: int) -> Evaluation | None:
    """Return what the last evaluation of a training found; None where there was none.

    Raises VqaError when its document cannot be read.
    """
    path = workspace.paths.training_folder(training_id) / EVALUATION
    try:
        return Evaluation.of_json(await asyncio.to_thread(path.read_text, "utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise VqaError(f"{path} cannot be read: {error}", hint="Evaluate the training again.") from error


def evaluation_stamp(workspace: Workspace, training_id: int) -> tuple[object, ...]:
    """Return what is another value as soon as `evaluation_sight` may return another."""
    folder = workspace.paths.training_folder(training_id)
    evaluated = trainings.is_evaluated(workspace.paths, training_id)
    return evaluated, _stamp(folder / EVALUATION), _stamp(folder / LOG)


async def evaluation_sight(workspace: Workspace, training_id: int) -> EvaluationSight:
    """Return what the last evaluation found, and what one that is at work says, or said before it failed."""
    folder = workspace.paths.training_folder(training_id)
    evaluated = trainings.is_evaluated(workspace.paths, training_id)
    found, problem = None, ""
    try:
        found = await last_evaluation(workspace, training_id)
    except VqaError as error:
        problem = str(error)
    log = await asyncio.to_thread(tail, folder / LOG, lines=_LINES_TO_END)
    said = log.splitlines()
    if evaluated:
        return EvaluationSight(found, problem, tuple(said[-_LINES:]))
    # The document is written at the end: a log that is newer is of one that found nothing, or that libraries wrote to
    # as they left.
    if said and (_stamp(folder / LOG) or (0, 0)) > (_stamp(folder / EVALUATION) or (0, 0)):
        reason = told_reason(log)
        if reason or _LAST_STEP not in said:
            problem = f"the newest evaluation found nothing: {reason or 'it was ended before it was done'}"
    return EvaluationSight(found, problem)


def _stamp(path: Path) -> tuple[int, int] | None:
    """When a file was last written, in nanoseconds, and its size; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
