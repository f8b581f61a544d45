"""Judging a training on its held-out rows, and reading what an earlier judgement found."""

import asyncio
import signal
from collections.abc import Callable

from vqa_tui.domain.evaluation import EVALUATION, Evaluation
from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.domain.training_exit import FULL_DISK, FULL_DISK_WORDS
from vqa_tui.operations.training_packages import require_training_packages
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.devices import device_named
from vqa_tui.process.evaluator import LOG, evaluator_command, run_evaluator
from vqa_tui.store import trainings

_ERROR = "error: "


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
    if limit is not None and limit < 1:
        raise VqaError(f"an evaluation of {limit} rows finds nothing", hint="Give 1 or more.")
    require_training_packages(judging=True)
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    if found.at_work:
        raise VqaError(f"the training {found.name} is at work", hint="Evaluate it when it has ended, or stop it.")
    if not found.held_out:
        raise VqaError(
            f"the training {found.name} has no held-out rows to judge by",
            hint="Train with `validation` above 0, or on an export with a split.",
        )
    folder = workspace.paths.training_folder(training_id)
    command = evaluator_command(folder / "config.json", limit)
    place = device_named(device or found.device, 1)
    try:
        status, last = await run_evaluator(workspace.paths, training_id, place, command, tell)
    except OSError as error:
        raise VqaError(f"the evaluation cannot be started: {error.strerror or error}") from error
    if status:
        words = last.removeprefix(_ERROR) if last.startswith(_ERROR) else _ending(status)
        raise WorkFailed(f"the evaluation of {found.name} failed: {words}", hint=f"Its log: {folder / LOG}")
    evaluation = await last_evaluation(workspace, training_id)
    if evaluation is None:
        raise WorkFailed(f"the evaluation of {found.name} left nothing behind", hint=f"Its log: {folder / LOG}")
    return evaluation


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
