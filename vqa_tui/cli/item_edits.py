"""`vqa-tui item retry`, skip, requeue and undo: chosen pictures of a run are moved, and that is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import cell, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.queue_edit import EditVerb, Stock
    from vqa_tui.domain.task import TaskRow
    from vqa_tui.operations.workspace import Workspace

_MOST_TOLD = 50
"""Pictures that were not moved and are named one by one."""
_RULES = {
    "retry": "only failed {}s are asked again",
    "skip": "only {}s that wait or failed can be taken out",
    "requeue": "only {}s that are done, failed or skipped are put back",
}
_DONE = {
    "retry": "put back into the queue",
    "skip": "taken out of the queue",
    "requeue": "put back into the queue",
}

ItemsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ITEM...]", help="Keys of the pictures, or numbers of their tasks.")
]
FilterOption = Annotated[
    str,
    typer.Option(
        "--filter", metavar="F", help="Those that this filter means, as 'status:failed cost>0.001 !flag:any'."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said what would happen.")]


def add_edits(app: typer.Typer) -> None:
    """Add the commands to those of `item`."""
    for command in (retry, skip, requeue, undo):
        app.command()(command)


def retry(
    run: RunArgument,
    items: ItemsArgument = None,
    filter_text: FilterOption = "",
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put chosen pictures that failed back into the queue; a run that had ended goes on."""
    chosen = _Chosen("retry", tuple(items or ()), filter_text, yes)
    _tell(in_workspace(workspace, partial(_move, run, chosen)), json=json)


def skip(
    run: RunArgument,
    items: ItemsArgument = None,
    filter_text: FilterOption = "",
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Take chosen pictures that wait or failed out of the queue."""
    chosen = _Chosen("skip", tuple(items or ()), filter_text, yes)
    _tell(in_workspace(workspace, partial(_move, run, chosen)), json=json)


def requeue(
    run: RunArgument,
    items: ItemsArgument = None,
    filter_text: FilterOption = "",
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask chosen pictures again that are done, failed or skipped; new pairs replace those of done ones."""
    chosen = _Chosen("requeue", tuple(items or ()), filter_text, yes)
    _tell(in_workspace(workspace, partial(_move, run, chosen)), json=json)


def undo(run: RunArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Take back your newest retry, skip, requeue or asking again, for the pictures that were not asked since."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.queue_edit import TakenBack
    from vqa_tui.operations.queue_edits import undo_edit
    from vqa_tui.operations.runs import find_run
    from vqa_tui.tui.present.edit_words import taken_back

    async def work(opened: "Workspace") -> TakenBack:
        return await undo_edit(opened, await find_run(opened, run))

    back = in_workspace(workspace, work)
    if json:
        print_json({"verb": back.verb, "tasks": back.tasks, "restored": back.restored})
    else:
        say(taken_back(back))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is to be done, and to which pictures: those named, or those that a filter means."""

    verb: str
    items: tuple[str, ...]
    filter_text: str
    yes: bool


@dataclass(frozen=True, slots=True)
class _Moved:
    """How many pictures were moved, and which of those named were not, because of their status."""

    verb: str
    changed: int
    left: "Sequence[TaskRow]"
    unit: str


async def _move(run: str, chosen: _Chosen, opened: "Workspace") -> _Moved:
    from vqa_tui.domain.filter_grammar import parse_filter
    from vqa_tui.domain.queue_edit import MOVABLE, EditVerb
    from vqa_tui.operations.items import find_each_task, task_ids, task_rows
    from vqa_tui.operations.queue_edits import edit_queue, stock
    from vqa_tui.operations.runs import find_run, run_view
    from vqa_tui.tui.present.failure_verbs import cost_words

    if bool(chosen.items) == bool(chosen.filter_text.strip()):
        raise VqaError("name pictures, or choose them with --filter", hint="`vqa-tui item list RUN` shows their names.")
    run_id = await find_run(opened, run)
    if chosen.items:
        ids: Sequence[int] = await find_each_task(opened, run_id, chosen.items)
    else:
        ids = await task_ids(opened, run_id, parse_filter(chosen.filter_text))
    verb = EditVerb(chosen.verb)
    held = await stock(opened, run_id, ids)
    replaced = verb is EditVerb.REQUEUE and held.pairs
    if not chosen.yes and (chosen.filter_text or replaced or held.paid_twice(verb)):
        view = await run_view(opened, run_id)
        require_yes(verb, held, cost="" if verb is EditVerb.SKIP else cost_words(held.movable(verb), view))
    left = []
    if chosen.items:
        rows = await task_rows(opened, run_id, ids)
        left = [row for row in rows.values() if row.status not in MOVABLE[verb]]
    return _Moved(chosen.verb, await edit_queue(opened, run_id, verb, ids), left, held.unit)


def require_yes(verb: "EditVerb", held: "Stock", *, cost: str = "") -> None:
    """Raise VqaError with what would happen, where anything would; `cost` follows the words on what a picture costs."""
    from vqa_tui.tui.present.edit_words import edit_consequence

    if held.movable(verb):
        consequence = edit_consequence(verb, held, cost=cost)
        raise VqaError(f"nothing was changed yet. {consequence}", hint="With --yes it is done.")


def _tell(moved: _Moved, *, json: bool) -> None:
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.tui.present.numbers import plural

    if json:
        left = [{"item_key": row.item_key, "status": row.status} for row in moved.left]
        print_json({"changed": moved.changed, "left": left})
        return
    say(f"{plural(moved.changed, moved.unit)} {_DONE[moved.verb]}.")
    for row in moved.left[:_MOST_TOLD]:
        say(f"{cell(row.name)} is {row.status}: {_RULES[moved.verb].format(moved.unit)}.")
    if len(moved.left) > _MOST_TOLD:
        say(f"{len(moved.left) - _MOST_TOLD} more could not be moved either.")
