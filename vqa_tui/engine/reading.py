"""From a reply to judged pairs, by the rules of a recipe."""

from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.item import Item
from vqa_tui.domain.reply import UnreadableReply, read_json_pairs, read_text
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import CUT
from vqa_tui.quality.pairs import judge

LONGEST_REPLY = 400_000
"""Characters; max_tokens keeps honest replies far below."""


def read_pairs(recipe: Recipe, item: Item, text: str, finish_reason: str) -> tuple[Pair, ...]:
    """Return the pairs of a reply with their flags. Raises UnreadableReply when there is none, or far too much."""
    if len(text) > LONGEST_REPLY:
        raise UnreadableReply(f"the reply is {len(text)} characters long, more than {LONGEST_REPLY}")
    form = recipe.reply
    if form.kind == "text":
        reply = read_text(text, form.question)
        expected = 1
    else:
        reply = read_json_pairs(
            text, question_field=form.question_field, answer_field=form.answer_field, type_field=form.type_field
        )
        expected = recipe.pairs
    checks = recipe.checks
    return judge(
        reply.pairs,
        truth=item.truth,
        cut=reply.cut or (form.kind == "text" and finish_reason == CUT),
        min_answer_chars=checks.min_answer_chars,
        risk_words=checks.risk_words,
        known_question_types=checks.known_question_types,
        structured_types=checks.structured_types,
        expected_pairs=expected,
    )
