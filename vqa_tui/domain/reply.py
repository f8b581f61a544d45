"""Reading question-answer pairs out of a model's reply. Nothing is invented: what was cut off is left out."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.reply_text import ReadReply as ReadReply
from vqa_tui.domain.reply_text import UnreadableReply as UnreadableReply
from vqa_tui.domain.reply_text import after_reasoning, storable
from vqa_tui.domain.reply_text import read_text as read_text
from vqa_tui.domain.reply_text import text_place as text_place
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.tolerant_json import MAX_DEPTH, FoundValue, Number, Outcome, PartialObject, find_values


@dataclass(frozen=True, slots=True)
class _FieldNames:
    question: str
    answer: str
    question_type: str


def read_json_pairs(
    text: str,
    *,
    question_field: str = "question",
    answer_field: str = "answer",
    type_field: str = "question_type",
) -> ReadReply:
    """Return every whole pair of a reply that should be a JSON list of objects with a question and an answer.

    The list may stand alone, in a ``` block (closed or not), between prose, under any key of an object, or be JSON
    Lines; tolerant_json says which faults of style are read. Field names are compared without regard to case. Where
    ``` blocks hold pairs, only those count. An answer that is itself a list or an object becomes compact JSON text, a
    number or a boolean its JSON text; an entry without both texts is left out. Lone surrogates become U+FFFD, because
    no UTF-8 file can hold them. Raises UnreadableReply when no pair is left.
    """
    text = after_reasoning(text)
    values, chosen = _chosen_values(
        text, _FieldNames(_folded(question_field), _folded(answer_field), _folded(type_field))
    )
    pairs = tuple(pair for _, found in chosen for pair in found)
    if not pairs:
        raise UnreadableReply(_why_unreadable(text, values, question_field, answer_field))
    return ReadReply(pairs, cut=any(value.outcome is Outcome.CUT for value, _ in chosen))


@dataclass(frozen=True, slots=True)
class PlacedValue:
    """A list or object of a reply that pairs were read from, and where it stands."""

    start: int
    end: int
    pairs: tuple[Pair, ...]


def placed_values(text: str, *, question_field: str, answer_field: str) -> tuple[PlacedValue, ...]:
    """Return the values that `read_json_pairs` takes pairs from, in order; none where there is no pair."""
    rest = after_reasoning(text)
    before = len(text) - len(rest)
    _, chosen = _chosen_values(rest, _FieldNames(_folded(question_field), _folded(answer_field), ""))
    return tuple(PlacedValue(before + value.start, before + value.end, pairs) for value, pairs in chosen if pairs)


_FENCE_OPENING = re.compile(r"```[\w-]*+")


def _chosen_values(text: str, names: _FieldNames) -> tuple[list[FoundValue], list[tuple[FoundValue, tuple[Pair, ...]]]]:
    """Return every value of the text, and those that count with their pairs."""
    values = json_values(text)
    pairs_by_value = [tuple(_pairs(value.value, names)) for value in values]
    only_fenced = any(pairs for value, pairs in zip(values, pairs_by_value, strict=True) if value.fenced)
    return values, [
        (value, pairs) for value, pairs in zip(values, pairs_by_value, strict=True) if value.fenced or not only_fenced
    ]


def json_values(text: str) -> list[FoundValue]:
    """Return every outermost list or object of `text` in order, with whatever of it could be read."""
    return _strict_values(text) or list(find_values(text))


def _strict_values(text: str) -> list[FoundValue]:
    """Return the reply as one value when all of it, or all inside its ``` block, is valid JSON; else nothing.

    This is the usual case, and ten times faster than reading tolerantly.
    """
    body = text.strip()
    opening = _FENCE_OPENING.match(body)
    if opening:
        body = body[opening.end() :].removesuffix("```")
    try:
        value = json.loads(body, strict=False, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, list | dict):
        return []
    body = body.strip()
    start = text.find(body)
    return [FoundValue(value, start + len(body), Outcome.WHOLE, bool(opening), start)]


def _pairs(value: Any, names: _FieldNames) -> Iterator[Pair]:
    for entry in _entries(value, names):
        question, answer = entry.get(names.question), as_text(entry.get(names.answer))
        if not isinstance(question, str) or not question.strip() or not answer:
            continue
        question_type = entry.get(names.question_type)
        yield Pair(
            storable(question.strip()),
            storable(answer),
            storable(question_type.strip()) if isinstance(question_type, str) else "",
        )


def _entries(value: Any, names: _FieldNames) -> Iterator[dict[str, Any]]:
    """Yield the whole objects that have a question or an answer, with folded keys, outermost and in order.

    What is nested inside such an object belongs to it and is never an entry of its own: otherwise a truncated reply
    could yield pairs that the whole one does not.
    """
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            folded = {_folded(key): member for key, member in node.items()}
            if names.question not in folded and names.answer not in folded:
                waiting.extend(reversed(node.values()))
            elif not isinstance(node, PartialObject):
                yield folded


def _folded(key: str) -> str:
    return key.strip().casefold()


def as_text(answer: Any) -> str:
    """Return an answer, a value of `json_values`, as text, or '' when there is none that can be kept."""
    if isinstance(answer, str):
        return answer.strip()
    if answer is None:
        return ""
    try:
        return "".join(_compact_json(answer, 0))
    except RecursionError:
        return ""


def _compact_json(value: Any, depth: int) -> Iterator[str]:
    """Yield the parts of the compact JSON text; numbers keep their spelling."""
    if depth > MAX_DEPTH:
        raise RecursionError("nested too deeply")
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, list):
        yield "["
        for index, element in enumerate(value):
            yield "," if index else ""
            yield from _compact_json(element, depth + 1)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for index, (key, member) in enumerate(value.items()):
            yield f"{',' if index else ''}{json.dumps(key, ensure_ascii=False)}:"
            yield from _compact_json(member, depth + 1)
        yield "}"
    else:
        yield json.dumps(value, ensure_ascii=False)


def _why_unreadable(text: str, values: Sequence[FoundValue], question_field: str, answer_field: str) -> str:
    if not text.strip():
        return "the reply is empty"
    if not values:
        return "the reply holds no JSON"
    if values[-1].outcome is Outcome.CUT:
        return "the reply was cut off before its first question-answer pair was whole"
    whole = next((value.value for value in values if value.outcome is Outcome.WHOLE and value.value), None)
    if whole is not None:
        return f"{_in_words(whole)} `{question_field}` and `{answer_field}`"
    damaged = next((value for value in values if value.outcome is Outcome.DAMAGED), None)
    if damaged is None:
        return "the JSON of the reply is empty"
    line = text.count("\n", 0, damaged.end) + 1
    column = damaged.end - (text.rfind("\n", 0, damaged.end) + 1) + 1
    return f"the JSON of the reply is broken at line {line}, column {column}"


def _in_words(value: list[Any] | dict[str, Any]) -> str:
    if isinstance(value, dict):
        return "an object without"
    size = "1 element" if len(value) == 1 else f"{len(value)} elements"
    objects = sum(isinstance(element, dict) for element in value)
    if objects < len(value):
        return f"a list of {size}, of which {objects} are objects, none with"
    return "a list of 1 object, without" if objects == 1 else f"a list of {objects} objects, none with"
