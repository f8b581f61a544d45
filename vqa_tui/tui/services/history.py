"""The recorded course of a run, as the dashboard needs it."""

from collections.abc import Collection

from vqa_tui.domain.course import CoursePoint, FailureCourse, LogCursor, LogPage, MomentFacts, Spending
from vqa_tui.operations import history
from vqa_tui.tui.services.door import Door


class History(Door):
    """What a run did at any second of its life."""

    async def course(self, run_id: int, *, since: int = 0) -> list[CoursePoint]:
        """Return the recorded points from Unix time `since` on, oldest first."""
        return await history.course(self._workspace, run_id, since=since)

    async def moment_facts(self, run_id: int, at: float) -> MomentFacts:
        """Return log, failures and budget as of Unix time `at`."""
        return await history.moment_facts(self._workspace, run_id, at)

    async def event_time(self, run_id: int, at: float, *, later: bool) -> float | None:
        """Return the time of the next event after `at`, or of the last one before it."""
        return await history.event_time(self._workspace, run_id, at, later=later)

    async def log_page(
        self,
        run_id: int,
        *,
        most: int,
        older_than: LogCursor | None = None,
        levels: Collection[str] = (),
        until: float | None = None,
    ) -> LogPage:
        """Return a page of events and actions, newest first."""
        return await history.log_page(
            self._workspace, run_id, most=most, older_than=older_than, levels=levels, until=until
        )

    async def failure_course(self, run_id: int, *, every_s: int) -> FailureCourse:
        return await history.failure_course(self._workspace, run_id, every_s=every_s)

    async def spending(self, run_id: int) -> Spending:
        return await history.spending(self._workspace, run_id)
