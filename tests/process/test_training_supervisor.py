"""What stands over a trainer: it waits for a device, hears wishes, says how it ended, and leaves nothing alive."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import Hall, stand_in, until
from vqa_tui.config.training import Launch
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.operations.training_queue import set_priority, shift_priority
from vqa_tui.operations.training_start import cancel_training, delete_training, resume_training, stop_training
from vqa_tui.paths import device_lock
from vqa_tui.process import training_supervisor
from vqa_tui.process.devices import make_lock_folder, take
from vqa_tui.process.known_process import KnownProcess
from vqa_tui.process.lock import AlreadyAtWork
from vqa_tui.process.process_group import end_group, group_lives, start_ticks
from vqa_tui.store import trainings
from vqa_tui.store.db import StoreTrouble, Unstorable


def has_begun(found: TrainingSummary) -> bool:
    return found.step > 0


async def test_it_follows_the_steps_to_the_end(hall: Hall) -> None:
    number = await hall.make("a")
    assert await hall.supervise(number) == 0
    found = await hall.summary(number)
    assert (found.phase, found.reason, found.step, found.total_steps) == (TrainingPhase.DONE, "", 5, 5)
    assert not found.at_work and found.started_at and found.ended_at
    assert "stand_in.py" in (hall.folder(number) / "log").read_text()


async def test_that_it_saves_is_a_phase_of_its_own(hall: Hall) -> None:
    number = await hall.make("a")
    task = hall.supervise(number, "saves")
    await hall.reaches(number, lambda found: found.phase is TrainingPhase.SAVING)
    (hall.folder(number) / "written").touch()
    assert await task == 0
    assert (await hall.summary(number)).phase is TrainingPhase.DONE


async def test_what_an_earlier_session_said_is_no_reason(hall: Hall) -> None:
    number = await hall.make("a")
    (hall.folder(number) / "reason-1").write_text(json.dumps({"at": 1, "reason": "old", "follows": False}))
    (hall.folder(number) / "log").write_text("exitcode: -9\n")
    assert await hall.supervise(number, "full") == 1
    assert (await hall.summary(number)).reason == "the disk is full"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("full", "the disk is full"),
        ("mute", "the disk is full. Free some space"),
        ("words", "out of memory. Lower max_pixels."),
        ("killed", "killed by SIGKILL; the system does that when memory runs out. Its checkpoints are whole"),
    ],
)
async def test_why_it_failed_is_a_sentence(hall: Hall, how: str, words: str) -> None:
    number = await hall.make("a")
    assert await hall.supervise(number, how) == 1
    found = await hall.summary(number)
    assert found.phase is TrainingPhase.FAILED and words in found.reason


async def test_a_trainer_that_cannot_be_started_has_failed(hall: Hall) -> None:
    number = await hall.make("a")
    work = training_supervisor.supervise(
        hall.workspace.paths, number, resume=False, command=lambda *_: ["/nowhere/python"]
    )
    assert await work == 1
    assert "cannot be started: No such file" in (await hall.summary(number)).reason


async def test_stopped_it_saves_and_goes_on_from_there(hall: Hall) -> None:
    number = await hall.make("a")
    task = hall.supervise(number, "waits")
    await hall.reaches(number, has_begun)
    await stop_training(hall.workspace, number)
    assert await task == 0
    found = await hall.summary(number)
    assert (found.phase, found.reason) == (TrainingPhase.STOPPED, "stopped after step 1")
    await hall.wish(number, TrainingWish.RUN)
    assert await hall.supervise(number, resume=True) == 0
    assert json.loads((hall.folder(number) / "seen.json").read_text())["arguments"] == ["--resume"]
    assert (await hall.summary(number)).phase is TrainingPhase.DONE


async def test_cancelled_it_ends_with_children_that_are_deaf(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """INT and TERM are ignored by the trainer and both its children; one of these has a session of its own."""
    sent: list[signal.Signals] = []
    quick = ((signal.SIGINT, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 10.0))

    async def end_soon(group: int) -> bool:
        sent.append(signal.SIGINT)
        return await end_group(group, quick)

    monkeypatch.setattr(training_supervisor, "end_group", end_soon)
    number = await hall.make("a")
    task = hall.supervise(number, "deaf")
    await hall.reaches(number, has_begun)
    children = [int(each) for each in (hall.folder(number) / "children").read_text().split()]
    assert all(start_ticks(child) for child in children)
    await cancel_training(hall.workspace, number)
    assert await task == 0 and sent
    assert (await hall.summary(number)).phase is TrainingPhase.CANCELLED
    await until(lambda: not any(is_running(child) for child in children))


@pytest.mark.parametrize(("how", "phase"), [("waits", TrainingPhase.CANCELLED), ("leaves", TrainingPhase.DONE)])
async def test_what_does_not_end_is_told(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, how: str, phase: TrainingPhase
) -> None:
    """One that hangs in a driver survives SIGKILL; here it is one that nobody sends any."""

    async def in_vain(group: int) -> bool:
        os.killpg(group, signal.SIGKILL)
        return False

    monkeypatch.setattr(training_supervisor, "end_group", in_vain)
    number = await hall.make("a")
    task = hall.supervise(number, how)
    if how == "waits":
        await hall.reaches(number, has_begun)
        await cancel_training(hall.workspace, number)
    assert await task == 0
    found = await hall.summary(number)
    assert found.phase is phase
    assert "a process of it does not end and may hold its device" in found.reason and "fuser" in found.reason


async def test_one_that_hears_the_first_signal_gets_no_other(hall: Hall) -> None:
    number = await hall.make("a")
    hall.supervise(number, "waits")
    await hall.reaches(number, has_begun)
    process = await trainings.process_of(hall.workspace.db, number)
    assert process is not None
    assert await end_group(process[0], ((signal.SIGINT, 30.0),))
    found = await hall.reaches(number, lambda each: not each.at_work)
    assert found.phase is TrainingPhase.FAILED and ("SIGINT" in found.reason or "130" in found.reason)


async def test_without_its_supervisor_it_works_on_and_can_be_stopped(hall: Hall) -> None:
    number, alone = await left_alone(hall, "waits")
    assert (await hall.summary(number)).at_work
    with pytest.raises(AlreadyAtWork):
        await training_supervisor.supervise(hall.workspace.paths, number, resume=True)
    await stop_training(hall.workspace, number)
    found = await hall.reaches(number, lambda each: not each.at_work)
    assert found.is_lost
    await alone.wait()
    await hall.wish(number, TrainingWish.RUN)
    assert await hall.supervise(number, resume=True) == 0
    assert (await hall.summary(number)).phase is TrainingPhase.DONE


async def test_without_its_supervisor_it_can_be_cancelled(hall: Hall) -> None:
    number, alone = await left_alone(hall, "waits")
    cancelling = asyncio.create_task(cancel_training(hall.workspace, number))
    await alone.wait()
    await cancelling
    found = await hall.summary(number)
    assert found.phase is TrainingPhase.CANCELLED and not found.at_work
    with pytest.raises(VqaError, match="not at work: it is cancelled"):
        await cancel_training(hall.workspace, number)


async def test_a_number_that_may_be_another_process_gets_no_signal(hall: Hall) -> None:
    """Where there is no /proc nothing tells when a process began: the number is said instead."""
    number, alone = await left_alone(hall, "waits")
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.TRAINING, process=(alone.pid, 0))
    with pytest.raises(VqaError, match="does not end") as raised:
        await cancel_training(hall.workspace, number)
    assert f"kill {alone.pid}" in raised.value.hint and alone.returncode is None
    assert (await hall.summary(number)).phase is TrainingPhase.TRAINING
    assert not KnownProcess(10**9, 0).is_certain, "there is none of that number, so its start is not told either"


async def test_a_group_of_another_person_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_group: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    assert not group_lives(1)
    assert await end_group(10**9, ((signal.SIGINT, 0.0),))


@pytest.mark.parametrize("there", ["nothing", "delivered", "another's"])
async def test_one_that_was_done_with_nobody_to_see_is_settled(hall: Hall, tmp_path: Path, there: str) -> None:
    output = tmp_path / "mine"
    number, alone = await left_alone(hall, "waits", output=str(output))
    (hall.folder(number) / "adapter").mkdir()
    (hall.folder(number) / "adapter" / "weights").write_text("learned")
    if there == "delivered":
        shutil.copytree(hall.folder(number) / "adapter", output)
    elif there == "another's":
        output.mkdir()
        (output / "weights").write_text("not ours")
    (hall.folder(number) / "stop").touch()
    await alone.wait()
    metrics = hall.folder(number) / "metrics.jsonl"
    metrics.write_text(
        metrics.read_text()
        + '{"event":"start","at":1,"first_step":1,"total_steps":5,"epochs":1,"rows":1,"held_out":0,"device":"CPU",'
        '"precision":"fp32","parameters":1,"trainable":1}\n'
        '{"event":"end","at":2,"phase":"done","reason":"","step":5}\n{"event":"st'
    )
    (hall.folder(number) / "seen.json").unlink()
    assert await hall.supervise(number, resume=True) == 0
    found = await hall.summary(number)
    assert (found.phase, found.step) == (TrainingPhase.DONE, 5)
    assert ("cannot be copied" in found.reason) == (there == "another's"), found.reason
    assert (output / "weights").read_text() == ("not ours" if there == "another's" else "learned")
    assert not (hall.folder(number) / "seen.json").exists(), "no trainer is started for it"


async def test_one_at_a_time_and_the_highest_priority_first(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await hall.make("first")
    task = hall.supervise(first, "waits")
    await hall.reaches(first, has_begun)
    low, high = await hall.make("low"), await hall.make("high", priority=5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    elsewhere = await hall.make("elsewhere", device="gpu")
    waiting = {number: hall.supervise(number, "waits") for number in (low, high)}
    for number in waiting:
        found = await hall.reaches(number, lambda each: each.reason == "waits for its turn on cpu")
        assert found.phase is TrainingPhase.QUEUED and found.at_work
    assert await hall.supervise(elsewhere) == 0
    await stop_training(hall.workspace, first)
    assert await task == 0
    await hall.reaches(high, has_begun)
    assert (await hall.summary(low)).phase is TrainingPhase.QUEUED
    await stop_training(hall.workspace, high)
    await hall.reaches(low, has_begun)
    await stop_training(hall.workspace, low)
    assert await asyncio.gather(*waiting.values()) == [0, 0]


async def test_a_priority_that_is_changed_while_it_waits_is_heeded(hall: Hall) -> None:
    first = await hall.make("first")
    task = hall.supervise(first, "waits")
    await hall.reaches(first, has_begun)
    older, newer = await hall.make("older"), await hall.make("newer")
    waiting = [hall.supervise(number, "waits") for number in (older, newer)]
    for number in (older, newer):
        await hall.reaches(number, lambda each: each.waits)
    stands = await shift_priority(hall.workspace, newer, 1)
    assert (stands.place, stands.waiting, stands.priority) == (1, 2, 1)
    assert (await set_priority(hall.workspace, older, -3)).place == 2
    with pytest.raises(VqaError, match="first has its device already: it is training"):
        await set_priority(hall.workspace, first, 9)
    await stop_training(hall.workspace, first)
    assert await task == 0
    await hall.reaches(newer, has_begun)
    assert (await hall.summary(older)).waits
    for number in (newer, older):
        await stop_training(hall.workspace, number)
    assert await asyncio.gather(*waiting) == [0, 0]


async def test_one_that_waits_while_the_queue_cannot_be_read_waits_on(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    summaries = trainings.training_summaries

    async def summaries_in_the_end(*given: Any) -> tuple[TrainingSummary, ...]:
        asked.append(1)
        if len(asked) < 3:
            raise StoreTrouble("the disk is full")
        return await summaries(*given)

    monkeypatch.setattr(training_supervisor, "_WAIT_EVERY_S", 0.01)
    number = await hall.make("a")
    with monkeypatch.context() as troubled:
        troubled.setattr(trainings, "training_summaries", summaries_in_the_end)
        assert await hall.supervise(number) == 0
    assert len(asked) == 3 and (await hall.summary(number)).phase is TrainingPhase.DONE


async def test_one_that_waits_can_be_stopped_and_deleted(hall: Hall) -> None:
    first = await hall.make("first")
    hall.supervise(first, "waits")
    await hall.reaches(first, has_begun)
    fresh, resumed = await hall.make("fresh"), await hall.make("resumed")
    tasks = [hall.supervise(fresh), hall.supervise(resumed, resume=True)]
    for number in (fresh, resumed):
        await hall.reaches(number, lambda each: each.at_work)
        with pytest.raises(VqaError, match="at work"):
            await delete_training(hall.workspace, number)
        await stop_training(hall.workspace, number)
    assert await asyncio.gather(*tasks) == [0, 0]
    assert (await hall.summary(fresh)).phase is TrainingPhase.CANCELLED
    found = await hall.summary(resumed)
    assert found.phase is TrainingPhase.STOPPED and "its checkpoints are whole" in found.reason
    await delete_training(hall.workspace, fresh)
    assert not hall.folder(fresh).exists()
    with pytest.raises(VqaError, match="no training"):
        await hall.summary(fresh)


async def test_one_that_was_resumed_is_not_what_it_was(hall: Hall) -> None:
    """Who resumed it is answered once its supervisor, here a process of its own, has told another phase."""
    number = await hall.make("a")
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.STOPPED)
    held = take(hall.workspace.paths, ["cpu"], 1)
    assert held is not None
    await resume_training(hall.workspace, number)
    assert (await hall.summary(number)).phase is TrainingPhase.QUEUED
    await cancel_training(hall.workspace, number)
    await hall.reaches(number, lambda each: not each.at_work)
    held.release()


async def test_an_end_that_can_never_be_stored_ends_its_supervisor(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = trainings.report_phase

    async def refused(database: Any, number: int, phase: TrainingPhase, *more: Any, **named: Any) -> None:
        if not phase.is_live:
            raise Unstorable("the workspace file refuses these values")
        await stored(database, number, phase, *more, **named)

    monkeypatch.setattr(trainings, "report_phase", refused)
    number = await hall.make("a")
    with pytest.raises(Unstorable):
        await hall.supervise(number)
    assert (await hall.summary(number)).is_lost


async def test_no_key_reaches_the_trainer(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "HF_TOKEN", "CUDA_SECRET", "SOMETHING"):
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    number = await hall.make("a")
    assert await hall.supervise(number) == 0
    seen = json.loads((hall.folder(number) / "seen.json").read_text())["variables"]
    assert {"PATH", "OMP_NUM_THREADS", "PYTHONUNBUFFERED"} <= set(seen)
    assert not {"GEMINI_API_KEY", "HF_TOKEN", "CUDA_SECRET", "SOMETHING"} & set(seen)
    assert "planted" not in (hall.folder(number) / "log").read_text()


async def left_alone(hall: Hall, how: str, output: str = "") -> tuple[int, "asyncio.subprocess.Process"]:
    """A trainer at work whose supervisor was killed: it holds the locks that it inherited."""
    number = await hall.make("a", output=output)
    folder = hall.folder(number)
    make_lock_folder()
    descriptors = [
        os.open(path, os.O_RDWR | os.O_CREAT)
        for path in (hall.workspace.paths.training_lock(number), device_lock("cpu"))
    ]
    for descriptor in descriptors:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    process = await asyncio.create_subprocess_exec(
        *stand_in(how)(folder / "config.json", Launch(), False, "cpu"), start_new_session=True, pass_fds=descriptors
    )
    for descriptor in descriptors:
        os.close(descriptor)
    known = (process.pid, start_ticks(process.pid))
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.TRAINING, process=known)
    await until(lambda: has_told_a_step(folder))
    return number, process


def has_told_a_step(folder: Path) -> bool:
    path = folder / "metrics.jsonl"
    return path.exists() and '"event": "step"' in path.read_text()


def is_running(pid: int) -> bool:
    """Whether it lives, and is no zombie that its new parent has yet to collect."""
    return stat_of(Path(f"/proc/{pid}"))[:1] not in ([], ["Z"])


def stat_of(process: Path) -> list[str]:
    """Return its state, its parent, and more of its folder in /proc; nothing where it is gone."""
    try:
        return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
