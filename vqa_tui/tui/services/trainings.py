"""Trainings of the workspace as the training mode needs them: how they stand, what they tell, and steering them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.domain.evaluation import EvaluationSight
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.domain.training_events import Event
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.operations import runs, training_evaluation, training_serve, trainings
from vqa_tui.operations.training_packages import missing_training_packages
from vqa_tui.operations.training_serve import ServingSight, serving_sight
from vqa_tui.operations.trainings import TrainingParts
from vqa_tui.tui.present.log_text import LogText
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.operations.training_choices import PairsOfRun, TrainingChoice
    from vqa_tui.operations.training_estimate import TrainingEstimate
    from vqa_tui.operations.training_rows import PairOfRow
    from vqa_tui.operations.training_start import StartedTraining

_CHUNK = 256 * 1024
_LONGEST_LOG = 32 * 1024 * 1024
"""Bytes of the end of a log that are read: more than `MOST_LINES` lines of a trainer."""
_EVENTS_AT_ONCE = 200
_BREATH_S = 0.02
"""Seconds of work after which the screen has its turn."""


@dataclass
class Followed:
    """One training that is looked at: all that was read of it so far."""

    id: int
    parts: TrainingParts
    course: TrainingCourse = field(default_factory=TrainingCourse)
    log: LogText = field(default_factory=LogText)
    version: int = 0
    """Moves with every change of the course."""
    kept: frozenset[int] = frozenset()
    """Steps of the checkpoints that were on disk when one was last written."""
    source: str = ""
    """What it learns from, in words: a run by its name, or a path."""
    read_metrics: int = 0
    """Bytes that were taken in, and so is the next but one."""
    seen_metrics: int = 0
    """Size of the file when all of it was taken in, but for a line that was not whole; and so is the last."""
    read_log: int = 0
    seen_log: int = 0
    sight: EvaluationSight = field(default_factory=EvaluationSight)
    """Of its evaluations."""
    seen_evaluation: tuple[object, ...] = ()
    lacks: str = ""
    """Packages that an evaluation needs and that are not there, in a sentence."""
    serving: ServingSight = field(default_factory=ServingSight)
    """Of the server of what it learned."""
    serving_lacks: str = ""
    """Packages that serving needs and that are not there, in a sentence."""


class Trainings(Door):
    """Reads only what is new: of a quiet workspace one number of the store, a lock for each live training, and the
    sizes of two files."""

    _list: tuple[TrainingSummary, ...] | None = None
    _version = -1

    async def all(self) -> tuple[TrainingSummary, ...]:
        """Return all trainings, newest first: the same tuple as before where nothing has changed."""
        version = await self._workspace.db.data_version()
        if self._list is None or version != self._version or not trainings.nothing_moved(self._workspace, self._list):
            found = await trainings.list_trainings(self._workspace)
            if found != self._list:
                self._list = found
            self._version = version
        assert self._list is not None
        return self._list

    def forget(self) -> None:
        """Read the list anew at the next look."""
        self._list = None

    async def follow(self, training_id: int) -> Followed:
        """Return a training of which nothing is read yet. Raises VqaError when there is none of that id."""
        parts = await trainings.training_parts(self._workspace, training_id)
        source = str(parts.data.get("data", ""))
        if (run_id := parts.data.get("run")) is not None:
            names = {run.id: run.name for run in await runs.list_runs(self._workspace)}
            source = f"run {names.get(run_id, f'{run_id}, deleted')}"
        lacks, serving_lacks = await asyncio.to_thread(_lacks)
        return Followed(training_id, parts, source=source, lacks=lacks, serving_lacks=serving_lacks)

    async def read_on(self, followed: Followed) -> bool:
        """Take in a piece of what is new of the metrics and of the log; return whether there is more."""
        metrics, log = trainings.sizes(self._workspace, followed.id)
        more = False
        if metrics != followed.seen_metrics:
            more = await self._read_metrics(followed, metrics)
        if log != followed.seen_log:
            more = await self._read_log(followed, log) or more
        stamp = training_evaluation.evaluation_stamp(self._workspace, followed.id)
        if stamp != followed.seen_evaluation:
            followed.sight = await training_evaluation.evaluation_sight(self._workspace, followed.id)
            followed.seen_evaluation = stamp
        followed.serving = serving_sight(self._workspace, followed.id)
        return more

    async def _read_metrics(self, followed: Followed, size: int) -> bool:
        if size < followed.read_metrics:
            followed.course, followed.read_metrics = TrainingCourse(), 0
        told = await trainings.training_events(
            self._workspace, followed.id, after_bytes=followed.read_metrics, limit_bytes=_CHUNK
        )
        moved = told.read_bytes != followed.read_metrics
        followed.read_metrics = told.read_bytes
        if told.events:
            await self._take(followed, told.events)
        if moved and followed.read_metrics < size:
            return True
        followed.seen_metrics = size
        return False

    async def _take(self, followed: Followed, told: Sequence[Event]) -> None:
        began = time.perf_counter()
        for start in range(0, len(told), _EVENTS_AT_ONCE):
            followed.course.take(told[start : start + _EVENTS_AT_ONCE])
            if time.perf_counter() - began > _BREATH_S:
                await asyncio.sleep(0)
                began = time.perf_counter()
        # Old ones go after the look that follows a new one, of which no event tells.
        followed.kept = await asyncio.to_thread(trainings.kept_checkpoints, followed.parts.folder)
        followed.version += 1

    async def _read_log(self, followed: Followed, size: int) -> bool:
        if size < followed.read_log:
            followed.log, followed.read_log = LogText(), 0
        after = max(followed.read_log, size - _LONGEST_LOG)
        part = await trainings.log_part(self._workspace, followed.id, after_bytes=after, limit_bytes=_CHUNK)
        in_the_middle = after > followed.read_log
        followed.log.feed(part.data.partition(b"\n")[2] if in_the_middle else part.data)
        followed.read_log = part.end
        if part.data and followed.read_log < size:
            return True
        followed.seen_log = size
        return False

    async def rows(self, training_id: int, ids: Sequence[int]) -> dict[int, TrainingRow]:
        """Return rows of the data by id."""
        from vqa_tui.operations.training_rows import training_rows

        return await training_rows(self._workspace, training_id, ids)

    async def pairs_of_row(self, row: TrainingRow) -> "tuple[PairOfRow, ...]":
        """Return the pairs of the workspace that a row was made of, as they stand at this moment."""
        from vqa_tui.operations.training_rows import pairs_of_row

        return await pairs_of_row(self._writing, row)

    async def reject(self, pairs: "Sequence[PairOfRow]") -> int:
        from vqa_tui.operations.training_rows import reject_pairs

        return await reject_pairs(self._writing, pairs)

    async def stop(self, training_id: int) -> None:
        from vqa_tui.operations.training_start import stop_training

        await stop_training(self._writing, training_id)

    async def cancel(self, training_id: int) -> None:
        from vqa_tui.operations.training_start import cancel_training

        await cancel_training(self._writing, training_id)

    async def evaluate(self, training_id: int, limit: int | None) -> None:
        """Begin an evaluation in a process that outlives the app."""
        await training_evaluation.start_evaluation(self._writing, training_id, limit=limit)

    async def serve(self, training_id: int) -> None:
        """Begin to serve what a training learned, in processes that outlive the app."""
        await training_serve.start_serving(self._writing, training_id)

    async def stop_serving(self, training_id: int) -> None:
        """End that server and all its processes."""
        await training_serve.stop_serving(self._writing, training_id)

    @staticmethod
    def usual_endpoint(name: str) -> str:
        """Return what the endpoint of a training with that name is called."""
        return training_serve.usual_endpoint(name)

    async def set_priority(self, training_id: int, priority: int) -> str:
        """Set which of those that wait goes first; return in a sentence where it stands then."""
        from vqa_tui.operations.training_queue import in_line_words, set_priority

        return in_line_words(await set_priority(self._writing, training_id, priority))

    async def shift_priority(self, training_id: int, by: int) -> str:
        """Raise or lower that by so much."""
        from vqa_tui.operations.training_queue import in_line_words, shift_priority

        return in_line_words(await shift_priority(self._writing, training_id, by))

    async def estimate(self, config: "TrainingConfig", device: str | None) -> "TrainingEstimate":
        """Return what memory a training takes, against what that device has. Raises VqaError where nobody knows."""
        from vqa_tui.operations.training_estimate import estimate_training

        return await asyncio.to_thread(estimate_training, config, device=device)

    async def resume(self, training_id: int) -> None:
        from vqa_tui.operations.training_start import resume_training

        await resume_training(self._writing, training_id)

    async def delete(self, training_id: int) -> None:
        from vqa_tui.operations.training_start import delete_training

        await delete_training(self._writing, training_id)

    async def rename(self, training_id: int, name: str) -> None:
        await trainings.rename_training(self._writing, training_id, name)

    async def size_on_disk(self, training_id: int) -> int:
        """Return how many bytes the folder of a training takes."""
        return await asyncio.to_thread(trainings.size_on_disk, self._workspace, training_id)

    async def choices(self) -> "list[TrainingChoice]":
        """Return the configurations of the menu."""
        from vqa_tui.operations.training_choices import training_choices

        return await asyncio.to_thread(training_choices, self._workspace)

    async def runs(self) -> "list[PairsOfRun]":
        """Return the runs that have pairs."""
        from vqa_tui.operations.training_choices import runs_with_pairs

        return await runs_with_pairs(self._workspace)

    def changed(self, name: str, settings: Sequence[str]) -> "TrainingConfig":
        """Return a configuration with `KEY=VALUE` in place of what stands there. Raises VqaError."""
        from vqa_tui.operations.training_choices import changed

        return changed(self._workspace, name, settings)

    def setting_words(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return what can be changed in a configuration, and the models that are known by name."""
        from vqa_tui.operations.training_models import known_names, setting_keys

        return setting_keys(), known_names()

    def why_not(self, config: "TrainingConfig", device: str | None) -> str:
        """Return what this machine lacks for a configuration on that device; empty where it lacks nothing."""
        from vqa_tui.operations.training_choices import why_not_here

        return why_not_here(config, device)

    def command_of(self, config: "TrainingConfig", device: str | None) -> tuple[str, ...]:
        """Return the arguments that a new training would be started with."""
        from vqa_tui.operations.training_choices import command_of

        return command_of(self._workspace, config, device)

    @staticmethod
    def devices() -> tuple[str, ...]:
        """Return the devices that a new training can be given."""
        from vqa_tui.operations.training_choices import device_choices

        return device_choices()

    async def start(
        self,
        config: "TrainingConfig",
        *,
        run_id: int | None,
        data: Path | None,
        accepted: bool,
        name: str | None,
        device: str | None,
        priority: int,
    ) -> "StartedTraining":
        """Make a training and start its process. Raises VqaError; there is no training then."""
        from vqa_tui.operations.training_start import start_training

        return await start_training(
            self._writing,
            config,
            run_id=run_id,
            data=data,
            reviewed="accepted" if accepted else "not-rejected",
            name=name,
            device=device,
            priority=priority,
        )


def _lacks() -> tuple[str, str]:
    """Return what an evaluation and what serving lacks, each in a sentence; empty where it lacks nothing."""
    judging, serving = missing_training_packages(judging=True), training_serve.missing_packages()
    words = "It needs {}: `pip install 'vqa-tui[{}]'` brings them."
    return (
        words.format(", ".join(judging), "train") if judging else "",
        words.format(", ".join(serving), "serve") if serving else "",
    )
