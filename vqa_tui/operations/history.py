"""The recorded course of a run: how it went second by second, what happened, and what held at one moment."""

import difflib
from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation

from vqa_tui.domain.course import (
    CoursePoint,
    FailureCourse,
    LogCursor,
    LogPage,
    MomentFacts,
    Spending,
)
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import history, metrics, runs

LOG_LEVELS = ("info", "warning", "error", "action")
MOMENT_LOG = 50
"""Entries of the log that come with a moment."""
_SET_BUDGET = "set budget"


async def course(workspace: Workspace, run_id: int, *, since: int = 0) -> list[CoursePoint]:
    """Return the recorded points of a run from Unix time `since` on, oldest first."""
    return await metrics.recent_metrics(workspace.db, run_id, since=since)


async def moment_facts(workspace: Workspace, run_id: int, at: float) -> MomentFacts:
    """Return what is known of a run at Unix time `at` besides its point: the log, failures by kind, the budget."""
    page = await history.log_page(workspace.db, run_id, most=MOMENT_LOG, until=at)
    failures = await history.failures_until(workspace.db, run_id, at)
    return MomentFacts(page.entries, failures, await _budget_at(workspace, run_id, at))


async def _budget_at(workspace: Workspace, run_id: int, at: float) -> Decimal | None:
    changed = await history.value_before(workspace.db, run_id, _SET_BUDGET, at)
    if changed is None:
        return (await runs.wishes(workspace.db, run_id)).limits.budget_usd
    try:
        return Decimal(changed)
    except InvalidOperation:  # `none`
        return None


async def event_time(workspace: Workspace, run_id: int, at: float, *, later: bool) -> float | None:
    """Return the Unix time of the next event or action after `at`, or of the last one before it."""
    return await history.neighbour_time(workspace.db, run_id, at, later=later)


async def log_page(
    workspace: Workspace,
    run_id: int,
    *,
    most: int,
    older_than: LogCursor | None = None,
    levels: Collection[str] = (),
    until: float | None = None,
) -> LogPage:
    """Return a page of the events and actions of a run, newest first, as `store.history.log_page` does.

    Raises VqaError for a level that there is not.
    """
    return await history.log_page(
        workspace.db, run_id, most=most, older_than=older_than, levels=known_levels(levels), until=until
    )


def known_levels(levels: Collection[str]) -> Sequence[str]:
    """Return `levels`. Raises VqaError, naming the nearest, for one that there is not."""
    for level in levels:
        if level not in LOG_LEVELS:
            close = difflib.get_close_matches(level, LOG_LEVELS, 1)
            raise VqaError(
                f"{level!r} is not a level of the log",
                hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(LOG_LEVELS)}.",
            )
    return tuple(levels)


async def failure_course(workspace: Workspace, run_id: int, *, every_s: int) -> FailureCourse:
    """Return the failures of a run by kind, in steps of `every_s` seconds."""
    return await history.failure_course(workspace.db, run_id, every_s=every_s)


async def spending(workspace: Workspace, run_id: int) -> Spending:
    """Return what the tokens and the money of a run went for."""
    return await history.spending(workspace.db, run_id)
