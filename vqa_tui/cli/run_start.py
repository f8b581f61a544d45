"""`vqa-tui run start`: the plan, the run, its engine, and watching it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqa_tui.cli.options import JsonOption, ModelOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note
from vqa_tui.cli.plan import (
    DATASET,
    ENDPOINT,
    RECIPE,
    BudgetOption,
    ConcurrencyOption,
    LimitOption,
    MaxSideOption,
    PairsOption,
    RatioOption,
    SeedOption,
    dollars,
    longest_side,
    show_plan,
)
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.planning import RunRequest
    from vqa_tui.operations.workspace import Workspace


def start(
    dataset: Annotated[str | None, DATASET] = None,
    recipe: Annotated[str | None, RECIPE] = None,
    endpoint: Annotated[str | None, ENDPOINT] = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="RUN",
            help="Ask the same as that run, with its limits; what is given here counts instead. `--budget none` has no "
            "cap.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="N", help="Name of the run; made from dataset and recipe if missing."),
    ] = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    pilot: Annotated[
        int | None,
        typer.Option("--pilot", metavar="N", help="Pictures asked before a person approves, 10 if not given; 0: none."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the pilot in advance.")] = False,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    max_side: MaxSideOption = None,
    model: ModelOption = None,
    pairs: PairsOption = None,
    structured_ratio: RatioOption = None,
    hedge: Annotated[
        bool | None,
        typer.Option("--hedge/--no-hedge", help="Ask a straggler a second time; both requests are paid."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; the run goes on by itself.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask an endpoint about every picture of DATASET, and watch it.

    DATASET, --recipe and --endpoint are needed unless --like names a run that has them. Ctrl+C pauses the run; a second
    Ctrl+C leaves it to itself.
    """
    from vqa_tui.operations.planning import create_run, plan_run

    no_cap = budget is not None and budget.strip().lower() == "none"
    given = {
        "dataset": dataset,
        "recipe": recipe,
        "endpoint": endpoint,
        "name": name,
        "limit": limit,
        "seed": seed,
        "pilot": pilot,
        "budget_usd": None if no_cap else dollars(budget),
        "concurrency": concurrency,
        "max_side": longest_side(max_side),
        "model": model,
        "pairs": pairs,
        "structured_ratio": structured_ratio,
        "hedge": hedge,
        "yes": yes or None,
    }
    given = {field: value for field, value in given.items() if value is not None}

    async def work(opened: "Workspace") -> int:
        request = await _request(opened, like, given)
        if no_cap:
            request = replace(request, budget_usd=None)
        plan = await plan_run(opened, request)
        show_plan(plan, request)
        return await _begin(opened, await create_run(opened, request), workspace, detach=detach, json=json)

    raise typer.Exit(in_workspace(workspace, work))


async def _request(opened: "Workspace", like: str | None, given: Mapping[str, Any]) -> "RunRequest":
    """Return what is asked for: `given` alone, or over what the run `like` has."""
    from vqa_tui.operations.planning import RunRequest, request_like
    from vqa_tui.operations.runs import find_run

    if like is not None:
        same = await request_like(opened, await find_run(opened, like))
        if given.get("endpoint", same.endpoint) != same.endpoint:
            same = replace(same, model=None)  # The model of one endpoint is seldom that of another.
        return replace(same, **given)
    words = {"dataset": "DATASET", "recipe": "--recipe", "endpoint": "--endpoint"}
    if missing := [shown for field, shown in words.items() if field not in given]:
        raise VqaError(
            f"the run needs {' and '.join(missing)}", hint="Or --like RUN, to ask the same as a run that there is."
        )
    return RunRequest(**given)


async def _begin(opened: "Workspace", run_id: int, explicit: Path | None, *, detach: bool, json: bool) -> int:
    from vqa_tui.cli.json_output import print_json, run_document
    from vqa_tui.cli.run_watch import RunWatch
    from vqa_tui.operations.runs import run_view, start_engine

    watch = RunWatch(opened, run_id, explicit, machine_output=json)
    code = await watch.to_the_end(partial(start_engine, opened, run_id), stay=not detach)
    if detach and not code:
        view = await run_view(opened, run_id)
        note(f"started {view.name}. To watch it:  {command_line(f'run watch {view.name}', explicit)}")
    if json:
        print_json(run_document(await run_view(opened, run_id)))
    return code
