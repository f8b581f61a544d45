"""What a run will take, before a cent is spent."""

from textual.content import Content

from vqa_tui.operations.plan import RunPlan
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count, money
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.plan_words import (
    amount_words,
    band_parts,
    band_words,
    earlier_words,
    least_time,
    most_words,
    price_source,
    price_words,
)


def plan_text(plan: RunPlan) -> Content:
    """Return tokens and cost per picture and in total, the least time, warnings, prices, and what makes the band."""
    each = plan.prompt_tokens_per_item + plan.picture_tokens_per_item + plan.output_tokens_per_item
    lines = [
        Content.assemble((amount_words(plan), "bold"), ("   tokens each ≈ ", QUIET), count(round(each))),
        Content.styled(
            f"prompt {count(round(plan.prompt_tokens_per_item))} + picture {count(round(plan.picture_tokens_per_item))}"
            f" + reply {count(round(plan.output_tokens_per_item))}",
            QUIET,
        ),
        _cost(plan),
    ]
    if most := most_words(plan):
        lines.append(Content.assemble(("at most ", QUIET), (most, QUIET)))
    if plan.expected_s is not None:
        lines.append(Content.assemble(("at least ", QUIET), least_time(plan.expected_s), (_why_so_long(plan), QUIET)))
    lines += [Content.styled(f"▲ {_one_line(warning)}", WARN) for warning in plan.warnings]
    if plan.prices is not None:
        source = price_source(plan.prices, listed=plan.prices_listed)
        lines.append(Content.styled(price_words(plan.prices), QUIET))
        lines.append(Content.styled(_one_line(source), QUIET))
    if earlier := earlier_words(plan):
        lines.append(Content.styled(earlier, QUIET))
    if plan.cost_total and plan.band:
        lines.append(Content.styled("What the band is made of:", QUIET))
        lines += [Content.styled(part, QUIET) for part in band_parts(plan)]
    return Content("\n").join(lines)


def _cost(plan: RunPlan) -> Content:
    if plan.cost_per_item is None or plan.cost_total is None:
        return Content.styled("price unknown: a budget cannot be held", WARN)
    band = f"   {words}" if (words := band_words(plan)) else ""
    return Content.assemble(
        (f"≈ {money(plan.cost_total)}", "bold"), band, (f"   {money(plan.cost_per_item)} a {plan.unit}", QUIET)
    )


def _why_so_long(plan: RunPlan) -> str:
    if not plan.time_bounds:
        return " by its quotas"
    name = plan.time_bounds[0].name
    return " at the latency measured earlier" if name == "in flight" else f" by its quotas ({name})"


def _one_line(text: str) -> str:
    return clean(text, one_line=True, limit=300)
