"""A recorded past without a workspace: what a test put in."""

from collections.abc import Collection

from vqa_tui.domain.course import CoursePoint, FailureCourse, LogCursor, LogEntry, LogPage, MomentFacts, Spending
from vqa_tui.tui.services.history import History


class FakeHistory(History):
    """Answers from its attributes."""

    def __init__(self) -> None:
        self.points: list[CoursePoint] = []
        self.facts = MomentFacts()
        self.log: tuple[LogEntry, ...] = ()
        self.failures = FailureCourse(1)
        self.spent_on = Spending()

    async def course(self, run_id: int, *, since: int = 0) -> list[CoursePoint]:
        return [point for point in self.points if point.at >= since]

    async def moment_facts(self, run_id: int, at: float) -> MomentFacts:
        return self.facts

    async def event_time(self, run_id: int, at: float, *, later: bool) -> float | None:
        times = [entry.at for entry in self.log]
        if later:
            return min((each for each in times if each > at), default=None)
        return max((each for each in times if each < at), default=None)

    async def log_page(
        self,
        run_id: int,
        *,
        most: int,
        older_than: LogCursor | None = None,
        levels: Collection[str] = (),
        until: float | None = None,
    ) -> LogPage:
        return LogPage(tuple(entry for entry in self.log if not levels or entry.level in levels), None)

    async def failure_course(self, run_id: int, *, every_s: int) -> FailureCourse:
        return self.failures

    async def spending(self, run_id: int) -> Spending:
        return self.spent_on
