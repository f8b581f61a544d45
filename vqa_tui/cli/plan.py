"""`vqa-tui plan`: what a run would take, with nothing started; and the same plan before `run start`."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, ModelOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import note, say, warn

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Literal

    from vqa_tui.operations.planning import RunPlan, RunRequest
    from vqa_tui.operations.workspace import Workspace

DATASET = typer.Argument(metavar="DATASET", help="Name of an imported dataset.", show_default=False)
RECIPE = typer.Option("--recipe", metavar="R", help="Name of a recipe, or path of its YAML file.", show_default=False)
ENDPOINT = typer.Option(
    "--endpoint", metavar="E", help="Name of an endpoint, or path of its YAML file.", show_default=False
)
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="At most so many pictures, evenly spread over the dataset.")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Draw the pictures of --limit by chance, by this number.")
]
BudgetOption = Annotated[
    str | None, typer.Option("--budget", metavar="USD", help="Hard cap in dollars; the run pauses there.")
]
ConcurrencyOption = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", help="Most requests in flight; default: the endpoint's.")
]
MaxSideOption = Annotated[
    str | None,
    typer.Option(
        "--max-side", metavar="PX", help="Longest side of the pictures sent, or `original`; default: the recipe's."
    ),
]
PairsOption = Annotated[
    int | None, typer.Option("--pairs", metavar="N", help="Pairs asked of each picture; default: the recipe's.")
]
RatioOption = Annotated[
    float | None,
    typer.Option(
        "--structured-ratio",
        metavar="SHARE",
        help="Chance of each pair to be the structured question, 0 to 1, one a picture at most; default: the recipe's.",
    ),
]


def plan(
    dataset: Annotated[str, DATASET],
    recipe: Annotated[str, RECIPE],
    endpoint: Annotated[str, ENDPOINT],
    limit: LimitOption = None,
    seed: SeedOption = None,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    max_side: MaxSideOption = None,
    model: ModelOption = None,
    pairs: PairsOption = None,
    structured_ratio: RatioOption = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show what asking an endpoint about every picture of DATASET would take. Nothing is started."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.planning import RunRequest, plan_run

    request = RunRequest(
        dataset=dataset,
        recipe=recipe,
        endpoint=endpoint,
        limit=limit,
        seed=seed,
        budget_usd=dollars(budget),
        concurrency=concurrency,
        max_side=longest_side(max_side),
        model=model,
        pairs=pairs,
        structured_ratio=structured_ratio,
    )

    async def work(opened: "Workspace") -> "RunPlan":
        return await plan_run(opened, request)

    made = in_workspace(workspace, work)
    if json:
        print_json(made)
    else:
        show_plan(made, request, out=say)


def dollars(text: str | None) -> "Decimal | None":
    """Return an amount of dollars that can be a budget; raises VqaError for anything else."""
    from vqa_tui.operations.limits import parse_budget

    return None if text is None else parse_budget(text, field="--budget", hint="For example: --budget 10")


def longest_side(text: str | None) -> "int | Literal['original'] | None":
    """Return a longest side in pixels or `original`; raises VqaError for anything else."""
    from vqa_tui.operations.planning import parse_max_side

    return None if text is None else parse_max_side(text, field="--max-side")


def show_plan(made: "RunPlan", request: "RunRequest", *, out: Callable[[str], None] = note) -> None:
    """Print a plan; warnings go to stderr whatever `out` is."""
    for line in _facts(made, request):
        out(line)
    out("")
    for line in _size_table(made):
        out(line)
    for warning in made.warnings:
        warn(warning)


def _facts(made: "RunPlan", request: "RunRequest") -> Iterator[str]:
    from vqa_tui.tui.present import plan_words
    from vqa_tui.tui.present.numbers import count, money, plural

    cost = "unknown"
    if made.cost_total is not None:
        cost = f"about {money(made.cost_total)} ({money(made.cost_per_item)} a {made.unit})"
        if band := plan_words.band_words(made):
            cost += f", {band}"
    prices = ""
    if made.prices is not None:
        source = plan_words.price_source(made.prices, listed=made.prices_listed)
        prices = f"{plan_words.price_words(made.prices)}\n{source}"
    facts = [
        ("pictures", count(made.items)),
        ("requests", count(made.requests) if made.in_parts else ""),
        ("tokens each", plan_words.token_words(made)),
        ("cost", cost),
        ("band", "\n".join(plan_words.band_parts(made)) if made.cost_total else ""),
        ("at most", plan_words.most_words(made)),
        ("prices", prices),
        ("measured", plan_words.earlier_words(made)),
        ("budget", money(request.budget_usd) if request.budget_usd is not None else "none"),
        ("at least", plan_words.bound_words(made)),
        ("pilot", plural(min(request.pilot, made.items), "picture") if request.pilot and not request.yes else "none"),
    ]
    for title, value in facts:
        if value:
            yield f"{title:<12} " + value.replace("\n", "\n" + " " * 13)


def _size_table(made: "RunPlan") -> Iterator[str]:
    from vqa_tui.tui.present.plan_words import SIZE_COLUMNS, size_cells

    rows = [SIZE_COLUMNS, *(size_cells(row, made) for row in made.sizes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(SIZE_COLUMNS))]
    for row, mark in zip(rows, [" ", *("▸" if each.chosen else " " for each in made.sizes)], strict=True):
        yield f"{mark} " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
