"""Before a run: what was asked for, whether it can work, and what it will take."""

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import fingerprint, freeze
from vqa_tui.config.load import load_endpoint, load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.domain.run import Limits
from vqa_tui.engine.estimate import Estimator
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.datasets import dataset_named, dataset_names, spread_items
from vqa_tui.store.runs import NewRun, run_names
from vqa_tui.store.runs import create_run as store_run

_SAMPLE_ITEMS = 50


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person asks for when starting a run."""

    dataset: str
    recipe: str
    endpoint: str
    name: str | None = None
    limit: int | None = None
    """At most this many pictures, evenly spread over the dataset."""
    pilot: int = 10
    """Pictures asked before approval; 0 starts at once."""
    budget_usd: Decimal | None = None
    concurrency: int | None = None
    """None takes the endpoint's own."""
    yes: bool = False
    """Approve the pilot in advance."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run will take, from a sample of the dataset; tokens and dollars are per picture unless named total."""

    items: int
    prompt_tokens_per_item: float
    picture_tokens_per_item: float
    output_tokens_per_item: float
    cost_per_item: Decimal | None
    cost_total: Decimal | None
    expected_s: float | None
    """From the endpoint's quotas alone; None when nothing limits it but its speed."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    recipe: Recipe
    endpoint: Endpoint
    dataset_id: int
    items: int
    sample: list[Item]
    limits: Limits
    name: str


async def plan_run(workspace: Workspace, request: RunRequest) -> RunPlan:
    """Return what `request` will take. Raises VqaError for whatever would keep it from starting."""
    parts = await _parts(workspace, request)
    estimator = Estimator(parts.recipe, parts.endpoint)
    tokens = [estimator.tokens(item) for item in parts.sample]
    count = len(tokens)
    prompt = sum(t.prompt for t in tokens) / count
    picture = sum(t.picture for t in tokens) / count
    output = float(parts.recipe.expected_output_tokens)
    per_item: Decimal | None = None
    if parts.endpoint.prices is not None:
        prices = parts.endpoint.prices
        per_item = (
            Decimal(prompt + picture) * prices.input_per_million + Decimal(output) * prices.output_per_million
        ) / 1_000_000
    return RunPlan(
        items=parts.items,
        prompt_tokens_per_item=prompt,
        picture_tokens_per_item=picture,
        output_tokens_per_item=output,
        cost_per_item=per_item,
        cost_total=None if per_item is None else per_item * parts.items,
        expected_s=_quota_bound_s(parts.endpoint, parts.items),
        warnings=tuple(_warnings(parts, request, per_item)),
    )


async def create_run(workspace: Workspace, request: RunRequest) -> int:
    """Freeze recipe and endpoint, queue the pictures, and return the run's id. Nothing is asked yet.

    Raises VqaError when anything is wrong, with nothing stored.
    """
    parts = await _parts(workspace, request)
    frozen_recipe, frozen_endpoint = freeze(parts.recipe), freeze(parts.endpoint)
    return await store_run(
        workspace.db,
        NewRun(
            name=parts.name,
            dataset_id=parts.dataset_id,
            recipe_name=parts.recipe.name,
            endpoint_name=parts.endpoint.name,
            model=parts.endpoint.model,
            recipe=frozen_recipe,
            endpoint=frozen_endpoint,
            config_sha256=fingerprint(frozen_recipe, frozen_endpoint),
            pilot_size=min(request.pilot, parts.items),
            limit=None if request.limit is None else parts.items,
            limits=parts.limits,
            approved=request.yes,
        ),
    )


async def _parts(workspace: Workspace, request: RunRequest) -> _Parts:
    for name, value, least in (("limit", request.limit, 1), ("pilot", request.pilot, 0)):
        if value is not None and value < least:
            raise VqaError(f"{name} must be at least {least}, not {value}")
    recipe = load_recipe(request.recipe, folders=workspace.recipe_folders)
    endpoint = load_endpoint(request.endpoint, folders=workspace.endpoint_folders)
    limits = _limits(request, endpoint)
    name = await _run_name(workspace, request, recipe)
    dataset = await dataset_named(workspace.db, request.dataset)
    if dataset is None:
        names = await dataset_names(workspace.db)
        close = difflib.get_close_matches(request.dataset, names, 1)
        hint = f"Did you mean {close[0]}?" if close else "Import one with `vqa-tui dataset import KIND PATH`."
        raise VqaError(f"there is no dataset named {request.dataset}", hint=hint)
    if dataset.items == 0:
        raise VqaError(
            f"the dataset {dataset.name} holds no usable picture",
            hint=f"`vqa-tui dataset show {dataset.name}` lists what was wrong with each.",
        )
    if request.budget_usd is not None and endpoint.prices is None:
        raise VqaError(
            f"the endpoint {endpoint.name} states no prices, so a budget cannot be held",
            hint="Add `prices:` to its file (dollars per million tokens), or start without a budget.",
        )
    sample = await spread_items(workspace.db, dataset.id, _SAMPLE_ITEMS)
    PromptTemplate(recipe).render(sample[0])
    items = dataset.items if request.limit is None else min(request.limit, dataset.items)
    return _Parts(recipe, endpoint, dataset.id, items, sample, limits, name)


def _limits(request: RunRequest, endpoint: Endpoint) -> Limits:
    concurrency = endpoint.concurrency if request.concurrency is None else request.concurrency
    try:
        return Limits(budget_usd=request.budget_usd, concurrency=concurrency)
    except ValidationError as error:
        first = error.errors()[0]
        raise VqaError(f"{first['loc'][0]}: {first['msg']}") from error


async def _run_name(workspace: Workspace, request: RunRequest, recipe: Recipe) -> str:
    """Return the name asked for, or a free one. Raises VqaError when it cannot be a name or is taken."""
    existing = {name for _id, name in await run_names(workspace.db)}
    name = request.name
    if name is None:
        return _free_name(f"{request.dataset}-{recipe.name}", existing)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name) or name.isdecimal():
        raise VqaError(
            f"{name!r} cannot be the name of a run",
            hint="Use ASCII letters (a-z, A-Z), digits, dots, dashes and underscores, at most 80 of them, beginning "
            "with a letter or digit, and not digits alone.",
        )
    if name in existing:
        raise VqaError(f"there is already a run named {name}", hint="Choose another name, or resume that one.")
    return name


def _warnings(parts: _Parts, request: RunRequest, per_item: Decimal | None) -> list[str]:
    warnings = []
    if per_item is None:
        warnings.append("The price is unknown: nothing will be counted and no budget can be held.")
    elif request.budget_usd is not None and per_item * parts.items > request.budget_usd:
        enough_for = int(request.budget_usd / per_item) if per_item else parts.items
        warnings.append(
            f"The budget is enough for about {enough_for} of {parts.items} pictures; the run will pause there."
        )
    if parts.endpoint.kind == "embedded":
        warnings.append("The embedded endpoint has no model: its answers come from annotations and measurements.")
    return warnings


def _quota_bound_s(endpoint: Endpoint, items: int) -> float | None:
    per_minute = 0
    for group in {endpoint.group_of(key) for key in endpoint.keys}:
        quota = endpoint.groups.get(group, endpoint.quota)
        own = [
            key.quota.requests_per_minute if key.quota else None
            for key in endpoint.keys
            if endpoint.group_of(key) == group
        ]
        bounds = [quota.requests_per_minute] if quota.requests_per_minute else []
        if all(own):
            bounds.append(sum(value for value in own if value))
        if not bounds:
            return None
        per_minute += min(bounds)
    return items / per_minute * 60


def _free_name(wanted: str, existing: set[str]) -> str:
    wanted = re.sub(r"[^A-Za-z0-9_.-]+", "-", wanted).strip("-.") or "run"
    if wanted not in existing:
        return wanted
    number = 2
    while f"{wanted}-{number}" in existing:
        number += 1
    return f"{wanted}-{number}"
