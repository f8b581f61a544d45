"""`vqa-tui item …`: list the pictures of a run, look at one, and move chosen ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import cell, say
from vqa_tui.domain.failure import FailureKind, VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.run import TaskStatus
    from vqa_tui.domain.task import TaskDetail, TaskFilter, TaskRow
    from vqa_tui.operations.workspace import Workspace

_PAGE = 1_000
_LINE = "{:<8} {:<16} {:>5} {:>5} {:>10}  {}"

app = typer.Typer(no_args_is_help=True, help="Look at the pictures of a run.", rich_markup_mode=None)
ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="Key of the picture, or number of its task.")]
ItemsArgument = Annotated[
    list[str], typer.Argument(metavar="ITEM...", help="Keys of the pictures, or numbers of their tasks.")
]


@app.command("list")
def list_items(
    run: RunArgument,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="S", help="pending, leased, done, failed or skipped; may be repeated."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="K", help="Kind of the last failure, as bad_reply; may be repeated."),
    ] = None,
    search: Annotated[str, typer.Option("--search", metavar="TEXT", help="Only keys that hold this text.")] = "",
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the pictures of a run, one a line."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.runs import find_run

    chosen = _filter(status or (), kind or (), search)

    async def work(opened: "Workspace") -> None:
        rows = _rows(opened, await find_run(opened, run), chosen)
        if json:
            await print_json_list(rows)
        else:
            await _print_rows(rows)

    in_workspace(workspace, work)


def _filter(statuses: Sequence[str], kinds: Sequence[str], search: str) -> "TaskFilter":
    from vqa_tui.domain.run import TaskStatus
    from vqa_tui.domain.task import TaskFilter

    known_statuses = _known("status", statuses, [str(each) for each in TaskStatus])
    return TaskFilter(
        statuses=tuple(TaskStatus(each) for each in known_statuses),
        kinds=tuple(_known("kind", kinds, [str(each) for each in FailureKind])),
        search=search,
    )


def _known(what: str, given: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    from difflib import get_close_matches

    for value in given:
        if value not in known:
            close = get_close_matches(value, known, 1)
            raise VqaError(
                f"--{what}: {value!r} is not a {what}",
                hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}.",
            )
    return given


async def _rows(opened: "Workspace", run_id: int, chosen: "TaskFilter") -> "AsyncIterator[TaskRow]":
    """Give the rows page by page, so that a million of them need no memory; rows that vanish meanwhile are left out."""
    from vqa_tui.operations.items import task_ids, task_rows

    ids = await task_ids(opened, run_id, chosen)
    for first in range(0, len(ids), _PAGE):
        page = ids[first : first + _PAGE]
        found = await task_rows(opened, run_id, page)
        for task_id in page:
            if task_id in found:
                yield found[task_id]


async def _print_rows(rows: "AsyncIterator[TaskRow]") -> None:
    from vqa_tui.tui.present.numbers import money

    any_row = False
    async for row in rows:
        if not any_row:
            say(_LINE.format("status", "last failure", "tries", "pairs", "cost", "item"))
            any_row = True
        line = (str(row.status), cell(row.kind or ""), row.attempts, row.samples, money(row.cost), cell(row.item_key))
        say(_LINE.format(*line).rstrip())
    if not any_row:
        say("No pictures match.")


@app.command()
def show(run: RunArgument, item: ItemArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show one picture of a run: ground truth, prompt, attempts, raw reply, pairs."""
    from vqa_tui.cli.item_text import detail_text
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.items import find_task, task_detail
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> "TaskDetail":
        run_id = await find_run(opened, run)
        return await task_detail(opened, run_id, await find_task(opened, run_id, item))

    detail = in_workspace(workspace, work)
    if json:
        print_json(detail)
    else:
        say(detail_text(detail))


@app.command()
def retry(run: RunArgument, items: ItemsArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Put chosen pictures that failed back into the queue; a run that had ended goes on."""
    from vqa_tui.domain.run import TaskStatus
    from vqa_tui.operations.items import retry_tasks

    moved = in_workspace(workspace, partial(_move, run, items, retry_tasks, (TaskStatus.FAILED,)))
    _tell(moved, "put back into the queue", "only failed pictures are asked again", json=json)


@app.command()
def skip(run: RunArgument, items: ItemsArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Take chosen pictures that wait or failed out of the queue."""
    from vqa_tui.domain.run import TaskStatus
    from vqa_tui.operations.items import skip_tasks

    moved = in_workspace(workspace, partial(_move, run, items, skip_tasks, (TaskStatus.PENDING, TaskStatus.FAILED)))
    _tell(moved, "taken out of the queue", "only pictures that wait or failed can be taken out", json=json)


@dataclass(frozen=True, slots=True)
class _Moved:
    """How many of the chosen pictures were moved, and those that were not, because of their status."""

    changed: int
    left: "Sequence[TaskRow]"


async def _move(
    run: str,
    items: Sequence[str],
    move: "Callable[[Workspace, int, Sequence[int]], Awaitable[int]]",
    movable: "Sequence[TaskStatus]",
    opened: "Workspace",
) -> _Moved:
    from vqa_tui.operations.items import find_task, task_rows
    from vqa_tui.operations.runs import find_run

    run_id = await find_run(opened, run)
    ids = [await find_task(opened, run_id, item) for item in items]
    rows = await task_rows(opened, run_id, ids)
    return _Moved(await move(opened, run_id, ids), [row for row in rows.values() if row.status not in movable])


def _tell(moved: _Moved, done: str, rule: str, *, json: bool) -> None:
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.tui.present.numbers import plural

    if json:
        left = [{"item_key": row.item_key, "status": row.status} for row in moved.left]
        print_json({"changed": moved.changed, "left": left})
        return
    say(f"{plural(moved.changed, 'picture')} {done}.")
    for row in moved.left:
        say(f"{cell(row.item_key)} is {row.status}: {rule}.")
