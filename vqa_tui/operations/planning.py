"""Before a run: what was asked for, whether it can work, and what it will take."""

import asyncio
import difflib
import re
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import fingerprint, freeze
from vqa_tui.config.price_list import listed_prices
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.domain.run import Limits
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.engine.clips import fewer_frames, require_clips
from vqa_tui.engine.estimate import Estimator
from vqa_tui.operations.plan import RunPlan as RunPlan
from vqa_tui.operations.plan_cost import Load, cost_plan, largest_request
from vqa_tui.operations.plan_prompts import prompt_sizes
from vqa_tui.operations.plan_time import time_bounds
from vqa_tui.operations.plan_warnings import plan_warnings
from vqa_tui.operations.run_parts import request_like as request_like
from vqa_tui.operations.run_parts import run_parts
from vqa_tui.operations.run_request import MOST_PAIRS as MOST_PAIRS
from vqa_tui.operations.run_request import RunRequest as RunRequest
from vqa_tui.operations.run_request import parse_max_side as parse_max_side
from vqa_tui.operations.run_request import parse_ratio as parse_ratio
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.datasets import (
    DatasetRow,
    PictureSizes,
    dataset_named,
    dataset_names,
    picture_sizes,
    spread_items,
)
from vqa_tui.store.earlier_runs import earlier_runs
from vqa_tui.store.runs import NewRun, run_names
from vqa_tui.store.runs import create_run as store_run

SAMPLE_ITEMS = 50
_MOST_KEPT = 8

T = TypeVar("T")
_sizes_seen: dict[tuple[object, ...], PictureSizes] = {}
_samples_seen: dict[tuple[object, ...], list[Item]] = {}


@dataclass(frozen=True, slots=True)
class _Parts:
    recipe: Recipe
    endpoint: Endpoint
    """With the prices that count: its own, else the list's."""
    listed: bool
    dataset_id: int
    load: Load
    limits: Limits
    max_side: int | None
    name: str
    warnings: tuple[str, ...]


async def plan_run(workspace: Workspace, request: RunRequest) -> RunPlan:
    """Return what `request` will take. Raises VqaError for whatever would keep it from starting."""
    parts = await _parts(workspace, request)
    recipe, endpoint = parts.recipe, parts.endpoint
    earlier = await earlier_runs(
        workspace.db,
        recipe=freeze(recipe),
        endpoint=freeze(endpoint),
        endpoint_name=endpoint.name,
    )
    plan = await asyncio.to_thread(
        cost_plan, recipe, endpoint, parts.load, max_side=parts.max_side, earlier=earlier, limits=parts.limits
    )
    bounds = time_bounds(
        endpoint,
        requests=plan.items * plan.requests_per_item,
        input_tokens=(plan.prompt_tokens_per_item + plan.picture_tokens_per_item) * plan.input_ratio,
        output_tokens=plan.output_tokens_per_item,
        concurrency=parts.limits.concurrency,
        latency_ms=None if earlier is None else earlier.mean_latency_ms,
    )
    plan = replace(
        plan, prices_listed=parts.listed, time_bounds=bounds, expected_s=bounds[0].seconds if bounds else None
    )
    return replace(plan, warnings=(*parts.warnings, *plan_warnings(plan, recipe, endpoint, parts.limits)))


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
            pilot_size=min(request.pilot, parts.load.items),
            limit=None if request.limit is None else parts.load.items,
            limits=parts.limits,
            approved=request.yes,
        ),
    )


async def _parts(workspace: Workspace, request: RunRequest) -> _Parts:
    for name, value, least in (("limit", request.limit, 1), ("pilot", request.pilot, 0)):
        if value is not None and value < least:
            raise VqaError(f"{name} must be at least {least}, not {value}")
    chosen = await run_parts(workspace, request)
    recipe, endpoint = chosen.recipe, chosen.endpoint
    limits = limits_of(request, endpoint, chosen.base_limits)
    name = await run_name(workspace, request.name, otherwise=f"{request.dataset}-{recipe.name}")
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
    items = dataset.items if request.limit is None else min(request.limit, dataset.items)
    load = await _load(workspace, dataset, recipe, items)
    if load.has_clips:
        require_clips(recipe, endpoint)
    max_side = _max_side(limits, recipe)
    priced = await asyncio.to_thread(with_prices, recipe, endpoint, load, max_side)
    if request.budget_usd is not None and priced.prices is None:
        raise VqaError(
            f"the price of {endpoint.model} at the endpoint {endpoint.name} is unknown, so a budget cannot be held",
            hint="Add `prices:` to its file (dollars per million tokens), or start without a budget.",
        )
    listed = endpoint.prices is None and priced.prices is not None
    warnings = (*_of_the_import(dataset), *_of_the_sample(recipe, load), *chosen.warnings)
    if load.has_clips and (fewer := fewer_frames(recipe, endpoint)):
        warnings = (*warnings, fewer)
    return _Parts(recipe, priced, listed, dataset.id, load, limits, max_side, name, warnings)


def _of_the_import(dataset: DatasetRow) -> tuple[str, ...]:
    if dataset.unfinished is None:
        return ()
    return (
        f"The import of {dataset.unfinished} has not finished, so {dataset.name} may lack pictures. "
        "Importing the same again goes on from there.",
    )


def _of_the_sample(recipe: Recipe, load: Load) -> tuple[str, ...]:
    if not load.lacking:
        return ()
    sampled = load.lacking + len(load.prompt_bytes)
    return (
        f"Of {sampled} pictures looked at, {load.lacking} have no {' and '.join(recipe.needs)}, which the recipe "
        "needs: such pictures fail without being asked.",
    )


async def _load(workspace: Workspace, dataset: DatasetRow, recipe: Recipe, items: int) -> Load:
    """Return what there is to ask. A face plans anew at every key that is pressed, so what the store said is kept."""
    key = (str(workspace.paths.root), dataset.id, dataset.imported_at, dataset.items, dataset.size_bytes)
    sizes = _sizes_seen.get((*key, items))
    if sizes is None:
        sizes = await picture_sizes(workspace.db, dataset.id, chosen=items, total=dataset.items)
        _keep(_sizes_seen, (*key, items), sizes)
    sample = _samples_seen.get(key)
    if sample is None:
        sample = await spread_items(workspace.db, dataset.id, SAMPLE_ITEMS)
        _keep(_samples_seen, key, sample)
    prompts = prompt_sizes(PromptTemplate(recipe), sample)
    return Load(items, sizes, prompts, len(sample) - len(prompts))


def _keep(seen: dict[tuple[object, ...], T], key: tuple[object, ...], value: T) -> None:
    while len(seen) >= _MOST_KEPT:
        del seen[next(iter(seen))]
    seen[key] = value


def with_prices(recipe: Recipe, endpoint: Endpoint, load: Load, max_side: int | None) -> Endpoint:
    """Return the endpoint with the prices that count from here on: its own, else those of the public list."""
    if endpoint.prices is not None:
        return endpoint
    largest = largest_request(Estimator(recipe, endpoint), load, max_side)
    found = listed_prices(endpoint, extra_body=recipe.generation.extra_body, input_tokens=largest)
    return endpoint.model_copy(update={"prices": found})


def _max_side(limits: Limits, recipe: Recipe) -> int | None:
    wanted = limits.max_side
    if wanted is None:
        return recipe.picture.max_side
    return wanted if isinstance(wanted, int) else None


def limits_of(request: RunRequest, endpoint: Endpoint, base: Limits) -> Limits:
    """Return the limits that a request means; what it does not name is that of `base`. Raises VqaError."""
    named = {
        "budget_usd": request.budget_usd,
        "concurrency": endpoint.concurrency if request.concurrency is None else request.concurrency,
        "max_side": request.max_side,
        "hedge": request.hedge,
    }
    try:
        return Limits(**{**base.model_dump(), **named})
    except ValidationError as error:
        first = error.errors()[0]
        raise VqaError(f"{first['loc'][0]}: {first['msg']}") from error


async def run_name(workspace: Workspace, name: str | None, *, otherwise: str) -> str:
    """Return the name asked for, or a free one like `otherwise`. Raises VqaError when it cannot be one or is taken."""
    existing = {name for _id, name in await run_names(workspace.db)}
    if name is None:
        return _free_name(otherwise, existing)
    require_run_name(name)
    if name in existing:
        raise VqaError(f"there is already a run named {name}", hint="Choose another name, or resume that one.")
    return name


def _free_name(wanted: str, existing: set[str]) -> str:
    wanted = re.sub(r"[^A-Za-z0-9_.-]+", "-", wanted).strip("-.") or "run"
    if wanted not in existing:
        return wanted
    number = 2
    while f"{wanted}-{number}" in existing:
        number += 1
    return f"{wanted}-{number}"
