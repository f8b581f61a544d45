"""An evaluation in a process that outlives who began it, and what is seen of it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.domain.test_evaluation import made
from vqa_tui.config.freeze import freeze_training
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.evaluation import EVALUATION
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.operations.training_evaluation import evaluation_sight, evaluation_stamp, start_evaluation
from vqa_tui.operations.training_packages import missing_training_packages
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.process.evaluator import LOG
from vqa_tui.process.known_process import note_process
from vqa_tui.process.lock import ProcessLock, is_let_go
from vqa_tui.store import trainings


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "place") as opened:
        yield opened


async def make(workspace: Workspace, *, held_out: int = 4) -> Path:
    """Store the training 1, which is done, and return its folder."""
    config = freeze_training(TrainingConfig(name="bags", model="tiny"))
    number = await trainings.create_training(
        workspace.db, name="bags", config=config, data="{}", device="cpu", priority=0
    )
    await trainings.complete_training(workspace.db, number, command="[]", rows=9, held_out=held_out)
    await trainings.report_phase(workspace.db, number, TrainingPhase.DONE)
    folder = workspace.paths.training_folder(number)
    folder.mkdir(parents=True)
    return folder


async def test_what_there_is_to_see_follows_its_files(workspace: Workspace) -> None:
    folder = await make(workspace)
    nothing = evaluation_stamp(workspace, 1)
    sight = await evaluation_sight(workspace, 1)
    assert (sight.found, sight.problem, sight.said) == (None, "", ())
    (folder / EVALUATION).write_text(made().as_json())
    (folder / LOG).write_text("judging\n")
    os.utime(folder / LOG, (1, 1))
    assert evaluation_stamp(workspace, 1) != nothing
    sight = await evaluation_sight(workspace, 1)
    assert sight.found == made() and not sight.problem and not sight.said
    (folder / LOG).write_text("judging\nlibrary: a warning as it leaves\n")
    os.utime(folder / EVALUATION, (1, 1))
    assert not (await evaluation_sight(workspace, 1)).problem
    (folder / LOG).write_text("base: row 1 of 4\n")
    assert (await evaluation_sight(workspace, 1)).problem.endswith("it was ended before it was done")
    (folder / LOG).write_text("loading libraries\nerror: out of memory. Lower max_pixels.\n")
    os.utime(folder / EVALUATION, (1, 1))
    sight = await evaluation_sight(workspace, 1)
    assert sight.problem == "the newest evaluation found nothing: out of memory. Lower max_pixels."
    assert sight.found == made()


async def test_one_is_at_work_while_its_note_is_there_its_lock_held_and_no_supervisor_lives(
    workspace: Workspace,
) -> None:
    folder = await make(workspace)
    (folder / LOG).write_text("base: row 1 of 4\n")
    paths = workspace.paths

    async def evaluated() -> bool:
        return (await trainings.training_summary(workspace.db, paths, 1)).evaluated

    note_process(paths.training_evaluator(1), os.getpid())
    assert not await evaluated(), "a note that was left behind is none"
    async with ProcessLock(paths.training_lock(1)):
        assert await evaluated()
        assert (await evaluation_sight(workspace, 1)).said == ("base: row 1 of 4",)
        async with ProcessLock(paths.training_supervisor_lock(1)):
            assert not await evaluated()
        paths.training_evaluator(1).unlink()
        assert not await evaluated()


async def test_what_cannot_be_judged_is_refused_before_anything_starts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.operations.training_packages.find_spec", lambda _name: object())
    monkeypatch.setattr("vqa_tui.process.spawn.spawn_detached", None)
    await make(workspace, held_out=0)
    with pytest.raises(VqaError, match="no held-out rows"):
        await start_evaluation(workspace, 1)
    with pytest.raises(VqaError, match="an evaluation of 0 rows"):
        await start_evaluation(workspace, 1, limit=0)
    note_process(workspace.paths.training_evaluator(1), os.getpid())
    async with ProcessLock(workspace.paths.training_lock(1)):
        with pytest.raises(VqaError, match="is being evaluated"):
            await start_evaluation(workspace, 1)


@pytest.mark.skipif(bool(missing_training_packages(judging=True)), reason="needs the train extra")
async def test_its_own_process_tells_why_it_found_nothing(workspace: Workspace) -> None:
    """The real program, on a configuration that cannot be read: it may end before it is seen at work."""
    folder = await make(workspace)
    (folder / "config.json").write_text("{")
    try:
        await start_evaluation(workspace, 1, limit=2)
    except VqaError as error:
        assert "ended at once" in str(error) and "is not the configuration of a training" in str(error)
    assert await is_let_go(workspace.paths.training_lock(1), patience_s=60)
    sight = await evaluation_sight(workspace, 1)
    assert sight.found is None and "is not the configuration of a training" in sight.problem
