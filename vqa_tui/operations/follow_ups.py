"""Asking chosen pictures of a run at another endpoint: a run of its own that follows the first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import fingerprint, freeze, thaw_endpoint, thaw_recipe
from vqa_tui.config.load import load_endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.changes import UNCHANGED, TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import PICTURE, counted
from vqa_tui.domain.run import Limits, RunView, TaskStatus
from vqa_tui.operations.asking_again import changed_recipe, cost_with, load_of, require_possible
from vqa_tui.operations.making_runs import making_a_run
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.plan_cost import Load
from vqa_tui.operations.plan_media import media_warnings
from vqa_tui.operations.plan_warnings import plan_warnings
from vqa_tui.operations.planning import RunRequest, limits_of, run_name, with_prices
from vqa_tui.operations.run_parts import asking, taken_over_words
from vqa_tui.operations.runs import run_view
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import runs
from vqa_tui.store.earlier_runs import earlier_runs
from vqa_tui.store.follow_ups import AskedElsewhere, asked_elsewhere, create_follow_up
from vqa_tui.store.run_creation import NewRun

ELSEWHERE = (TaskStatus.FAILED, TaskStatus.DONE, TaskStatus.SKIPPED)
"""What can be asked elsewhere; the rest is being asked in the run itself, and would be paid twice."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where pictures are asked that a run has asked already."""

    endpoint: str
    """Name of an endpoint, or path of its file."""
    model: str | None = None
    """None is the endpoint's own."""
    name: str | None = None
    """Of the new run; None makes one of the followed run and the endpoint."""
    budget_usd: Decimal | None = None
    uncapped: bool = False
    """Without a budget: whether a person said so. It has to be said where the followed run has one."""
    anyway: bool = False
    """Also pictures that another follow-up asks, or has asked, of the same model there: they are paid twice."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A run that was made to ask pictures of another one; its engine is not started yet."""

    run_id: int
    name: str
    count: int
    left: int
    """Chosen, and not asked elsewhere: they are being asked in the run itself, or are asked there already."""
    unit: str = PICTURE
    """What the tasks of both runs are called."""


@dataclass(frozen=True, slots=True)
class _Parts:
    followed: runs.FrozenRun
    recipe: Recipe
    endpoint: Endpoint
    listed: bool
    limits: Limits
    side: int | None
    load: Load
    name: str
    warnings: tuple[str, ...]


async def plan_elsewhere(
    workspace: Workspace, run_id: int, ids: Sequence[int], elsewhere: Elsewhere, changes: TaskChanges = UNCHANGED
) -> RunPlan:
    """Return what asking `ids` elsewhere will take. Raises VqaError for whatever would keep it from starting."""
    parts = await _parts(workspace, run_id, ids, elsewhere, changes)
    earlier = await earlier_runs(
        workspace.db,
        recipe=parts.followed.recipe,
        endpoint=freeze(parts.endpoint),
        endpoint_name=parts.endpoint.name,
    )
    plan = await asyncio.to_thread(
        cost_with, parts.recipe, parts.endpoint, parts.load, changes, parts.side, earlier, parts.limits
    )
    plan = replace(plan, prices_listed=parts.listed)
    of_plan = plan_warnings(plan, changed_recipe(parts.recipe, changes), parts.endpoint, parts.limits)
    return replace(plan, warnings=(*parts.warnings, *of_plan))


async def follow_up(
    workspace: Workspace, run_id: int, ids: Sequence[int], elsewhere: Elsewhere, changes: TaskChanges = UNCHANGED
) -> FollowUp:
    """Make a run that asks those of `ids` elsewhere that are not being asked in their own; nothing is asked yet.

    It has the same dataset and the same frozen recipe, no pilot, and limits of its own; at the endpoint of the followed
    run those that were set for it hold on. The tasks of the followed run stay as they are; its exports hold the new
    pairs of pictures that have none there.
    Raises VqaError when anything is wrong, with nothing stored: also where the followed run has a budget and none is
    named for this one, and where another follow-up has asked all of the pictures there.
    """
    parts = await _parts(workspace, run_id, ids, elsewhere, changes)
    frozen_endpoint = freeze(parts.endpoint)
    new = NewRun(
        name=parts.name,
        dataset_id=parts.followed.dataset_id,
        recipe_name=parts.recipe.name,
        endpoint_name=parts.endpoint.name,
        model=parts.endpoint.model,
        recipe=parts.followed.recipe,
        endpoint=frozen_endpoint,
        config_sha256=fingerprint(parts.followed.recipe, frozen_endpoint),
        pilot_size=0,
        limit=None,
        limits=parts.limits,
        approved=True,
        parts=parts.recipe.parts,
    )
    # The side is a limit of the whole new run, where it can still be changed.
    of_each = TaskChanges(max_tokens=changes.max_tokens)
    async with making_a_run(workspace) as hold:
        new_id, count = await create_follow_up(
            workspace.db,
            new,
            follows=run_id,
            ids=ids,
            statuses=ELSEWHERE,
            changes=of_each,
            anyway=elsewhere.anyway,
            hold=hold,
        )
    if not count:
        # Whatever had kept it from being planned, somebody else has done since.
        raise _nothing_to_ask(parts.followed.unit)
    who, where = operator(), f"{parts.endpoint.name} ({parts.endpoint.model})"
    what = counted(count, parts.followed.unit)
    await runs.note_action(
        workspace.db, run_id, who=who, verb="ask elsewhere", detail=f"{what} at {where}, in {parts.name}"
    )
    await runs.note_action(workspace.db, new_id, who=who, verb="follow", detail=f"{what} of {parts.followed.name}")
    return FollowUp(new_id, parts.name, count, len(set(ids)) - count, parts.followed.unit)


async def _parts(
    workspace: Workspace, run_id: int, ids: Sequence[int], elsewhere: Elsewhere, changes: TaskChanges
) -> _Parts:
    require_possible(changes)
    followed = await runs.frozen_run(workspace.db, run_id)
    if followed is None:
        raise VqaError(f"there is no run {run_id}")
    recipe = thaw_recipe(followed.recipe)
    model = None if elsewhere.model is None else elsewhere.model.strip()
    endpoint, of_model = asking(load_endpoint(elsewhere.endpoint, folders=workspace.endpoint_folders), model)
    before = (await runs.wishes(workspace.db, run_id)).limits
    then = thaw_endpoint(followed.endpoint)
    base, concurrency, of_limits = Limits(max_attempts=before.max_attempts), None, ""
    if then.name == endpoint.name:
        # The same keys and the same machine: what was set to go easy on them is meant for this run as well.
        base, of_limits = before, taken_over_words(before, followed.name)
        concurrency = None if before.concurrency == then.concurrency else before.concurrency
    side = before.max_side if changes.max_side is None else changes.max_side
    request = RunRequest(
        dataset=followed.name,
        recipe=recipe.name,
        endpoint=endpoint.name,
        name=elsewhere.name,
        budget_usd=elsewhere.budget_usd,
        concurrency=concurrency,
        max_side=side,
    )
    limits = limits_of(request, endpoint, base)
    name = await run_name(workspace, elsewhere.name, otherwise=f"{followed.name}-{endpoint.name}")
    there = await asked_elsewhere(workspace.db, run_id, ids, ELSEWHERE, endpoint=endpoint.name, model=endpoint.model)
    load = await load_of(workspace, run_id, ids if elsewhere.anyway else _without(ids, there.ids), ELSEWHERE, recipe)
    if load is None:
        raise _asked_there(there, followed.unit) if there.ids else _nothing_to_ask(followed.unit)
    of_media = media_warnings(recipe, endpoint, load)
    if elsewhere.budget_usd is None and not elsewhere.uncapped:
        _require_no_cap(await run_view(workspace, run_id))
    sent_side = TaskChanges(max_side=side).side(recipe.picture.max_side)
    priced = await asyncio.to_thread(with_prices, recipe, endpoint, load, sent_side)
    if elsewhere.budget_usd is not None and priced.prices is None:
        raise VqaError(
            f"the price of {endpoint.model} at the endpoint {endpoint.name} is unknown, so a budget cannot be held",
            hint="Add `prices:` to its file (dollars per million tokens), or ask without a budget.",
        )
    listed = endpoint.prices is None and priced.prices is not None
    told = (_there_words(there, followed.unit, anyway=elsewhere.anyway), of_model, of_limits, *of_media)
    warnings = tuple(words for words in told if words)
    return _Parts(followed, recipe, priced, listed, limits, sent_side, load, name, warnings)


def _without(ids: Sequence[int], left_out: Sequence[int]) -> Sequence[int]:
    if not left_out:
        return ids
    gone = set(left_out)
    return [each for each in ids if each not in gone]


def _there_words(there: AskedElsewhere, word: str, *, anyway: bool) -> str:
    """Return what becomes of tasks that other follow-ups have asked there; empty where there are none."""
    if not there.ids:
        return ""
    one = len(there.ids) == 1
    tasks = counted(len(there.ids), word)
    if anyway:
        return f"{tasks} will be paid twice: asked, or being asked, there in {', '.join(there.runs)}."
    return (
        f"{tasks} left out: asked, or being asked, there in {', '.join(there.runs)}. `anyway` would ask "
        f"{'it' if one else 'them'}, and pay twice."
    )


def _asked_there(there: AskedElsewhere, word: str) -> VqaError:
    return VqaError(
        f"every {word} that could be asked is asked there already, in {', '.join(there.runs)}",
        hint="Nothing was asked. With `anyway` (--anyway) it is asked again, and paid twice.",
    )


def _require_no_cap(followed: RunView) -> None:
    """Raise VqaError where the followed run has a budget: what is spent elsewhere does not count against it."""
    cost = followed.cost
    if cost.left is None:
        return
    raise VqaError(
        f"run {followed.name} has a budget of ${cost.cap:.2f}, which does not hold for a run at another endpoint",
        hint=f"Say what that one may spend: --budget USD (${cost.left:.4f} is left of the ${cost.cap:.2f}), or "
        "--budget none.",
    )


def _nothing_to_ask(word: str) -> VqaError:
    return VqaError(
        f"no {word} that was chosen can be asked elsewhere",
        hint="Those that wait or are in flight belong to the run itself, paused or not. Wait until they are done, "
        "or take those that wait out of it first (`vqa-tui item skip`, d in the items).",
    )
