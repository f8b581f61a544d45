"""`vqa-tui run history` and `run events`: how a run went, and everything that happened in it."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, cell, print_table, say

if TYPE_CHECKING:
    from vqa_tui.domain.course import CourseRow, LogEntry
    from vqa_tui.operations.workspace import Workspace

_PAGE = 500
_ROWS = 40
"""Rows that a table has without --every, at the most."""
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
_EVENT_LINE = "{:<23} {:<8} {:<12} {}"


def history(
    run: RunArgument,
    every: Annotated[
        int | None,
        typer.Option("--every", metavar="S", min=1, help="Seconds between two rows; default: at most 40 rows."),
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the recorded course of a run: rate, latency, requests in flight, tokens and cost over time.

    What is younger than ten minutes is recorded by the second, up to two hours by ten seconds, then by the minute.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.course import course_rows
    from vqa_tui.operations.history import course
    from vqa_tui.operations.runs import find_run, run_view

    async def work(opened: "Workspace") -> "tuple[list[CourseRow], bool]":
        run_id = await find_run(opened, run)
        points = await course(opened, run_id)
        known = (await run_view(opened, run_id)).cost.price_known
        return course_rows(points, every or _step(points[-1].at - points[0].at if points else 0)), known

    rows, price_known = in_workspace(workspace, work)
    if json:
        print_json([_document(row) for row in rows])
    else:
        _print_course(rows, price_known=price_known)


def _step(long_s: int) -> int:
    """Return a round number of seconds of which at most _ROWS make up the whole."""
    return next((step for step in _ROUND_S if step * _ROWS >= long_s), _ROUND_S[-1])


def _document(row: "CourseRow") -> dict[str, Any]:
    point = row.point
    return {
        "at": point.at,
        "per_second": row.rate,
        "done": point.done,
        "failed": point.failed,
        "in_flight": point.in_flight,
        "slots": point.slots,
        "throttle_slots": point.throttle_slots,
        "throttle_groups": point.group_slots,
        "p50_ms": point.p50_ms,
        "p95_ms": point.p95_ms,
        "rate_limited": point.rate_limited,
        "input_tokens": point.input_tokens,
        "output_tokens": point.output_tokens,
        "spent": point.spent,
        "sent_bytes": point.sent_bytes,
        "session": point.session_id,
    }


def _print_course(rows: "list[CourseRow]", *, price_known: bool) -> None:
    from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, milliseconds, money, rate, utc

    titles = ("time", "rate", "done", "failed", "in flight", "slots", "p50", "p95", "429", "tokens", "spent", "session")
    print_table(
        [Column(title, right=title != "time") for title in titles],
        (
            (
                utc(point.at),
                rate(row.rate),
                count(point.done),
                count(point.failed),
                count(point.in_flight),
                count(point.slots if point.throttle_slots is None else point.throttle_slots),
                milliseconds(point.p50_ms),
                milliseconds(point.p95_ms),
                count(point.rate_limited),
                f"{compact(point.input_tokens)} + {compact(point.output_tokens)}",
                money(point.spent) if price_known else UNKNOWN,
                str(point.session_id),
            )
            for row in rows
            for point in (row.point,)
        ),
        empty="Nothing of this run was recorded yet.",
    )


def events(
    run: RunArgument,
    level: Annotated[
        list[str] | None,
        typer.Option("--level", metavar="L", help="info, warning, error or action; may be repeated."),
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List everything that happened in a run, newest first: what its engine says, and who changed what, old → new."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.history import known_levels
    from vqa_tui.operations.runs import find_run

    levels = tuple(known_levels(level or ()))

    async def work(opened: "Workspace") -> None:
        entries = _entries(opened, await find_run(opened, run), levels)
        if json:
            await print_json_list(entries)
        else:
            await _print_entries(entries)

    in_workspace(workspace, work)


async def _entries(opened: "Workspace", run_id: int, levels: tuple[str, ...]) -> "AsyncIterator[LogEntry]":
    """Give the entries page by page, so that a log of any length needs no memory."""
    from vqa_tui.operations.history import log_page

    page = await log_page(opened, run_id, most=_PAGE, levels=levels)
    while True:
        for entry in page.entries:
            yield entry
        if page.older is None:
            return
        page = await log_page(opened, run_id, most=_PAGE, levels=levels, older_than=page.older)


async def _print_entries(entries: "AsyncIterator[LogEntry]") -> None:
    from vqa_tui.tui.present.log_words import entry_words
    from vqa_tui.tui.present.numbers import utc

    any_entry = False
    async for entry in entries:
        if not any_entry:
            say(_EVENT_LINE.format("time", "level", "who", "what"))
            any_entry = True
        line = (utc(entry.at), cell(entry.level), cell(entry.who) or "engine", cell(entry_words(entry)))
        say(_EVENT_LINE.format(*line).rstrip())
    if not any_entry:
        say("Nothing of this kind has happened.")
