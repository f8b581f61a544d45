"""`vqa-tui run start`: the plan, the run, its engine, and watching it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note, warn
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from decimal import Decimal

    from vqa_tui.operations.planning import RunPlan, RunRequest
    from vqa_tui.operations.workspace import Workspace


def start(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Name of an imported dataset.")],
    recipe: Annotated[str, typer.Option("--recipe", metavar="R", help="Name of a recipe, or path of its YAML file.")],
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="E", help="Name of an endpoint, or path of its YAML file.")
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="N", help="Name of the run; made from dataset and recipe if missing."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", help="At most so many pictures, evenly spread over the dataset."),
    ] = None,
    pilot: Annotated[
        int, typer.Option("--pilot", metavar="N", help="Pictures asked before a person approves; 0 asks all at once.")
    ] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the pilot in advance.")] = False,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="USD", help="Hard cap in dollars; the run pauses there.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", help="Most requests in flight; default: the endpoint's.")
    ] = None,
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
    )

    async def work(opened: "Workspace") -> int:
        plan = await plan_run(opened, request)
        _show_plan(plan, request)
        run_id = await create_run(opened, request)
        await start_engine(opened, run_id)
        return await _after_start(opened, run_id, workspace, detach=detach, json=json)

    raise typer.Exit(in_workspace(workspace, work))


def dollars(text: str | None) -> "Decimal | None":
    """Return an amount of dollars that can be a budget; raises VqaError for anything else."""
    from decimal import Decimal, InvalidOperation

    from vqa_tui.domain.run import LARGEST_BUDGET_USD, SMALLEST_BUDGET_USD

    if text is None:
        return None
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or not SMALLEST_BUDGET_USD <= amount <= LARGEST_BUDGET_USD:
        raise VqaError(
            f"--budget: {text!r} is not an amount of dollars from {SMALLEST_BUDGET_USD:f} to {LARGEST_BUDGET_USD:,f}",
            hint="For example: --budget 10",
        )
    return amount


def _show_plan(plan: "RunPlan", request: "RunRequest") -> None:
    """Print the plan on stderr, so that stdout stays free for --json."""
    from vqa_tui.tui.present.numbers import compact, count, duration, money, plural

    tokens = (
        f"{compact(plan.prompt_tokens_per_item)} prompt + {compact(plan.picture_tokens_per_item)} picture "
        f"+ {compact(plan.output_tokens_per_item)} reply"
    )
    cost = "unknown"
    if plan.cost_total is not None:
        cost = f"about {money(plan.cost_total)} ({money(plan.cost_per_item)} a picture)"
    facts = [
        ("pictures", count(plan.items)),
        ("tokens each", tokens),
        ("cost", cost),
        ("budget", money(request.budget_usd) if request.budget_usd is not None else "none"),
        ("at least", duration(plan.expected_s) if plan.expected_s is not None else ""),
        ("pilot", plural(min(request.pilot, plan.items), "picture") if request.pilot and not request.yes else "none"),
    ]
    for title, value in facts:
        if value:
            note(f"{title:<12} {value}")
    for warning in plan.warnings:
        warn(warning)


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
