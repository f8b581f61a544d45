"""Asking chosen pictures of a run again, with a longer reply or another picture size, and what that will take."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import thaw_endpoint, thaw_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.changes import MOST_TOKENS, UNCHANGED, TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import PICTURE, counted
from vqa_tui.domain.queue_edit import MOVABLE, EditVerb
from vqa_tui.domain.run import EngineState, Limits, Phase, RunView, TaskStatus
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.plan_cost import Load, cost_plan
from vqa_tui.operations.plan_prompts import prompt_sizes
from vqa_tui.operations.planning import SAMPLE_ITEMS, parse_max_side
from vqa_tui.operations.queue_edits import go_on_with, move
from vqa_tui.operations.runs import run_view
from vqa_tui.operations.workspace import Workspace, connection_for, operator
from vqa_tui.store import asking_again as store
from vqa_tui.store import runs
from vqa_tui.store.earlier_runs import EarlierRuns, earlier_runs
from vqa_tui.store.follow_ups import AskedElsewhere, asked_elsewhere

HERE = MOVABLE[EditVerb.AGAIN]
"""What can be asked again in the run itself: the rest is still being asked, or was taken out by a person."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """How the chosen pictures stand, and what they were asked with."""

    failed: int
    done: int
    skipped: int
    waiting: int
    """Pending or in flight: these are being asked anyway."""
    pairs: int
    """Pairs that they have now."""
    judged: int
    """Those of the pairs that a person has judged."""
    cut: int
    """Pictures whose newest reply ran into max_tokens."""
    changed: int
    """Pictures for which something was changed already; what is not changed again stays so."""
    max_tokens: int
    """The recipe's."""
    max_side: int | None
    """Longest side in pixels that the run sends; None is the original size."""
    endpoint: str
    model: str
    unit: str = PICTURE
    """What the tasks of the run are called."""

    @property
    def askable(self) -> int:
        """Pictures that can be asked again in the run."""
        return self.failed + self.done


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What was put back into the queue."""

    count: int
    done: int
    """Those that were done: their pairs hold until the new reply is there."""
    left: int
    """Chosen, and not asked again because of their status."""
    phase: Phase
    """The run's when they were put back; one that had ended goes on, a stopped or paused one waits."""
    engine: EngineState = EngineState.NONE
    """The run's at that moment; a lost one has to be resumed."""
    unit: str = PICTURE
    """What the tasks of the run are called."""


async def chosen(workspace: Workspace, run_id: int, ids: Sequence[int]) -> Chosen:
    """Return how the tasks `ids` of a run stand. Raises VqaError when there is no such run."""
    made_of = await _made_of(workspace, run_id)
    async with connection_for(workspace, len(ids)) as opened:
        found = await store.standing(opened.db, run_id, ids)

    def count(*statuses: TaskStatus) -> int:
        return sum(found.counts.get(status, 0) for status in statuses)

    return Chosen(
        failed=count(TaskStatus.FAILED),
        done=count(TaskStatus.DONE),
        skipped=count(TaskStatus.SKIPPED),
        waiting=count(TaskStatus.PENDING, TaskStatus.LEASED),
        pairs=found.pairs,
        judged=found.judged,
        cut=found.cut,
        changed=found.changed,
        max_tokens=made_of.recipe.generation.max_tokens,
        max_side=_side_of(made_of.limits, made_of.recipe),
        endpoint=made_of.endpoint.name,
        model=made_of.endpoint.model,
        unit=made_of.frozen.unit,
    )


async def plan_again(workspace: Workspace, run_id: int, ids: Sequence[int], changes: TaskChanges) -> RunPlan:
    """Return what asking `ids` again in their run will take, with the band around it.

    Where some have more room for a reply since they were asked again before, all are taken to have as much.
    Raises VqaError when none of them can be asked again, or a change is none that can be made.
    """
    require_possible(changes)
    made_of = await _made_of(workspace, run_id)
    load = await load_of(workspace, run_id, ids, HERE, made_of.recipe)
    word = made_of.frozen.unit
    if load is None:
        raise nothing_to_ask(len(ids), word)
    earlier = await earlier_runs(
        workspace.db,
        recipe=made_of.frozen.recipe,
        endpoint=made_of.frozen.endpoint,
        endpoint_name=made_of.endpoint.name,
    )
    if changes.max_tokens is None:
        async with connection_for(workspace, len(ids)) as opened:
            changes = replace(changes, max_tokens=await store.most_tokens_held(opened.db, run_id, ids))
    side = changes.side(_side_of(made_of.limits, made_of.recipe))
    plan = await asyncio.to_thread(
        cost_with, made_of.recipe, made_of.endpoint, load, changes, side, earlier, made_of.limits
    )
    elsewhere = asked_elsewhere_words(await asked_elsewhere(workspace.db, run_id, ids, HERE), word)
    warnings = _budget_warnings(plan, await run_view(workspace, run_id))
    return replace(plan, warnings=(*warnings, *([elsewhere] if elsewhere else ())))


async def ask_again(
    workspace: Workspace, run_id: int, ids: Sequence[int], changes: TaskChanges = UNCHANGED
) -> AskedAgain:
    """Put those of `ids` that failed or are done back into the queue, to be asked with `changes`.

    The changes hold until a picture is done. Pairs of a picture that was done stay until the new reply is stored, and
    for good where the second asking fails. A run that had ended goes on; a stopped or paused one waits.
    Raises VqaError when none of them can be asked again, or a change is none that can be made, with nothing changed;
    and when the engine of a run that had ended cannot work: they are put back then, and its hint says so.
    """
    require_possible(changes)
    word = (await _made_of(workspace, run_id)).frozen.unit
    moved = await move(workspace, run_id, EditVerb.AGAIN, ids=ids, changes=changes)
    count = sum(moved.values())
    if not count:
        raise nothing_to_ask(len(ids), word)
    words = ", ".join(f"{number} {status}" for status, number in sorted(moved.items()))
    with_what = f" with {changes.in_words}" if changes else ""
    detail = f"{counted(count, word)} ({words}){with_what}"
    await runs.note_action(workspace.db, run_id, who=operator(), verb=EditVerb.AGAIN, detail=detail)
    before = await go_on_with(workspace, run_id, count)
    left = len(set(ids)) - count
    return AskedAgain(count, moved.get(TaskStatus.DONE, 0), left, before.phase, before.engine.state, word)


def parse_max_tokens(text: str, *, field: str) -> int:
    """Return a number of output tokens. Raises VqaError, naming `field`, for anything else."""
    word = text.strip().replace(" ", "")
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:12]) <= MOST_TOKENS:
        raise VqaError(
            f"{field}: {text.strip()!r} is no number of output tokens",
            hint=f"Write a whole number from 1 to {MOST_TOKENS}.",
        )
    return int(word[:12])


def require_possible(changes: TaskChanges) -> None:
    """Raise VqaError for changes that no request can be made with."""
    if changes.max_tokens is not None:
        parse_max_tokens(str(changes.max_tokens), field="max tokens")
    if changes.max_side is not None:
        parse_max_side(str(changes.max_side), field="longest side")


def nothing_to_ask(chosen_count: int, word: str) -> VqaError:
    """Return the refusal where nothing that was chosen can be asked again; `word` is what a task is called."""
    which = f"this {word} has not" if chosen_count == 1 else f"none of these {counted(chosen_count, word)} has"
    return VqaError(
        f"{which} failed and {'is not' if chosen_count == 1 else 'none is'} done, so nothing can be asked again",
        hint="Those that wait or are in flight are asked anyway; those that a person skipped are left out.",
    )


def asked_elsewhere_words(found: AskedElsewhere, word: str) -> str:
    """Return that tasks asked in the run are paid twice; empty where none is. `word` is what one is called."""
    count = len(found.ids)
    if not count:
        return ""
    which = f"{counted(count, word)} {'is' if count == 1 else 'are'}"
    follow = f"{', '.join(found.runs)}, which {'follows' if len(found.runs) == 1 else 'follow'} this run"
    return f"{which} paid twice: asked, or being asked, in {follow}."


async def load_of(
    workspace: Workspace, run_id: int, ids: Sequence[int], statuses: Sequence[TaskStatus], recipe: Recipe
) -> Load | None:
    """Return what there is to ask of those of `ids` that have one of `statuses`; None where there is none."""
    async with connection_for(workspace, len(ids)) as opened:
        sizes = await store.sizes_of(opened.db, run_id, ids, statuses)
        count = sizes.requests
        if not count:
            return None
        sample = await store.spread_items_of(opened.db, run_id, ids, statuses, SAMPLE_ITEMS)
    prompts = prompt_sizes(PromptTemplate(recipe), sample)
    return Load(count, sizes, prompts.sizes, count, prompts.pictures, prompts.lacking)


def cost_with(
    recipe: Recipe,
    endpoint: Endpoint,
    load: Load,
    changes: TaskChanges,
    side: int | None,
    earlier: EarlierRuns | None,
    limits: Limits,
) -> RunPlan:
    """Return the plan of asking with `changes`, at the longest side `side`.

    With more room than the recipe gives, replies are taken to fill what it gives, for they ran into that, and one
    request to be enough, which it was not before; the upper end of the band is where each reply fills all of the new
    room. Takes a second for many sizes: call it in a thread.
    """
    changed, before = changed_recipe(recipe, changes), recipe.generation.max_tokens
    if changed.generation.max_tokens <= before:
        return cost_plan(changed, endpoint, load, max_side=side, earlier=earlier, limits=limits)
    likely, most = (
        cost_plan(
            changed.model_copy(update={"expected_output_tokens": tokens}),
            endpoint,
            load,
            max_side=side,
            earlier=None if earlier is None else _mended(earlier, tokens),
            limits=limits,
        )
        for tokens in (max(before, recipe.expected_output_tokens), changed.generation.max_tokens)
    )
    if likely.cost_high is None or most.cost_total is None:
        return likely
    high = max(likely.cost_high, most.cost_total)
    return replace(likely, cost_high=high, cost_most=max(likely.cost_most or high, high))


def changed_recipe(recipe: Recipe, changes: TaskChanges) -> Recipe:
    """Return the recipe as it is asked with `changes`."""
    if changes.max_tokens is None:
        return recipe
    longer = recipe.generation.longer_max_tokens
    kept = longer if longer is not None and longer > changes.max_tokens else None
    room = {"max_tokens": changes.max_tokens, "longer_max_tokens": kept}
    return recipe.model_copy(update={"generation": recipe.generation.model_copy(update=room)})


def _mended(earlier: EarlierRuns, output_tokens: int) -> EarlierRuns:
    """Return what was measured of the input alone: one request a picture, with replies of so many tokens."""
    return replace(earlier, billed=earlier.pictures, billed_output=output_tokens * earlier.compared)


@dataclass(frozen=True, slots=True)
class _MadeOf:
    frozen: runs.FrozenRun
    recipe: Recipe
    endpoint: Endpoint
    limits: Limits


async def _made_of(workspace: Workspace, run_id: int) -> _MadeOf:
    frozen = await runs.frozen_run(workspace.db, run_id)
    if frozen is None:
        raise VqaError(f"there is no run {run_id}")
    limits = (await runs.wishes(workspace.db, run_id)).limits
    return _MadeOf(frozen, thaw_recipe(frozen.recipe), thaw_endpoint(frozen.endpoint), limits)


def _side_of(limits: Limits, recipe: Recipe) -> int | None:
    return TaskChanges(max_side=limits.max_side).side(recipe.picture.max_side)


def _budget_warnings(plan: RunPlan, view: RunView) -> list[str]:
    left = view.cost.left
    if plan.cost_high is None or left is None or plan.cost_high <= left:
        return []
    return [
        f"The budget of the run leaves ${left:.4f}, and this may take ${plan.cost_high:.4f}: the run would pause there."
    ]
