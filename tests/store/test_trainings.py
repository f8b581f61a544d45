"""Trainings in the store: made, steered, reported on, and forgotten."""

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingWish
from vqa_tui.domain.training_events import Event, Saved, Started, event_line
from vqa_tui.domain.training_files import METRICS
from vqa_tui.paths import WorkspacePaths
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store import trainings
from vqa_tui.store.db import Database

CONFIG = '{"backend":"peft","model":"tiny"}'


async def make(database: Database, name: str = "a") -> int:
    return await trainings.create_training(database, name=name, config=CONFIG, data="{}", device="cpu", priority=2)


async def test_a_training_as_it_is_made(database: Database, paths: WorkspacePaths) -> None:
    number = await make(database)
    await trainings.complete_training(database, number, command='["python"]', rows=9, held_out=1)
    found = await trainings.training_summary(database, paths, number)
    assert (found.name, found.model, found.backend, found.device, found.priority) == ("a", "tiny", "peft", "cpu", 2)
    assert (found.phase, found.wish, found.rows, found.held_out) == (TrainingPhase.QUEUED, TrainingWish.RUN, 9, 1)
    assert (found.started_at, found.ended_at, found.step, found.total_steps) == (None, None, 0, None)
    frozen = await trainings.frozen_training(database, number)
    assert (frozen.config, frozen.data, frozen.command) == (CONFIG, "{}", '["python"]')
    with pytest.raises(VqaError, match="there is a training named a already"):
        await make(database)


async def test_it_is_lost_when_it_ought_to_live_and_does_not(database: Database, paths: WorkspacePaths) -> None:
    number = await make(database)
    assert (await trainings.training_summary(database, paths, number)).is_lost
    async with ProcessLock(paths.training_lock(number)):
        found = await trainings.training_summary(database, paths, number)
        assert found.at_work and not found.is_lost
    await trainings.report_phase(database, number, TrainingPhase.FAILED, "why")
    found = await trainings.training_summary(database, paths, number)
    assert not found.is_lost and found.reason == "why" and found.ended_at is not None


async def test_the_step_is_what_the_trainer_told_where_its_supervisor_is_gone(
    database: Database, paths: WorkspacePaths
) -> None:
    number = await make(database)
    await trainings.report_phase(database, number, TrainingPhase.TRAINING)
    await trainings.report_steps(database, number, 40, 90)
    folder = paths.training_folder(number)
    folder.mkdir(parents=True)
    begun = Started(0, 0, 90, 1, 9, 0, "CPU", "fp32", 10, 5)
    saved = Saved(0, 55, "checkpoints/checkpoint-55", 1)
    cases: list[tuple[list[Event], int]] = [([], 40), ([begun], 0), ([begun, saved], 55), ([begun, saved, begun], 0)]
    for told, step in cases:
        (folder / METRICS).write_text("".join(event_line(each) + "\n" for each in told), "utf-8")
        assert (await trainings.training_summary(database, paths, number)).step == step
    async with ProcessLock(paths.training_supervisor_lock(number)):
        assert (await trainings.training_summary(database, paths, number)).step == 40


async def test_phases_keep_when_it_began_and_ended(database: Database, paths: WorkspacePaths) -> None:
    number = await make(database)
    assert await trainings.process_of(database, number) is None
    await trainings.report_phase(database, number, TrainingPhase.STARTING, process=(12, 345))
    await trainings.report_phase(database, number, TrainingPhase.TRAINING)
    await trainings.report_steps(database, number, 3, 30)
    found = await trainings.training_summary(database, paths, number)
    assert found.started_at and found.ended_at is None and (found.step, found.total_steps) == (3, 30)
    assert await trainings.process_of(database, number) == (12, 345)
    await trainings.report_phase(database, number, TrainingPhase.STOPPED)
    ended = await trainings.training_summary(database, paths, number)
    assert ended.ended_at and ended.started_at == found.started_at
    await trainings.report_phase(database, number, TrainingPhase.STARTING)
    again = await trainings.training_summary(database, paths, number)
    assert again.ended_at is None and again.started_at and again.started_at >= found.started_at


async def test_wishes_priorities_and_the_newest_first(database: Database, paths: WorkspacePaths) -> None:
    first, second = await make(database), await make(database, "b")
    await trainings.wish_for(database, first, TrainingWish.STOP)
    await trainings.set_priority(database, second, 7)
    assert await trainings.current_wish(database, first) is TrainingWish.STOP
    found = await trainings.training_summaries(database, paths)
    assert [(each.id, each.priority) for each in found] == [(second, 7), (first, 2)]
    await trainings.delete_training(database, first)
    assert await trainings.current_wish(database, first) is None
    assert await make(database, "c") > second, "the number of a deleted training is never given again"
    for look in (trainings.training_summary(database, paths, first), trainings.frozen_training(database, first)):
        with pytest.raises(VqaError, match=f"there is no training {first}"):
            await look
