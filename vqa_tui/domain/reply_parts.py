"""Where in a raw reply the parts stand that were read from it, for showing them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vqa_tui.domain.reply import placed_values, text_place
from vqa_tui.domain.reply_blocks import placed_blocks
from vqa_tui.domain.reply_detect import detection_places
from vqa_tui.domain.reply_explained import explained_place
from vqa_tui.domain.reply_object import ObjectKey, object_place

LONGEST = 100_000
"""Characters; a longer reply is not searched."""
_MOST_MISSES = 8
"""Texts of one value that are not found again, after which the rest stays frame: each miss reads the whole value."""


class PartKind(StrEnum):
    """What a part of a reply was read as."""

    FRAME = "frame"
    """What stands around questions and answers: JSON, or the names of lines."""
    QUESTION = "question"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """How replies of a run are read."""

    kind: str = "json_pairs"
    """`json_pairs`, `text`, `blocks`, `json_object`, `detect` or `explained`; config.recipe says what each is."""
    question_field: str = "question"
    answer_field: str = "answer"
    is_question: bool = False
    """Whether a `text` reply is the question, to an answer that is known."""
    keys: tuple[str, ...] = ()
    """The keys of a `json_object`."""


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """A stretch of the reply that was read; parts follow each other and never overlap."""

    start: int
    end: int
    kind: PartKind


def reply_parts(text: str, form: ReplyForm) -> tuple[ReplyPart, ...]:
    """Return the parts of `text` that pairs were read from, in order; nothing where no pair was.

    A question or answer whose spelling in the reply cannot be found again, such as one with rare escapes, stays part
    of its frame.
    """
    if len(text) > LONGEST:
        return ()
    match form.kind:
        case "json_pairs":
            return tuple(_of_values(text, form))
        case "blocks":
            return tuple(_of_blocks(text))
        case "detect":
            places: list[tuple[int, int] | None] = list(detection_places(text))
        case "json_object":
            places = [object_place(text, dict.fromkeys(form.keys, ObjectKey("string")))]
        case "explained":
            places = [explained_place(text)]
        case _:
            places = [text_place(text)]
    kind = PartKind.QUESTION if form.is_question else PartKind.ANSWER
    return tuple(ReplyPart(*place, kind) for place in places if place is not None and place[0] < place[1])


def _of_blocks(text: str) -> Iterator[ReplyPart]:
    for block in placed_blocks(text):
        yield from _framed(
            block.start,
            block.end,
            [ReplyPart(*block.question, PartKind.QUESTION), ReplyPart(*block.answer, PartKind.ANSWER)],
        )


def _of_values(text: str, form: ReplyForm) -> list[ReplyPart]:
    parts: list[ReplyPart] = []
    for value in placed_values(text, question_field=form.question_field, answer_field=form.answer_field):
        texts = [
            (kind, spelt)
            for pair in value.pairs
            for kind, spelt in ((PartKind.QUESTION, pair.question), (PartKind.ANSWER, pair.answer))
        ]
        parts += _inside(text, value.start, value.end, texts)
    return parts


def _inside(text: str, start: int, end: int, texts: list[tuple[PartKind, str]]) -> Iterator[ReplyPart]:
    """Yield the parts of one JSON value: its questions and answers, and the frame between them."""
    found: list[ReplyPart] = []
    searched, misses = start, 0
    for kind, words in texts:
        if misses == _MOST_MISSES:
            break
        place = _find(text, words, searched, end)
        if place is None:
            misses += 1
            continue
        found.append(ReplyPart(*place, kind))
        # An answer may stand before its question, so only answers move the place from which is searched.
        if kind is PartKind.ANSWER:
            searched = place[1]
    yield from _framed(start, end, found)


def _framed(start: int, end: int, found: list[ReplyPart]) -> Iterator[ReplyPart]:
    """Yield `found` in order, without what overlaps, and the frame between them."""
    at = start
    for part in sorted(found, key=lambda part: part.start):
        if part.start < at:
            continue
        if part.start > at:
            yield ReplyPart(at, part.start, PartKind.FRAME)
        yield part
        at = part.end
    if at < end:
        yield ReplyPart(at, end, PartKind.FRAME)


def _find(text: str, words: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where `words` stand as a string of their own, in their own spelling or in that of JSON."""
    for spelling in dict.fromkeys((words, json.dumps(words, ensure_ascii=False)[1:-1], json.dumps(words)[1:-1])):
        quoted = re.compile(r"""(?<=["'“‘:\s])\s*+""" + re.escape(spelling) + r"""(?=\s*+["'”’,}\]])""")
        if match := quoted.search(text, start, end):
            inner = match.end() - len(spelling)
            return inner, match.end()
    return None
