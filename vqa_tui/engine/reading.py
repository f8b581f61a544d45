"""From a reply to judged pairs, by the rules of a recipe."""

from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import ReplyTexts
from vqa_tui.domain.item import Item
from vqa_tui.domain.reply import UnreadableReply, read_json_pairs
from vqa_tui.domain.reply_blocks import read_blocks
from vqa_tui.domain.reply_detect import read_detections
from vqa_tui.domain.reply_explained import read_explained
from vqa_tui.domain.reply_object import ObjectKey, read_object
from vqa_tui.domain.reply_text import ReadReply, read_question, read_text
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import CUT
from vqa_tui.quality.pairs import judge

LONGEST_REPLY = 400_000
"""Characters; max_tokens keeps honest replies far below."""
WHOLE_KINDS = frozenset({"text", "explained"})
"""Kinds of reply that are one text, so that only the endpoint can tell that it was cut."""


def read_pairs(recipe: Recipe, item: Item, text: str, finish_reason: str, texts: ReplyTexts) -> tuple[Pair, ...]:
    """Return the pairs of a reply with their flags; `texts` are what the recipe knows of them for this item.

    Raises UnreadableReply when there is none, or far too much.
    """
    if len(text) > LONGEST_REPLY:
        raise UnreadableReply(f"the reply is {len(text)} characters long, more than {LONGEST_REPLY}")
    form = recipe.reply
    was_cut = finish_reason == CUT
    if form.kind == "json_pairs":
        expected = recipe.pairs
        reply = read_json_pairs(
            text, question_field=form.question_field, answer_field=form.answer_field, type_field=form.type_field
        )
    elif form.kind == "blocks":
        expected = len(form.categories) or recipe.pairs
        reply = read_blocks(text, categories=form.categories, cut=was_cut)
    else:
        expected = 1
        reply = _read_one(recipe, item, text, texts, was_cut)
    checks = recipe.checks
    return judge(
        reply.pairs,
        truth=item.truth,
        cut=reply.cut or (was_cut and form.kind in WHOLE_KINDS),
        min_answer_chars=checks.min_answer_chars,
        risk_words=checks.risk_words,
        known_question_types=checks.known_question_types,
        structured_types=checks.structured_types,
        expected_pairs=expected,
    )


def _read_one(recipe: Recipe, item: Item, text: str, texts: ReplyTexts, was_cut: bool) -> ReadReply:
    """Read a reply that is one pair."""
    match recipe.reply.kind:
        case "json_object":
            keys = {
                name: ObjectKey(key.type, key.minimum, key.maximum, key.optional)
                for name, key in recipe.reply.keys.items()
            }
            return read_object(text, texts.question, keys)
        case "detect":
            width, height = item.facts.width, item.facts.height
            return read_detections(text, texts.question, width=width, height=height, cut=was_cut)
        case "explained":
            return read_explained(text, texts.question, reference=texts.reference)
    return read_question(text, texts.answer) if texts.answer else read_text(text, texts.question)
