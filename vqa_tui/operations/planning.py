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
from vqa_tui.engine.estimate import Estimator
from vqa_tui.operations.making_runs import making_a_run, taken_names
from vqa_tui.operations.plan import RunPlan as RunPlan
from vqa_tui.operations.plan_cost import Load, cost_plan, largest_request
from vqa_tui.operations.plan_media import media_warnings, require_addresses
from vqa_tui.operations.plan_prompts import prompt_sizes
from vqa_tui.operations.plan_time import time_bounds
from vqa_tui.operations.plan_warnings import plan_warnings
from vqa_tui.operations.run_parts import request_like as request_like
from vqa_tui.operations.run_parts import run_parts
from vqa_tui.operations.run_request import LARGEST_SEED
from vqa_tui.operations.run_request import MOST_PAIRS as MOST_PAIRS
from vqa_tui.operations.run_request import RunRequest as RunRequest
from vqa_tui.operations.run_request import parse_max_side as parse_max_side
from vqa_tui.operations.run_request import parse_ratio as parse_ratio
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.datasets import (
    DatasetRow,
    PictureSizes,
    askable_pictures,
    dataset_named,
    dataset_names,
    picture_sizes,
    spread_items,
)
from vqa_tui.store.earlier_runs import earlier_runs
from vqa_tui.store.run_creation import NewRun
from vqa_tui.store.run_creation import create_run as store_run

SAMPLE_ITEMS = 50
_MOST_KEPT = 8

T = TypeVar("T")
_sizes_seen: dict[tuple[object, ...], PictureSizes] = {}
_askable_seen: dict[tuple[object, ...], int] = {}
_samples_seen: dict[tuple[object, ...], list[Item]] = {}


@dataclass(frozen=True, slots=True)
class _Parts:
    recipe: Recipe
    endpoint: Endpoint
    """With the prices that count: its own, else the list's."""
    listed: bool
    dataset_id: int
    load: Load
    unasked: int
    """Pictures of the dataset about which this recipe has nothing to ask."""
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
        requests=plan.requests * plan.requests_per_item,
        input_tokens=(plan.prompt_tokens_per_item + plan.picture_tokens_per_item) * plan.input_ratio,
        output_tokens=plan.output_tokens_per_item,
        concurrency=parts.limits.concurrency,
        latency_ms=None if earlier is None else earlier.mean_latency_ms,
    )
    plan = replace(
        plan,
        prices_listed=parts.listed,
        unasked=parts.unasked,
        time_bounds=bounds,
        expected_s=bounds[0].seconds if bounds else None,
    )
    return replace(plan, warnings=(*parts.warnings, *plan_warnings(plan, recipe, endpoint, parts.limits)))


async def create_run(workspace: Workspace, request: RunRequest) -> int:
    """Freeze recipe and endpoint, queue the pictures, and return the run's id. Nothing is asked yet.

    Nobody sees the run before all of its pictures are queued. Raises VqaError when anything is wrong, with nothing
    stored that anybody sees.
    """
    async with making_a_run(workspace) as hold:
        parts = await _parts(workspace, request)
        frozen_recipe, frozen_endpoint = freeze(parts.recipe), freeze(parts.endpoint)
        new = NewRun(
            name=parts.name,
            dataset_id=parts.dataset_id,
            recipe_name=parts.recipe.name,
            endpoint_name=parts.endpoint.name,
            model=parts.endpoint.model,
            recipe=frozen_recipe,
            endpoint=frozen_endpoint,
            config_sha256=fingerprint(frozen_recipe, frozen_endpoint),
            pilot_size=min(request.pilot, parts.load.pictures),
            limit=None if request.limit is None else parts.load.pictures,
            limits=parts.limits,
            approved=request.yes,
            parts=parts.recipe.parts,
            seed=request.seed,
        )
        return await store_run(workspace.db, new, hold=hold)


async def _parts(workspace: Workspace, request: RunRequest) -> _Parts:
    for name, value, least in (("limit", request.limit, 1), ("pilot", request.pilot, 0)):
        if value is not None and value < least:
            raise VqaError(f"{name} must be at least {least}, not {value}")
    if request.seed is not None and not (request.limit is not None and 0 <= request.seed <= LARGEST_SEED):
        raise VqaError(
            f"the seed {request.seed} draws no pictures",
            hint="A seed is a whole number from 0, and is for a limit: --limit says how many pictures are drawn.",
        )
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
    load = await _load(workspace, dataset, recipe, request.limit, request.seed)
    of_media = media_warnings(recipe, endpoint, load)
    max_side = _max_side(limits, recipe)
    priced = await asyncio.to_thread(with_prices, recipe, endpoint, load, max_side)
    if request.budget_usd is not None and priced.prices is None:
        raise VqaError(
            f"the price of {endpoint.model} at the endpoint {endpoint.name} is unknown, so a budget cannot be held",
            hint="Add `prices:` to its file (dollars per million tokens), or start without a budget.",
        )
    listed = endpoint.prices is None and priced.prices is not None
    warnings = (*_of_the_import(dataset), *_of_the_sample(recipe, load), *chosen.warnings, *of_media)
    unasked = dataset.items - load.askable
    return _Parts(recipe, priced, listed, dataset.id, load, unasked, limits, max_side, name, warnings)


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
    return (
        f"Of {load.looked_at} pictures looked at, {load.lacking} have no {' and '.join(recipe.needs)}, which the "
        "recipe needs: such pictures fail without being asked.",
    )


async def _load(workspace: Workspace, dataset: DatasetRow, recipe: Recipe, limit: int | None, seed: int | None) -> Load:
    """Return what there is to ask. A face plans anew at every key that is pressed, so what the store said is kept.

    Raises VqaError where a request is about a reference pair and no picture has one.
    """
    parts = recipe.parts
    key = (str(workspace.paths.root), dataset.id, dataset.imported_at, dataset.items, dataset.size_bytes, parts)
    askable = _askable_seen.get(key)
    if askable is None:
        askable = await askable_pictures(workspace.db, dataset.id, parts)
        _keep(_askable_seen, key, askable)
    if not askable:
        raise VqaError(
            f"no picture of {dataset.name} has a question-answer pair of its own, and the recipe {recipe.name} makes "
            "one request for each",
            hint="Import the dataset with its questions and answers, or take another recipe.",
        )
    pictures = askable if limit is None else min(limit, askable)
    sizes = _sizes_seen.get((*key, pictures, seed))
    if sizes is None:
        sizes = await picture_sizes(workspace.db, dataset.id, chosen=pictures, total=askable, parts=parts, seed=seed)
        _keep(_sizes_seen, (*key, pictures, seed), sizes)
    sample = _samples_seen.get(key)
    if sample is None:
        sample = await spread_items(workspace.db, dataset.id, SAMPLE_ITEMS, parts=parts)
        _keep(_samples_seen, key, sample)
    require_addresses(recipe, sample)
    template = PromptTemplate(recipe)
    prompts = prompt_sizes(template, [(item, part) for item in sample for part in template.parts_of(item)])
    requests = sizes.requests
    return Load(requests, sizes, prompts.sizes, pictures, prompts.pictures, prompts.lacking, askable)


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
    existing = await taken_names(workspace)
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
