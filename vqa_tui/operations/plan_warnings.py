"""What a person should know before a plan becomes a run."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.part import unit
from vqa_tui.domain.run import Limits
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.plan_cost import is_guessed

_MUCH_CHEAPER = Decimal("0.7")
_DAY_S = 86_400


def plan_warnings(plan: RunPlan, recipe: Recipe, endpoint: Endpoint, limits: Limits) -> Iterator[str]:
    """Yield one sentence or two for each, the gravest first."""
    if plan.unasked:
        lack = "1 picture has" if plan.unasked == 1 else f"{plan.unasked:,} pictures have"
        yield f"{lack} no reference pair and {'is' if plan.unasked == 1 else 'are'} not asked."
    if plan.cost_total is None:
        yield "The price is unknown: nothing will be counted and no budget can be held."
    elif limits.budget_usd is not None:
        yield from _budget(plan, plan.cost_total, limits.budget_usd)
    if plan.prices_listed and plan.prices is not None:
        yield (
            f"The endpoint states no prices; these are from a public list ({plan.prices.source}). "
            "Your own terms may differ: `prices:` in its file would count instead."
        )
    if recipe.modality == "image" and is_guessed(endpoint):
        yield (
            f"The endpoint's file states no image_tokens rule: {endpoint.image_tokens.tokens} tokens for each picture "
            "is a guess. The first replies will show what is billed."
        )
    if _is_unasked_resolution(recipe, endpoint):
        yield (
            f"image_tokens states a media_resolution of {endpoint.image_tokens.media_resolution}, which only the "
            "estimate knows: no extra_body asks for one, so the endpoint will take its own, usually high."
        )
    if plan.time_bounds and plan.time_bounds[0].name == "requests/day":
        days = round(plan.time_bounds[0].seconds / _DAY_S) + 1
        yield f"Its quota by the day spreads this run over {days} days."
    if (cheaper := _cheaper(plan)) is not None:
        yield cheaper
    if recipe.generation.max_tokens < recipe.expected_output_tokens:
        yield (
            f"The recipe expects replies of {recipe.expected_output_tokens} tokens and cuts them at "
            f"{recipe.generation.max_tokens}."
        )
    if unused := endpoint.image_tokens.meaningless:
        yield f"image_tokens: {', '.join(unused)} means nothing to the rule {endpoint.image_tokens.rule}."
    if not plan.sizes_exact:
        yield "The pictures have very many sizes; sizes that are alike were counted together."
    if endpoint.kind == "embedded":
        yield "The embedded endpoint has no model: its answers come from annotations and measurements."


def _budget(plan: RunPlan, total: Decimal, budget: Decimal) -> Iterator[str]:
    if total > budget:
        enough_for = int(budget * plan.requests / total)
        if enough_for == 0:
            yield f"The budget is not enough for a single {unit(in_parts=plan.in_parts)}; the run would pause at once."
            return
        what = unit(in_parts=plan.in_parts)
        yield f"The budget is enough for about {enough_for} of {plan.requests} {what}s; the run will pause there."
    elif plan.cost_high is not None and plan.cost_high > budget:
        what = unit(in_parts=plan.in_parts)
        yield f"The budget may not be enough for every {what}: it lies inside the band. The run would pause there."


def _is_unasked_resolution(recipe: Recipe, endpoint: Endpoint) -> bool:
    rule = endpoint.image_tokens
    if rule.rule != "gemini_media_resolution" or rule.media_resolution == "high":
        return False
    return not (_mentions_resolution(endpoint.extra_body) or _mentions_resolution(recipe.generation.extra_body))


def _mentions_resolution(value: Any) -> bool:
    """Tell whether a field of this name stands anywhere in it: gateways differ in where they want it."""
    if isinstance(value, Mapping):
        names = (str(name).replace("_", "").lower() for name in value)
        return "mediaresolution" in names or any(_mentions_resolution(each) for each in value.values())
    return isinstance(value, list) and any(_mentions_resolution(each) for each in value)


def _cheaper(plan: RunPlan) -> str | None:
    """Say so where the next smaller size costs much less."""
    chosen = next((row for row in plan.sizes if row.chosen), None)
    if chosen is None or not chosen.cost_total:
        return None
    smaller = [row for row in plan.sizes if row.max_side is not None and row.max_side < (chosen.max_side or 10**9)]
    if not smaller or smaller[-1].cost_total is None or smaller[-1].cost_total > chosen.cost_total * _MUCH_CHEAPER:
        return None
    saved = 100 - round(100 * smaller[-1].cost_total / chosen.cost_total)
    return f"With a longest side of {smaller[-1].max_side} pixels it would cost {saved} % less."
