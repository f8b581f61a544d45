"""`vqa-tui item …`: list the pictures of a run, and look at one."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.item_again import again
from vqa_tui.cli.item_edits import FilterOption, add_edits
from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import cell, say
from vqa_tui.cli.task_filter import known_word, task_filter

if TYPE_CHECKING:
    from vqa_tui.domain.task import TaskDetail, TaskFilter, TaskRow, TaskSort
    from vqa_tui.operations.workspace import Workspace

_PAGE = 1_000
_LINE = "{:<8} {:<16} {:>5} {:>5} {:>10}  {}"

app = typer.Typer(no_args_is_help=True, help="Look at the pictures of a run.", rich_markup_mode=None)
ItemArgument = Annotated[
    str,
    typer.Argument(
        metavar="ITEM", help="Key of the picture (KEY#2: the second request about it), or number of its task."
    ),
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
    filter_text: FilterOption = "",
    sort: Annotated[
        str, typer.Option("--sort", metavar="BY", help="id, cost, attempts, latency or finished; least first.")
    ] = "id",
    reverse: Annotated[bool, typer.Option("--reverse", help="Greatest first.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the pictures of a run, one a line."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.runs import find_run

    chosen, order = task_filter(status or (), kind or (), search, filter_text), _sort(sort, reverse)

    async def work(opened: "Workspace") -> None:
        rows = _rows(opened, await find_run(opened, run), chosen, order)
        if json:
            await print_json_list(rows)
        else:
            await _print_rows(rows)

    in_workspace(workspace, work)


def _sort(by: str, reverse: bool) -> "TaskSort":
    from vqa_tui.domain.task import SortField, TaskSort

    known = known_word("sort", by, [str(each) for each in SortField])
    return TaskSort(SortField(known), descending=reverse)


async def _rows(opened: "Workspace", run_id: int, chosen: "TaskFilter", sort: "TaskSort") -> "AsyncIterator[TaskRow]":
    """Give the rows page by page, so that a million of them need no memory; rows that vanish meanwhile are left out."""
    from vqa_tui.operations.items import task_ids, task_rows

    ids = await task_ids(opened, run_id, chosen, sort)
    for first in range(0, len(ids), _PAGE):
        page = ids[first : first + _PAGE]
        found = await task_rows(opened, run_id, page)
        for task_id in page:
            if task_id in found:
                yield found[task_id]


async def _print_rows(rows: "AsyncIterator[TaskRow]") -> None:
    from vqa_tui.tui.present.numbers import known_money

    any_row = False
    async for row in rows:
        if not any_row:
            say(_LINE.format("status", "last failure", "tries", "pairs", "cost", "item"))
            any_row = True
        cost = known_money(row.cost, price_known=row.price_known)
        line = (str(row.status), cell(row.kind or ""), row.attempts, row.samples, cost, cell(row.name))
        say(_LINE.format(*line).rstrip())
    if not any_row:
        say("Nothing matches.")


@app.command()
def show(run: RunArgument, item: ItemArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show one picture of a run: ground truth, prompt, attempts, raw reply, pairs."""
    from vqa_tui.cli.item_text import detail_text
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.items import find_tasks, task_detail
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> "TaskDetail":
        run_id = await find_run(opened, run)
        return await task_detail(opened, run_id, (await find_tasks(opened, run_id, item))[0])

    detail = in_workspace(workspace, work)
    if json:
        print_json(detail)
    else:
        say(detail_text(detail))


app.command()(again)
add_edits(app)
