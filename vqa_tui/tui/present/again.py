"""What the dialog of asking again shows: who is asked, what it costs, what to know before."""

from textual.content import Content

from vqa_tui.operations.asking_again import Chosen
from vqa_tui.operations.plan import RunPlan
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.again_words import (
    changed_words,
    chosen_words,
    cost_words,
    cut_words,
    left_words,
    pairs_words,
    side_sent,
)
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.plan_words import token_words


def chosen_text(chosen: Chosen) -> Content:
    """Return who is asked again, and the hint that more room may help."""
    hint = cut_words(chosen)
    held = changed_words(chosen)
    return Content.assemble(
        (chosen_words(chosen), "bold"),
        (f"\n{hint}" if hint else "", WARN),
        (f"\n{held}" if held else "", QUIET),
    )


def plan_text(plan: RunPlan, chosen: Chosen, *, elsewhere: bool) -> Content:
    """Return what it will cost, what becomes of the pairs, and what to know before."""
    quiet = [left_words(chosen, elsewhere=elsewhere), pairs_words(chosen, elsewhere=elsewhere)]
    parts: list[Content] = [
        Content.assemble(
            (cost_words(plan), "bold"),
            (f"\n{token_words(plan)} tokens each, at {side_sent(plan)}", QUIET),
        )
    ]
    parts += [Content.styled(words, QUIET) for words in quiet if words]
    parts += [Content.styled(clean(f"! {warning}", one_line=True, limit=400), WARN) for warning in plan.warnings]
    return Content("\n").join(parts)
