"""What is read of a run's past while somebody looks at it, kept so that only what is new is read again."""

from bisect import bisect_left

from vqa_tui.domain.course import (
    CoursePoint,
    FailureCourse,
    LogCursor,
    LogEntry,
    Spending,
    Stretch,
    merged_steps,
    stretches,
)
from vqa_tui.tui.present.log_rows import entry_id
from vqa_tui.tui.services.history import History

MOST_STEPS = 800
"""Stretches that plots are made of: more than the widest terminal has columns."""
LOG_PAGE = 200
MOST_ENTRIES = 5_000
"""Entries that are kept of a log that grows; older ones are read again when somebody scrolls to them."""
_BEYOND_ALL_IDS = 1 << 62
_FAILURE_STEPS = 400


class CourseReader:
    """The recorded course of one run at a time. Errors are VqaError."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._run_id: int | None = None
        self.points: list[CoursePoint] = []
        self.steps: list[Stretch] = []
        self.spending: Spending | None = None
        self.failures: FailureCourse | None = None

    def forget(self) -> None:
        """Another run is to be read."""
        self._run_id = None
        self.points, self.steps, self.spending, self.failures = [], [], None, None

    async def read(self, run_id: int) -> None:
        """Read the points that came since the last time; the newest known one may have been written anew."""
        if run_id != self._run_id:
            self.forget()
            self._run_id = run_id
        since = self.points[-1].at if self.points else 0
        newer = await self._history.course(run_id, since=since)
        if run_id != self._run_id:
            return
        kept = bisect_left(self.points, since, key=lambda point: point.at)
        self.points = [*self.points[:kept], *newer]
        self._extend_steps(since)

    def _extend_steps(self, since: int) -> None:
        """Add the stretches since then; all are joined anew only when there are twice as many as plots need."""
        settled = [step for step in self.steps if step.after.at < since]
        first = bisect_left(self.points, settled[-1].after.at, key=lambda point: point.at) if settled else 0
        self.steps = [*settled, *stretches(self.points[first:])]
        if len(self.steps) > 2 * MOST_STEPS:
            self.steps = merged_steps(self.points, MOST_STEPS)

    async def read_spending(self, run_id: int) -> None:
        spending = await self._history.spending(run_id)
        if run_id == self._run_id:
            self.spending = spending

    async def read_failures(self, run_id: int) -> None:
        """Read failures in steps that a plot can show apart."""
        long = self.points[-1].at - self.points[0].at if self.points else 0
        failures = await self._history.failure_course(run_id, every_s=max(long // _FAILURE_STEPS, 1))
        if run_id == self._run_id:
            self.failures = failures


class LogReader:
    """The log of one run, as far back as somebody scrolled."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._older: LogCursor | None = None
        self._asked: tuple[int, tuple[str, ...], float | None] | None = None
        self.entries: list[LogEntry] = []
        self._scrolled_to = 0
        """As many entries as somebody scrolled through: none of them goes while they look."""

    async def read(self, run_id: int, levels: tuple[str, ...], until: float | None) -> None:
        """Read what came in since the last time; another run, other levels or another end begin anew."""
        page = await self._history.log_page(run_id, most=LOG_PAGE, levels=levels, until=until)
        same = self._asked == (run_id, levels, until)
        known = {entry_id(entry) for entry in self.entries[: 2 * LOG_PAGE]} if same else set()
        newer = [entry for entry in page.entries if entry_id(entry) not in known]
        if known and len(newer) < len(page.entries):
            self._keep([*newer, *self.entries])
            return
        self._scrolled_to = 0
        self._asked, self._older, self.entries = (run_id, levels, until), page.older, list(page.entries)

    def _keep(self, entries: list[LogEntry]) -> None:
        """Hold the newest of them."""
        kept = entries[: max(MOST_ENTRIES, self._scrolled_to)]
        if len(kept) < len(entries):
            events = min((entry.id for entry in kept if entry.level != "action"), default=_BEYOND_ALL_IDS)
            actions = min((entry.id for entry in kept if entry.level == "action"), default=_BEYOND_ALL_IDS)
            self._older = LogCursor(events, actions)
        self.entries = kept

    async def read_older(self) -> bool:
        """Read the next page; return whether there was any."""
        asked, older = self._asked, self._older
        if asked is None or older is None:
            return False
        run_id, levels, until = asked
        page = await self._history.log_page(run_id, most=LOG_PAGE, older_than=older, levels=levels, until=until)
        if self._asked != asked or self._older != older:
            return False
        self._older = page.older
        self.entries = [*self.entries, *page.entries]
        self._scrolled_to = len(self.entries)
        return bool(page.entries)
