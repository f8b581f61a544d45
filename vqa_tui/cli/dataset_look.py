"""`vqa-tui dataset items` and `dataset problems`: what a dataset holds, one a line, however much it is."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import cell, say

if TYPE_CHECKING:
    from vqa_tui.domain.item import ImportProblem, Item
    from vqa_tui.operations.workspace import Workspace

_LINE = "{:>11} {:<5} {:<8} {:>5}  {}"
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset.")]


def items(
    name: NameArgument,
    search: Annotated[str, typer.Option("--search", metavar="TEXT", help="Only keys that hold this text.")] = "",
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the pictures of a dataset by key, one a line; --json has their ground truth too."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.dataset_contents import dataset_items

    async def work(opened: "Workspace") -> None:
        found = dataset_items(opened, name, search=search)
        if json:
            await print_json_list(found)
        else:
            await _print_items(found)

    in_workspace(workspace, work)


async def _print_items(items: "AsyncIterator[Item]") -> None:
    shown = 0
    async for item in items:
        if not shown:
            say(_LINE.format("size", "kind", "split", "boxes", "picture"))
        shown += 1
        facts = item.facts
        size = f"{facts.width}×{facts.height}"
        say(_LINE.format(size, cell(facts.format), cell(item.split or "–"), len(item.truth.boxes), cell(item.key)))
    if not shown:
        say("No picture.")


def problems(name: NameArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List what could not be imported into a dataset, with the reasons."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.dataset_contents import dataset_problems

    async def work(opened: "Workspace") -> None:
        found = dataset_problems(opened, name)
        if json:
            await print_json_list(found)
        else:
            await _print_problems(found)

    in_workspace(workspace, work)


async def _print_problems(problems: "AsyncIterator[ImportProblem]") -> None:
    shown = 0
    async for problem in problems:
        shown += 1
        say(f"{cell(problem.where)}: {cell(problem.reason)}")
    if not shown:
        say("Everything could be imported.")
