"""An evaluation is ended by who cancels its training, though its starter be dead; the training stays what it was."""

import asyncio
import fcntl
import os
import sys

import pytest

from tests.process.conftest import Hall, until
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingWish
from vqa_tui.operations.training_start import cancel_training, delete_training, resume_training, stop_training
from vqa_tui.process.evaluator import run_evaluator
from vqa_tui.process.known_process import note_process
from vqa_tui.store import trainings

_SLEEPS = [sys.executable, "-S", "-c", "import signal; print('judging', flush=True); signal.pause()"]


@pytest.mark.parametrize("phase", [TrainingPhase.DONE, TrainingPhase.TRAINING], ids=["done", "lost"])
async def test_cancelling_ends_the_evaluation_alone(hall: Hall, phase: TrainingPhase) -> None:
    number = await hall.make("a")
    await trainings.report_phase(hall.workspace.db, number, phase)
    told: list[str] = []
    work = asyncio.create_task(run_evaluator(hall.workspace.paths, number, "cpu", _SLEEPS, told.append))
    await until(lambda: told == ["judging"])
    with pytest.raises(VqaError, match="a is being evaluated") as raised:
        await stop_training(hall.workspace, number)
    assert "train cancel" in raised.value.hint
    assert (await hall.summary(number)).evaluated
    for act in (delete_training, resume_training):
        with pytest.raises(VqaError, match="a is being evaluated") as refused:
            await act(hall.workspace, number)
        assert f"train cancel {number}" in refused.value.hint
    assert (await cancel_training(hall.workspace, number)).evaluated
    status, _last = await work
    assert status != 0
    found = await hall.summary(number)
    assert (found.phase, found.wish, found.at_work, found.evaluated) == (phase, TrainingWish.RUN, False, False)
    assert not (hall.folder(number) / "stop").exists()
    assert not hall.workspace.paths.training_evaluator(number).exists()


async def test_one_whose_starter_was_killed_can_be_cancelled(hall: Hall) -> None:
    number = await hall.make("a")
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.DONE)
    held = os.open(hall.workspace.paths.training_lock(number), os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    alone = await asyncio.create_subprocess_exec(*_SLEEPS, start_new_session=True, pass_fds=[held])
    os.close(held)
    note_process(hall.workspace.paths.training_evaluator(number), alone.pid)
    cancelling = asyncio.create_task(cancel_training(hall.workspace, number))
    await alone.wait()
    await cancelling
    found = await hall.summary(number)
    assert (found.phase, found.at_work) == (TrainingPhase.DONE, False)
    # What is left of the note misleads nobody: the next process at work takes it away.
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.FAILED)
    assert await hall.supervise(number, resume=True) == 0
    assert not hall.workspace.paths.training_evaluator(number).exists()
