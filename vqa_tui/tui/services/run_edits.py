"""Renaming, archiving, deleting and comparing runs, as the list of runs needs it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vqa_tui.domain.comparison import Comparison
from vqa_tui.domain.run import EngineState
from vqa_tui.domain.run_contents import DeletedRuns, RunContents
from vqa_tui.operations import run_edits
from vqa_tui.operations.workspace import Workspace
from vqa_tui.tui.present.seen import RunLine
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    pass

COURSE_CELLS = 24
_READS_AT_ONCE = 8
"""Courses that are read with one look at the list: the others come with the next ones, so that the first is quick."""
_REREAD_S = 1.0

_Key = tuple[object, ...]


class RunEdits(Door):
    """What can be done with a whole run."""

    def __init__(self, workspace: Workspace, writing: Workspace) -> None:
        super().__init__(workspace, writing)
        self._courses: dict[int, tuple[_Key, float, tuple[float, ...]]] = {}
        """By run: what it was when its course was read, when that was, and the course."""

    async def with_courses(self, lines: Sequence[RunLine]) -> tuple[RunLine, ...]:
        """Return the lines with the rates of their runs: of the last minutes where an engine works, else of the whole
        life, which is read once for every state of rest."""
        reads = 0
        found = []
        for line in lines:
            run = line.summary
            if line.at_work and line.view is not None:
                found.append(replace(line, course=line.view.rate.history))
                continue
            key: _Key = (run.phase, run.counts.finished)
            known, read_at, course = self._courses.get(run.id, (None, 0.0, ()))
            at_rest = run.engine is EngineState.NONE
            if known != key and reads < _READS_AT_ONCE and (at_rest or time.monotonic() - read_at > _REREAD_S):
                reads += 1
                course = await run_edits.run_course(self._workspace, run.id, COURSE_CELLS)
                self._courses[run.id] = (key, time.monotonic(), course)
            found.append(replace(line, course=course))
        for gone in self._courses.keys() - {line.summary.id for line in lines}:
            del self._courses[gone]
        return tuple(found)

    async def rename(self, run_id: int, name: str) -> None:
        await run_edits.rename_run(self._writing, run_id, name)

    async def archive(self, run_id: int, *, undo: bool = False) -> None:
        """Put a run out of sight, or back into it."""
        await (run_edits.unarchive_run if undo else run_edits.archive_run)(self._writing, run_id)

    async def contents(self, run_id: int) -> RunContents:
        """Return what would go with a run."""
        return await run_edits.run_contents(self._workspace, run_id)

    async def delete(self, run_id: int, *, words: str, progress: Callable[[int, int], None]) -> None:
        """Delete a run; `progress` is told (pictures deleted, of so many) all the while."""
        await run_edits.delete_run(self._writing, run_id, words=words, progress=progress)

    async def finish_deletions(self) -> int:
        """Go on with deletions that were broken off; return how many were finished."""
        return await run_edits.finish_deletions(self._writing)

    async def deleted(self) -> DeletedRuns:
        return await run_edits.deleted_runs(self._workspace)

    async def compare(self, first_id: int, second_id: int) -> Comparison:
        """Return two runs of one dataset side by side; raises VqaError when they cannot be compared."""
        from vqa_tui.operations import compare  # only here: few looks at the list end in a comparison

        return await compare.compare_runs(self._workspace, first_id, second_id)
