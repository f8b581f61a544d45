"""The process that stands over a training: waits for its device, starts the trainer, hears what a person wants, and
says how it ended. It loads no PyTorch, so it lives when the trainer does not."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import takewhile
from pathlib import Path

from vqa_tui.config.training import Launch, TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingWish
from vqa_tui.domain.training_events import Ended, Event, Saving, Started, Stepped, events
from vqa_tui.domain.training_exit import FULL_DISK, FULL_DISK_WORDS, told_reason
from vqa_tui.domain.training_files import METRICS, STOP_FILE
from vqa_tui.paths import WorkspacePaths
from vqa_tui.process.devices import CPU, Taken, places_of, strangers, take, variables_for
from vqa_tui.process.first_failure import first_failure, forget_reasons, killed_by
from vqa_tui.process.lock import ProcessLock
from vqa_tui.process.process_group import end_group, group_lives, start_ticks
from vqa_tui.process.training_command import start_in_session, trainer_command
from vqa_tui.process.training_delivery import deliver
from vqa_tui.store import trainings
from vqa_tui.store.db import Database, StoreTrouble, Unstorable
from vqa_tui.tail import tail

_SESSION = re.compile(r"^\$ ", re.MULTILINE)
"""Begins the line with which a session begins in the log: its command."""
_LINES_OF_END = 400
"""Of the log, in which a launcher tells of the processes that failed."""
_LOOK_EVERY_S = 0.2
_WAIT_EVERY_S = 0.5


MakeCommand = Callable[[Path, Launch, bool, str], list[str]]
"""Configuration, launch, whether to resume, device → the arguments that start the trainer."""


class EventTail:
    """What a trainer wrote since it was last asked; a line that is not whole yet waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def new(self) -> list[Event]:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return []
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return list(events(line.decode("utf-8", "replace") for line in lines))


def last_word(folder: Path) -> Ended | None:
    """Return how the newest session of a training ended by its own account; None where it told no end."""
    try:
        lines = (folder / METRICS).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    told = [event for event in events(lines) if isinstance(event, Started | Ended)]
    return told[-1] if told and isinstance(told[-1], Ended) else None


async def supervise(
    paths: WorkspacePaths, training_id: int, *, resume: bool, command: MakeCommand = trainer_command
) -> int:
    """Bring a training to its end and return the exit status: 0 done, stopped or cancelled, 1 failed.

    Raises AlreadyAtWork when its processes live already, Unstorable when the workspace file does not take its end, and
    VqaError when there is no such training.
    """
    words = {"taken": "this training is at work already", "hint": f"Watch it: `vqa-tui train watch {training_id}`."}
    # This one first: whoever finds the other held and this one free knows that the trainer is alone.
    supervising = ProcessLock(paths.training_supervisor_lock(training_id), **words)
    lock = ProcessLock(paths.training_lock(training_id), **words)
    async with supervising, lock, Database.open(paths) as database:
        frozen = await trainings.frozen_training(database, training_id)
        supervisor = _Supervisor(paths, database, training_id, frozen.device, lock, command)
        config = TrainingConfig.model_validate_json(frozen.config)
        # One that was left behind by an evaluator is no word on who holds the lock.
        paths.training_evaluator(training_id).unlink(missing_ok=True)
        if resume and await supervisor.settle(config):
            return 0
        try:
            places = places_of(frozen.device, config.launch.processes)
        except VqaError as error:
            await supervisor.fail(error)
            return 1
        number = 1 if frozen.device == CPU else config.launch.processes
        async with supervisor.turn_on(places, number, resume=resume) as taken:
            return await supervisor.run(config, taken, resume=resume) if taken else int(supervisor.has_failed)


class _Supervisor:
    def __init__(
        self,
        paths: WorkspacePaths,
        database: Database,
        training_id: int,
        device: str,
        lock: ProcessLock,
        command: MakeCommand,
    ) -> None:
        self._paths, self._database, self._id, self._device = paths, database, training_id, device
        self._lock = lock
        self._command = command
        self._folder = paths.training_folder(training_id)
        self._last: Ended | None = None
        self._phase = TrainingPhase.QUEUED
        self._total: int | None = None
        self._output = ""
        self._left = ""
        """What is to be said of processes that outlived every signal."""

    async def settle(self, config: TrainingConfig) -> bool:
        """Take over the end of a trainer that did its last step with nobody to report it; return whether it had."""
        self._output = config.output
        word = last_word(self._folder)
        if word is None or word.phase != TrainingPhase.DONE:
            return False
        found = await trainings.training_summary(self._database, self._paths, self._id)
        await trainings.report_steps(self._database, self._id, word.step, found.total_steps)
        await self._report(TrainingPhase.DONE, await self._deliver() or word.reason)
        return True

    async def fail(self, error: VqaError) -> None:
        """Say that it cannot be."""
        await self._report(TrainingPhase.FAILED, error.sentence)

    @property
    def has_failed(self) -> bool:
        return self._phase is TrainingPhase.FAILED

    @asynccontextmanager
    async def turn_on(self, places: Sequence[str], number: int, *, resume: bool) -> AsyncIterator[Taken | None]:
        """Wait until so many of the places are free and nobody of higher priority waits for them; yield None when a
        person would rather have it end, or no device can be locked."""
        taken = await self._wait_for_turn(places, number, resume=resume)
        try:
            yield taken
        finally:
            if taken is not None:
                taken.release()

    async def _wait_for_turn(self, places: Sequence[str], number: int, *, resume: bool) -> Taken | None:
        waits, told = f"waits for its turn on {self._device}", ""
        await self._report(TrainingPhase.QUEUED, waits)
        while True:
            wish = await self._wish()
            if wish is TrainingWish.STOP and resume:
                await self._report(TrainingPhase.STOPPED, "it was waiting to go on; its checkpoints are whole")
                return None
            if wish is not TrainingWish.RUN:
                await self._report(TrainingPhase.CANCELLED, "" if resume else "it had not begun")
                return None
            wanted = await self._wanted_before_us()
            free = [place for place in places if wanted is not None and place not in wanted]
            try:
                if taken := take(self._paths, free, number, f"the training {self._id}"):
                    return taken
                others = strangers(self._paths, free)
            except VqaError as error:
                await self.fail(error)
                return None
            if free and others != told:
                told = others
                await self._report(TrainingPhase.QUEUED, f"{waits}: {told}" if told else waits)
            await asyncio.sleep(_WAIT_EVERY_S)

    async def _wanted_before_us(self) -> set[str] | None:
        """The places that those ahead of us in the queue may take; None while the queue cannot be read."""
        try:
            found = await trainings.training_summaries(self._database, self._paths)
        except StoreTrouble:
            return None
        queue = [each for each in found if each.waits or each.id == self._id]
        queue.sort(key=lambda each: (-each.priority, each.id))
        wanted: set[str] = set()
        for each in takewhile(lambda each: each.id != self._id, queue):
            with suppress(VqaError):  # its own supervisor says so
                wanted.update(places_of(each.device, 1))
        return wanted

    async def run(self, config: TrainingConfig, taken: Taken, *, resume: bool) -> int:
        """Start the trainer, follow it to its end, and say how that was."""
        self._output = config.output
        (self._folder / STOP_FILE).unlink(missing_ok=True)
        forget_reasons(self._folder)
        told = EventTail(self._folder / METRICS)
        try:
            child = self._start(config, taken, resume=resume)
        except OSError as error:
            await self._report(TrainingPhase.FAILED, f"the trainer cannot be started: {error.strerror or error}")
            return 1
        await self._report(TrainingPhase.STARTING, "", process=(child.pid, start_ticks(child.pid)))
        wish = TrainingWish.RUN
        try:
            while child.poll() is None:
                await self._note(told.new())
                wish = await self._heed(wish, child.pid)
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            if group_lives(child.pid):
                await self._end(child.pid)
        await self._note(told.new())
        if not self._left:
            # What is left to do, copying it to its output say, needs no device.
            taken.release()
        return await self._finish(child.returncode, wish)

    def _start(self, config: TrainingConfig, taken: Taken, *, resume: bool) -> subprocess.Popen[bytes]:
        command = self._command(self._folder / "config.json", config.launch, resume, self._device)
        variables = variables_for(taken.places)
        with open(self._paths.training_log(self._id), "ab") as log:
            log.write(f"$ {' '.join([*(f'{name}={each}' for name, each in variables.items()), *command])}\n".encode())
            log.flush()
            # While any process of the trainer lives the training is at work and its places are taken.
            held = (self._lock.descriptor, *taken.descriptors)
            return start_in_session(command, self._folder, log, variables, held)

    async def _note(self, seen: list[Event]) -> None:
        step: int | None = None
        total: int | None = None
        for event in seen:
            match event:
                case Started():
                    self._total = event.total_steps
                    step, total = event.first_step, event.total_steps
                    if self._phase is TrainingPhase.STARTING:
                        await self._report(TrainingPhase.TRAINING)
                case Stepped():
                    step, total = event.step, self._total
                case Saving():
                    await self._report(TrainingPhase.SAVING)
                case Ended():
                    self._last = event
                case _:
                    continue
        if step is not None:
            try:
                await trainings.report_steps(self._database, self._id, step, total)
            except StoreTrouble:
                return  # the next step tells; the trainer goes on

    async def _heed(self, before: TrainingWish, group: int) -> TrainingWish:
        wish = await self._wish()
        if wish is before:
            return before
        if wish is TrainingWish.STOP:
            (self._folder / STOP_FILE).touch()
            await self._report(TrainingPhase.STOPPING, "the step is finished and a checkpoint written")
        elif wish is TrainingWish.CANCEL:
            await self._report(TrainingPhase.STOPPING, "cancelled: its processes are being ended")
            await self._end(group)
        return wish

    async def _end(self, group: int) -> None:
        """End the trainer's processes, and remember whether one could not be."""
        if await end_group(group):
            self._left = ""
            return
        lock = self._paths.training_lock(self._id)
        self._left = f"a process of it does not end and may hold its device: `fuser {lock}` names it"

    async def _finish(self, status: int, wish: TrainingWish) -> int:
        if wish is TrainingWish.CANCEL:
            await self._report(TrainingPhase.CANCELLED, self._left)
            return 0
        if status == 0 and self._last is not None:
            phase = TrainingPhase(self._last.phase)
            reason = await self._deliver() if phase is TrainingPhase.DONE else ""
            await self._report(phase, self._and_left(reason or self._last.reason))
            return 0
        await self._report(TrainingPhase.FAILED, self._and_left(self._why(status)))
        return 1

    def _and_left(self, reason: str) -> str:
        return ". ".join(filter(None, (reason.removesuffix("."), self._left))) if self._left else reason

    async def _deliver(self) -> str:
        """Copy what was learned to where a person wants it; return why that could not be done."""
        if not self._output:
            return ""
        try:
            await asyncio.to_thread(deliver, self._folder, Path(self._output))
        except OSError as error:
            return f"its adapter is in {self._folder}: it cannot be copied to {self._output}: {error.strerror or error}"
        return ""

    def _why(self, status: int) -> str:
        told = self._last.reason if self._last is not None and self._last.phase == TrainingPhase.FAILED else ""
        if status < 0:
            return told or killed_by(-status, "the trainer")
        log = _SESSION.split(tail(self._paths.training_log(self._id), lines=_LINES_OF_END))[-1]
        if why := first_failure(self._folder, log) or told or told_reason(log):
            return why
        if status == FULL_DISK:
            return f"{FULL_DISK_WORDS}: `train resume` goes on from its newest checkpoint"
        return f"the trainer ended with exit status {status}; its log says more"

    async def _wish(self) -> TrainingWish:
        try:
            return await trainings.current_wish(self._database, self._id) or TrainingWish.CANCEL
        except StoreTrouble:
            return TrainingWish.RUN

    async def _report(self, phase: TrainingPhase, reason: str = "", *, process: tuple[int, int] | None = None) -> None:
        """Store the phase; a disk that is full is waited for, since nobody else would tell how it ended. Raises
        Unstorable for an end that no workspace file will ever take."""
        self._phase = phase
        while True:
            try:
                await trainings.report_phase(self._database, self._id, phase, reason, process=process)
                return
            except StoreTrouble as trouble:
                if phase.is_live:
                    return
                if isinstance(trouble, Unstorable):
                    raise
                await asyncio.sleep(_WAIT_EVERY_S)
