"""Reading blocks of three lines, `Category: … / Question: … / Short answer: …`: the reply form of EVUD's questions.

    Category: object localisation
    Question: Where is the kettle?
    Short answer: On the stove.

Blocks are told apart by their `Category:` line, so that a missing blank line between two costs nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vqa_tui.domain.reply_text import ReadReply, UnreadableReply, after_reasoning, storable
from vqa_tui.domain.sample import Pair, SampleFlag

_LINE = re.compile(
    r"^[ \t>*_#\-•]*+(?:\d{1,3}[.)][ \t]*+)?[*_]*+"
    r"(category|question|short[ \t]++answer|answer)[*_]*+[ \t]*+:[*_]*+(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_BRITISH = re.compile(r"localiz(ation|ed|ing|e)\b")


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block that a pair was read from, and where it and its texts stand in the reply."""

    start: int
    end: int
    pair: Pair
    question: tuple[int, int]
    answer: tuple[int, int]


def category_name(text: str) -> str:
    """Return a category as it is stored: small letters, single spaces, and `localisation` for `localization`."""
    return _BRITISH.sub(r"localis\1", " ".join(text.strip(" \t.*_`'\"[]").lower().split()))


def placed_blocks(text: str) -> tuple[PlacedBlock, ...]:
    """Return the whole blocks of a reply in order. Names keep their case: only the category is normalised."""
    rest = after_reasoning(text)
    before = len(text) - len(rest)
    return tuple(filter(None, (_block(lines, before) for lines in _grouped(rest))))


def read_blocks(text: str, *, categories: Sequence[str] = (), cut: bool = False) -> ReadReply:
    """Return one pair for each whole block; its question type is the category.

    A block without all three lines is left out and costs nothing else. `categories` are those asked for: where a
    reply lacks one of them, each of its pairs is flagged MISSING_CATEGORY, and the pairs stand in their order. `cut`
    says that the reply was truncated: a last block without a line break behind it may lack words and is left out.
    Raises UnreadableReply when no block is whole.
    """
    blocks = placed_blocks(text)
    if cut and blocks and not text[blocks[-1].end :].strip(" \t*_`") and "\n" not in text[blocks[-1].end :]:
        blocks = blocks[:-1]
    pairs = [block.pair for block in blocks]
    if not pairs:
        raise UnreadableReply(_why(text))
    wanted = [category_name(category) for category in categories]
    if set(wanted) - {pair.question_type for pair in pairs}:
        pairs = [replace(pair, flags=(SampleFlag.MISSING_CATEGORY,)) for pair in pairs]
    if wanted:
        places = {category: place for place, category in enumerate(wanted)}
        pairs.sort(key=lambda pair: places.get(pair.question_type, len(places)))
    return ReadReply(tuple(pairs), cut=cut)


def _grouped(text: str) -> Iterator[list[re.Match[str]]]:
    lines: list[re.Match[str]] = []
    for line in _LINE.finditer(text):
        if line[1].lower() == "category" and lines:
            yield lines
            lines = []
        lines.append(line)
    if lines:
        yield lines


def _block(lines: list[re.Match[str]], before: int) -> PlacedBlock | None:
    """Return the block of these lines, or None where one of its three lines is missing, empty or there twice."""
    found: dict[str, re.Match[str]] = {}
    for line in lines:
        name = "answer" if line[1].lower().endswith("answer") else line[1].lower()
        if name in found or not _bare(line):
            return None
        found[name] = line
    if len(found) != 3:
        return None
    question, answer = found["question"], found["answer"]
    pair = Pair(storable(_bare(question)), storable(_bare(answer)), storable(category_name(found["category"][2])))
    return PlacedBlock(
        before + lines[0].start(), before + lines[-1].end(), pair, _place(question, before), _place(answer, before)
    )


def _bare(line: re.Match[str]) -> str:
    return line[2].strip(" \t\r*_")


def _place(line: re.Match[str], before: int) -> tuple[int, int]:
    start = before + line.start(2) + line[2].find(_bare(line))
    return start, start + len(_bare(line))


def _why(text: str) -> str:
    if not text.strip():
        return "the reply is empty"
    if not _LINE.search(text):
        return "the reply holds no block of the lines Category, Question and Short answer"
    return "no block of the reply has all of its lines Category, Question and Short answer, each once and with a text"
