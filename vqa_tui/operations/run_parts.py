"""The recipe and the endpoint that a run is made of: from their files, with another model, or from an earlier run."""

from dataclasses import dataclass
from math import ceil

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import thaw_endpoint, thaw_recipe
from vqa_tui.config.key_likeness import key_values_in
from vqa_tui.config.load import is_known, load_endpoint, load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Limits
from vqa_tui.operations.run_request import MOST_PAIRS, RunRequest
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.made_of import MadeOf, made_of

_LONGEST_MODEL = 200
_NO_OVERRIDES = Limits()
_OVERRIDES = (
    "max_attempts",
    "requests_per_minute",
    "tokens_per_minute",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "requests_per_day",
)
"""Limits that a request does not name: a run that is like another takes them over."""


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a request means, and what a person should know about where it comes from."""

    recipe: Recipe
    endpoint: Endpoint
    base_limits: Limits
    """Limits that the request does not name."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Earlier:
    made: MadeOf
    recipe: Recipe
    endpoint: Endpoint


def with_model(endpoint: Endpoint, model: str | None) -> Endpoint:
    """Return the endpoint asking another model. Raises VqaError for what cannot be the name of one.

    Prices in its file are those of the file's model, so they do not hold for another one: the public list is asked
    instead. At an endpoint of one's own they are one's own terms, and stay.
    """
    if model is None or model == endpoint.model:
        return endpoint
    if not model.strip() or not model.isprintable() or len(model) > _LONGEST_MODEL:
        raise VqaError(
            f"{model!r} cannot be the name of a model",
            hint=f"Up to {_LONGEST_MODEL} printable characters. `vqa-tui endpoint models {endpoint.name}` lists some.",
        )
    if any(key_values_in({"model": model})):
        raise VqaError(
            "the name of the model looks like the value of a key, which would be stored with the run",
            hint="Name a model; keys come from the environment.",
        )
    prices = endpoint.prices if endpoint.is_near else None
    return endpoint.model_copy(update={"model": model, "prices": prices})


def require_own_address(endpoint: Endpoint) -> None:
    """Raise VqaError where the address still holds what a person has to replace by their own."""
    if endpoint.placeholder:
        raise VqaError(
            f"the endpoint {endpoint.name} needs your own name in place of {endpoint.placeholder}",
            hint=f"`vqa-tui endpoint copy {endpoint.name} my-{endpoint.name}`, then write it into that file.",
        )


async def run_parts(workspace: Workspace, request: RunRequest) -> RunParts:
    """Return recipe and endpoint of a request. Raises VqaError, as loading them does.

    Where the request is like an earlier run, a recipe or endpoint of that run whose file has no name any more (it was
    given by its path, or is gone) is taken as that run had it.
    """
    earlier = await _earlier(workspace, request.like) if request.like is not None else None
    recipe, of_recipe = _recipe(workspace, request, earlier)
    endpoint, of_endpoint = _endpoint(workspace, request, earlier)
    base, of_limits = _NO_OVERRIDES, ""
    if earlier is not None and earlier.endpoint.name == endpoint.name:
        base = earlier.made.limits
        of_limits = taken_over_words(base, earlier.made.run_name)
    warnings = tuple(words for words in (of_recipe, *of_endpoint, of_limits) if words)
    return RunParts(recipe, endpoint, base, warnings)


def taken_over_words(limits: Limits, run_name: str) -> str:
    """Return which limits of a run another one takes over, of those that no request names; empty where none is set."""
    changed = [name for name in _OVERRIDES if getattr(limits, name) != getattr(_NO_OVERRIDES, name)]
    return f"These limits are taken over from run {run_name}: {_listed(changed)}." if changed else ""


async def request_like(workspace: Workspace, run_id: int) -> RunRequest:
    """Return a request for the same as that run, with its limits as they stand now; the name is left free.

    Its plan warns where a recipe or endpoint is no longer what the run had. Raises VqaError when there is no such run,
    this version cannot read it, or it asks pictures that a person chose: no request names pictures one by one, and one
    for the whole dataset is not the same.
    """
    earlier = await _earlier(workspace, run_id)
    made, limits = earlier.made, earlier.made.limits
    if made.of_chosen:
        raise _of_chosen(earlier)
    try:
        in_file = load_endpoint(earlier.endpoint.name, folders=workspace.endpoint_folders).model
    except VqaError:
        in_file = earlier.endpoint.model  # What is wrong with the file is told when the run is planned.
    asked = earlier.recipe
    try:
        recipe = load_recipe(asked.name, folders=workspace.recipe_folders)
    except VqaError:
        recipe = asked
    return RunRequest(
        dataset=made.dataset,
        recipe=earlier.recipe.name,
        endpoint=earlier.endpoint.name,
        limit=made.limit,
        seed=made.seed,
        pilot=made.pilot_size,
        budget_usd=limits.budget_usd,
        concurrency=None if limits.concurrency == earlier.endpoint.concurrency else limits.concurrency,
        max_side=limits.max_side,
        hedge=limits.hedge,
        model=None if in_file == earlier.endpoint.model else earlier.endpoint.model,
        pairs=asked.pairs if recipe.pairs != asked.pairs and _speaks_of(recipe, "pairs") else None,
        structured_ratio=(
            asked.structured_ratio
            if recipe.structured_ratio != asked.structured_ratio and _speaks_of(recipe, "structured_pairs")
            else None
        ),
        like=run_id,
    )


async def earlier_recipe(workspace: Workspace, run_id: int, name: str) -> Recipe | None:
    """Return the recipe of that run if it has this name and no file has it any more; None where the file counts."""
    if is_known(name, workspace.recipe_folders):
        return None
    earlier = await _earlier(workspace, run_id)
    return earlier.recipe if earlier.recipe.name == name else None


async def _earlier(workspace: Workspace, run_id: int) -> _Earlier:
    made = await made_of(workspace.db, run_id)
    if made is None:
        raise VqaError(f"there is no run {run_id}", hint="`vqa-tui run list` shows the runs of this workspace.")
    return _Earlier(made, thaw_recipe(made.recipe), thaw_endpoint(made.endpoint))


def _of_chosen(earlier: _Earlier) -> VqaError:
    made, endpoint = earlier.made, earlier.endpoint
    again = f"`vqa-tui item again {made.follows} ITEM... --endpoint {endpoint.name} --model {endpoint.model}`"
    same = f"Choose the pictures again: {again}, or A in the items of {made.follows}. " if made.follows else ""
    return VqaError(
        f"run {made.run_name} asks pictures that were chosen one by one, so there is no run that is like it",
        hint=f"{same}For a run over {made.dataset} name the dataset, --recipe {earlier.recipe.name} and "
        f"--endpoint {endpoint.name}.",
    )


def _speaks_of(recipe: Recipe, field: str) -> bool:
    return any(field in each.user + each.system for each in recipe.templates)


def with_pairs(recipe: Recipe, pairs: int | None, structured_ratio: float | None) -> Recipe:
    """Return the recipe asking so many pairs, of which this share is structured; None leaves what it has.

    Raises VqaError for a number out of bounds, and for a recipe whose prompt does not speak of what is wanted.
    """
    for field, option, value, now in (
        ("pairs", "--pairs", pairs, recipe.pairs),
        ("structured_pairs", "--structured-ratio", structured_ratio, recipe.structured_ratio),
    ):
        if value is not None and value != now and not _speaks_of(recipe, field):
            raise VqaError(
                f"{option} changes nothing of the recipe {recipe.name}: its prompt does not use `{field}`",
                hint="Leave it out, or take another recipe.",
            )
    if pairs is not None and not 1 <= pairs <= MOST_PAIRS:
        raise VqaError(f"--pairs must be from 1 to {MOST_PAIRS}, not {pairs}")
    if structured_ratio is not None and not 0 <= structured_ratio <= 1:
        raise VqaError(f"--structured-ratio must be from 0 to 1, not {structured_ratio:g}")
    many = recipe.pairs if pairs is None else pairs
    return recipe.model_copy(
        update={
            "pairs": many,
            "structured_ratio": recipe.structured_ratio if structured_ratio is None else structured_ratio,
            "expected_output_tokens": ceil(recipe.expected_output_tokens * many / recipe.pairs),
        }
    )


def _recipe(workspace: Workspace, request: RunRequest, earlier: _Earlier | None) -> tuple[Recipe, str]:
    folders = workspace.recipe_folders
    wanted = request.pairs, request.structured_ratio
    if earlier is None or request.recipe != earlier.recipe.name:
        return with_pairs(load_recipe(request.recipe, folders=folders), *wanted), ""
    if not is_known(request.recipe, folders):
        return with_pairs(earlier.recipe, *wanted), _taken_over("recipe", earlier.recipe.name, earlier)
    now = with_pairs(load_recipe(request.recipe, folders=folders), *wanted)
    return now, _changed("recipe", now, earlier.recipe, earlier)


def _endpoint(workspace: Workspace, request: RunRequest, earlier: _Earlier | None) -> tuple[Endpoint, list[str]]:
    folders = workspace.endpoint_folders
    if earlier is None or request.endpoint != earlier.endpoint.name:
        endpoint, of_model = asking(load_endpoint(request.endpoint, folders=folders), request.model)
        return endpoint, [of_model]
    then = earlier.endpoint
    if not is_known(request.endpoint, folders):
        endpoint, of_model = asking(then, request.model)
        return endpoint, [_taken_over("endpoint", then.name, earlier), of_model]
    now = load_endpoint(request.endpoint, folders=folders)
    endpoint, of_model = asking(now, request.model)
    return endpoint, [_changed("endpoint", now, _comparable(then, now), earlier), of_model]


def asking(file: Endpoint, model: str | None) -> tuple[Endpoint, str]:
    """Return the endpoint with the model that is wanted, and what may not hold for it. Raises VqaError."""
    require_own_address(file)
    endpoint = with_model(file, model)
    if endpoint.model == file.model or endpoint.is_near:
        return endpoint, ""
    return endpoint, (
        f"The endpoint {file.name} is written for {file.model}: its quotas and its image_tokens rule may not be those "
        f"of {endpoint.model}."
    )


def _comparable(then: Endpoint, now: Endpoint) -> Endpoint:
    """Return the endpoint of the run with what it did not get from its file as the file has it."""
    ours = {"model": now.model}
    if now.prices is None or then.model != now.model:
        return then.model_copy(update={**ours, "prices": now.prices})
    return then.model_copy(update=ours)


def _taken_over(word: str, name: str, earlier: _Earlier) -> str:
    return f"No {word} is named {name} here: it is taken as run {earlier.made.run_name} had it."


def _changed(word: str, now: Recipe | Endpoint, then: Recipe | Endpoint, earlier: _Earlier) -> str:
    fields = [name for name in type(now).model_fields if getattr(now, name) != getattr(then, name)]
    if not fields:
        return ""
    return f"The {word} {now.name} is no longer as run {earlier.made.run_name} had it: {_listed(fields)} changed."


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
