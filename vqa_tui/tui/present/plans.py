"""What a run will take, before a cent is spent."""

from textual.content import Content

from vqa_tui.operations.planning import RunPlan
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count, duration, money, plural
from vqa_tui.tui.present.phases import QUIET, WARN


def plan_text(plan: RunPlan) -> Content:
    """Return tokens and cost per picture and in total, the least time, and warnings."""
    each = plan.prompt_tokens_per_item + plan.picture_tokens_per_item + plan.output_tokens_per_item
    lines = [
        Content.assemble((plural(plan.items, "picture"), "bold"), ("   tokens each ≈ ", QUIET), count(round(each))),
        Content.styled(
            f"prompt {count(round(plan.prompt_tokens_per_item))} + picture {count(round(plan.picture_tokens_per_item))}"
            f" + reply {count(round(plan.output_tokens_per_item))}",
            QUIET,
        ),
    ]
    if plan.cost_per_item is None or plan.cost_total is None:
        lines.append(Content.styled("price unknown: a budget cannot be held", WARN))
    else:
        lines.append(
            Content.assemble(
                (f"≈ {money(plan.cost_total)}", "bold"), (f"   {money(plan.cost_per_item)} a picture", QUIET)
            )
        )
    if plan.expected_s is not None:
        lines.append(Content.assemble(("at least ", QUIET), duration(plan.expected_s), (" by its quotas", QUIET)))
    lines += [Content.styled(f"▲ {clean(warning, one_line=True, limit=300)}", WARN) for warning in plan.warnings]
    return Content("\n").join(lines)
