"""The one door outward of the terminal app: every call that a screen makes to the rest of the product."""

import asyncio
import os
from array import array
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import LIVE_PHASES, EngineState, Limits, RunSummary, RunView
from vqa_tui.domain.task import FilterValues, TaskDetail, TaskFilter, TaskRow, TaskSort
from vqa_tui.operations import items, news, runs
from vqa_tui.operations.items import TaskIds
from vqa_tui.operations.workspace import Workspace, has_datasets
from vqa_tui.tui.open_file import open_externally
from vqa_tui.tui.preferences import Preferences
from vqa_tui.tui.present.export_result import PROBLEMS_SHOWN, ExportResult
from vqa_tui.tui.present.notices import Notice
from vqa_tui.tui.present.seen import RunLine
from vqa_tui.tui.services.run_edits import RunEdits

if TYPE_CHECKING:
    from PIL import Image

    from vqa_tui.operations.limits import LimitInForce
    from vqa_tui.operations.planning import RunPlan, RunRequest
    from vqa_tui.tui.services.asking_again import AskingAgain
    from vqa_tui.tui.services.failures import Failures
    from vqa_tui.tui.services.history import History
    from vqa_tui.tui.services.hub import Hub
    from vqa_tui.tui.services.library import Library
    from vqa_tui.tui.services.queue_edits import QueueEdits
    from vqa_tui.tui.services.reviewing import Reviewing
    from vqa_tui.tui.services.starting import Starting
    from vqa_tui.tui.services.trainings import Trainings

MOST_LIVE_VIEWS = 8
"""Runs of the list whose full view is read for rate and ETA; more engines than this on one machine are rare."""


@dataclass(frozen=True, slots=True)
class FormatChoice:
    """One training format; `suffix` is that of its files."""

    name: str
    summary: str
    suffix: str
    can_group: bool = True
    holds_pictures: bool = False
    """Pictures always stand in the file itself."""


class Services:
    """The operations on one workspace as the screens need them. Errors are VqaError; tests replace this class.

    `writing` is the same workspace over a connection of its own, so that a write that waits for another program never
    keeps the screens from reading. `command` returns what a person types to act on this workspace.
    """

    _preferences: Preferences | None = None
    read_only = False
    """Whether the app may only look: keys that write are grey then."""

    def __init__(
        self,
        workspace: Workspace,
        writing: Workspace,
        *,
        command: Callable[[str], str] | None = None,
        preferences: Preferences | None = None,
        read_only: bool = False,
    ) -> None:
        self._preferences = preferences
        if preferences is not None and read_only:
            preferences.read_only = True
        self.read_only = read_only
        self._workspace = workspace
        self._writing = writing
        self._command = command
        self._file = _identity(workspace.paths.database)
        self.run_edits = RunEdits(workspace, writing)

    # What no screen needs at the start is imported when it is first asked for.

    @cached_property
    def failures(self) -> "Failures":
        from vqa_tui.tui.services.failures import Failures

        return Failures(self._workspace, self._writing)

    @cached_property
    def reviewing(self) -> "Reviewing":
        from vqa_tui.tui.services.reviewing import Reviewing

        return Reviewing(self._workspace, self._writing)

    @cached_property
    def history(self) -> "History":
        from vqa_tui.tui.services.history import History

        return History(self._workspace, self._writing)

    @cached_property
    def queue_edits(self) -> "QueueEdits":
        from vqa_tui.tui.services.queue_edits import QueueEdits

        return QueueEdits(self._workspace, self._writing)

    @cached_property
    def trainings(self) -> "Trainings":
        from vqa_tui.tui.services.trainings import Trainings

        return Trainings(self._workspace, self._writing)

    @cached_property
    def asking_again(self) -> "AskingAgain":
        from vqa_tui.tui.services.asking_again import AskingAgain

        return AskingAgain(self._workspace, self._writing)

    @cached_property
    def library(self) -> "Library":
        from vqa_tui.tui.services.library import Library

        return Library(self._workspace, self._writing)

    @cached_property
    def hub(self) -> "Hub":
        from vqa_tui.tui.services.hub import Hub

        return Hub(self._workspace, self._writing)

    @cached_property
    def starting(self) -> "Starting":
        from vqa_tui.tui.services.starting import Starting

        return Starting(self._workspace, self._writing)

    @property
    def preferences(self) -> Preferences:
        """What a person set for the app; the defaults, kept nowhere, where nobody said otherwise."""
        if self._preferences is None:
            self._preferences = Preferences(read_only=self.read_only)
        return self._preferences

    @property
    def at_work(self) -> tuple[str, ...]:
        """What this app does at this moment that ends with it, such as `import of bags`."""
        return (*(f"import of {path}" for path in self.library.importing), *self.hub.at_work)

    async def is_new(self) -> bool:
        """Return whether nothing has been imported into the workspace yet, and nothing trained in it."""
        return not await has_datasets(self._workspace) and not await self.trainings.all()

    async def start_demo(self) -> int:
        """Draw the demo's pictures beside the workspace, import them, start a run over them and return its id."""
        from vqa_tui.operations import demo  # only here: it draws

        folder = self._workspace.paths.root.parent / "demo"
        return (await demo.start_demo(self._writing, folder, demo.PICTURES, approved=False)).run_id

    @property
    def place(self) -> str:
        """The folder of the workspace, for showing."""
        return str(self._workspace.paths.root)

    def command(self, words: str) -> str:
        """Return the command line for `words`, such as `run pause NAME`, on this workspace."""
        return self._command(words) if self._command else f"vqa-tui {words}".strip()

    @property
    def crash_folder(self) -> Path:
        """Where the details of an unexpected end are written."""
        return self._workspace.paths.root / "crashes"

    def require_workspace(self) -> None:
        """Raise VqaError when the workspace file was moved, deleted or replaced while it is open here."""
        path = self._workspace.paths.database
        if _identity(path) != self._file:
            raise VqaError(
                f"the workspace file {path} is gone or was replaced",
                hint="What is shown is the last that was read. Put it back, or press q and open it anew.",
            )

    async def data_version(self) -> int:
        """Return a number that moves when another process has written."""
        return await self._workspace.db.data_version()

    async def runs(self) -> tuple[RunLine, ...]:
        """Return all runs, newest first; those with an engine, or that lost theirs, come with their view."""
        lines: list[RunLine] = []
        live = 0
        for summary in await runs.list_runs(self._workspace):
            view = None
            if summary.engine is not EngineState.NONE and summary.phase in LIVE_PHASES and live < MOST_LIVE_VIEWS:
                live += 1
                view = await self.run_view(summary.id)
            lines.append(RunLine(summary, view))
        return await self.run_edits.with_courses(lines)

    async def trainings_at_work(self) -> list[str]:
        """Return the names of the trainings that have a process, with what it does where it judges one."""
        if not self._workspace.paths.trainings.exists():
            return []
        from vqa_tui.operations.trainings import list_trainings

        found = [each for each in await list_trainings(self._workspace) if each.at_work]
        return [f"{each.name} (being evaluated)" if each.evaluated else each.name for each in found]

    async def summaries(self) -> list[RunSummary]:
        """Return how every run stands, newest first, without its view."""
        return await runs.list_runs(self._workspace)

    async def claim_news(self, notice: Notice) -> bool:
        """Return whether this app is the one whose notification command tells it."""
        return await news.claim_news(self._writing, notice.run_id, notice.standing, read_only=self.read_only)

    async def run_view(self, run_id: int) -> RunView:
        return await runs.run_view(self._workspace, run_id)

    async def plan(self, request: "RunRequest") -> "RunPlan":
        """Return what `request` will take; raises VqaError for whatever keeps it from starting."""
        from vqa_tui.operations import planning  # only here: recipes and endpoints are heavy to load

        return await planning.plan_run(self._workspace, request)

    async def create(self, request: "RunRequest") -> int:
        """Create the run and return its id; nothing is asked yet."""
        from vqa_tui.operations import planning  # only here, as above

        return await planning.create_run(self._writing, request)

    async def start_engine(self, run_id: int) -> None:
        await runs.start_engine(self._writing, run_id)

    async def pause(self, run_id: int, *, cancel_in_flight: bool = False) -> None:
        await runs.pause_run(self._writing, run_id, cancel_in_flight=cancel_in_flight)

    async def resume(self, run_id: int) -> None:
        await runs.resume_run(self._writing, run_id)

    async def stop(self, run_id: int) -> None:
        await runs.stop_run(self._writing, run_id)

    async def approve(self, run_id: int) -> None:
        await runs.approve_run(self._writing, run_id)

    async def retry_failed(self, run_id: int) -> int:
        """Put all failed tasks back; return how many."""
        from vqa_tui.operations.queue_edits import retry_failed  # only here: no screen needs it at the start

        return await retry_failed(self._writing, run_id)

    async def set_limits(self, run_id: int, changes: Mapping[str, str]) -> Limits:
        from vqa_tui.operations import limits  # only here: recipes and endpoints are heavy to load

        return await limits.set_limits(self._writing, run_id, changes)

    async def limits(self, run_id: int) -> "tuple[LimitInForce, ...]":
        """Return every limit that can be changed, with what holds now."""
        from vqa_tui.operations import limits  # only here, as above

        return await limits.limits_in_force(self._workspace, run_id)

    async def task_ids(self, run_id: int, chosen: TaskFilter) -> "array[int]":
        return await items.task_ids(self._workspace, run_id, chosen)

    async def task_ids_by_steps(self, run_id: int, chosen: TaskFilter, sort: TaskSort) -> AsyncIterator[TaskIds]:
        """Yield the first ids as soon as they are found, then all; long readings keep nobody else from reading."""
        async for found in items.task_ids_by_steps(self._workspace, run_id, chosen, sort):
            yield found

    async def filter_values(self, run_id: int) -> FilterValues:
        """Return which values a filter may be completed with."""
        return await items.filter_values(self._workspace, run_id)

    async def task_rows(self, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
        return await items.task_rows(self._workspace, run_id, ids)

    async def task_detail(self, run_id: int, task_id: int) -> TaskDetail:
        return await items.task_detail(self._workspace, run_id, task_id)

    def export_formats(self) -> tuple[FormatChoice, ...]:
        """Return the training formats by name."""
        from vqa_tui.operations import exports  # only here: exporters and checks are heavy to load

        known = exports.export_formats()
        return tuple(
            FormatChoice(each.name, each.summary, each.suffix, each.can_group, each.holds_pictures) for each in known
        )

    async def export(
        self,
        run_id: int,
        form: str,
        out: Path,
        split: Sequence[float] | None,
        grouped: bool,
        reviewed: str = "not-rejected",
        pictures: str = "in-place",
        most_pairs: int | None = None,
        stratified: bool = False,
        shard_size: int | None = None,
        seed: int | None = None,
        answer_types: str = "",
    ) -> ExportResult:
        """Write the training files, and validate what was written; see operations.exports for what the wishes mean."""
        from vqa_tui.operations import exports  # only here, as above

        written = await exports.export_run(
            self._workspace,
            run_id,
            form,
            out,
            split=split,
            stratified=stratified,
            grouped=grouped,
            reviewed=reviewed,
            pictures=pictures,
            most_pairs=most_pairs,
            shard_size=shard_size,
            seed=seed,
            answer_types=answer_types,
        )
        verdict = await asyncio.to_thread(exports.validate_file, written.manifest)
        problems = verdict.problems[:PROBLEMS_SHOWN]
        return ExportResult(
            pictures=written.pictures,
            pairs=written.pairs,
            files=tuple(str(written.folder / file.name) for file in written.files),
            manifest=str(written.manifest),
            warnings=written.warnings,
            ok=verdict.ok,
            checks=tuple((check.ok, check.text) for check in verdict.checks),
            problems=tuple(f"{problem.place}: {problem.message}" for problem in problems),
            problem_count=sum(verdict.counts.values()),
        )

    async def thumbnail(self, path: str, max_side: int | None = None) -> "Image.Image":
        """Return a small upright picture; raises VqaError when the file cannot be shown."""
        from vqa_tui.tui.thumbnails import MAX_SIDE, decode_thumbnail

        return await asyncio.to_thread(decode_thumbnail, Path(path), max_side or MAX_SIDE)

    async def open_externally(self, path: str) -> None:
        """Show a file in the desktop's viewer. Raises VqaError, also for a page in a browser."""
        if self.preferences.in_browser:
            raise VqaError("a page in a browser opens no viewer on the computer that serves it", hint=f"It is {path}")
        await asyncio.to_thread(open_externally, path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another of the same name; None when there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
