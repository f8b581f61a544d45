"""`vqa-tui run start`: the plan, the run, its engine, and watching it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note
from vqa_tui.cli.plan import (
    BudgetOption,
    ConcurrencyOption,
    DatasetArgument,
    EndpointOption,
    HedgeOption,
    LimitOption,
    MaxSideOption,
    RecipeOption,
    dollars,
    longest_side,
    show_plan,
)

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace


def start(
    dataset: DatasetArgument,
    recipe: RecipeOption,
    endpoint: EndpointOption,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="N", help="Name of the run; made from dataset and recipe if missing."),
    ] = None,
    limit: LimitOption = None,
    pilot: Annotated[
        int, typer.Option("--pilot", metavar="N", help="Pictures asked before a person approves; 0 asks all at once.")
    ] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the pilot in advance.")] = False,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    max_side: MaxSideOption = None,
    hedge: HedgeOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; the run goes on by itself.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask an endpoint about every picture of DATASET, and watch it.

    Ctrl+C pauses the run; a second Ctrl+C leaves it to itself.
    """
    from vqa_tui.operations.planning import RunRequest, create_run, plan_run
    from vqa_tui.operations.runs import start_engine

    request = RunRequest(
        dataset=dataset,
        recipe=recipe,
        endpoint=endpoint,
        name=name,
        limit=limit,
        pilot=pilot,
        budget_usd=dollars(budget),
        concurrency=concurrency,
        yes=yes,
        max_side=longest_side(max_side),
        hedge=hedge,
    )

    async def work(opened: "Workspace") -> int:
        plan = await plan_run(opened, request)
        show_plan(plan, request)
        run_id = await create_run(opened, request)
        await start_engine(opened, run_id)
        return await _after_start(opened, run_id, workspace, detach=detach, json=json)

    raise typer.Exit(in_workspace(workspace, work))


async def _after_start(opened: "Workspace", run_id: int, explicit: Path | None, *, detach: bool, json: bool) -> int:
    from vqa_tui.cli.json_output import print_json, run_document
    from vqa_tui.cli.run_watch import RunWatch
    from vqa_tui.operations.runs import run_view

    code = 0
    if detach:
        view = await run_view(opened, run_id)
        note(f"started {view.name}. To watch it:  {command_line(f'run watch {view.name}', explicit)}")
    else:
        code = await RunWatch(opened, run_id, explicit, machine_output=json).to_the_end()
    if json:
        print_json(run_document(await run_view(opened, run_id)))
    return code
