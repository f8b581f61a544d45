"""What every reader of replies needs: the text that counts, made storable, and how reading ends."""

import re
from dataclasses import dataclass

from vqa_tui.domain.sample import Pair


@dataclass(frozen=True, slots=True)
class ReadReply:
    """The pairs of one reply, at least one. `cut`: the text was truncated, and these pairs stood whole before that."""

    pairs: tuple[Pair, ...]
    cut: bool


class UnreadableReply(Exception):
    """No pair could be read. `reason` says why in words and quotes nothing of the reply."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_WHOLLY_FENCED = re.compile(r"```[\w-]*+\n((?:(?!```).)*+)```", re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_THINK_END = "</think>"
_JSON_BEGINS = ("[", "{", "```")
"""How a reply begins that has no reasoning, and may speak of such a tag."""


def after_reasoning(text: str) -> str:
    """Return what stands behind the <think> block with which reasoning models open a reply: drafts are not answers.

    Where a chat template has opened the block in the prompt, the reply holds its end alone; where the text was cut in
    the middle of it, nothing stands behind.
    """
    begun = text.lstrip()
    is_open = begun.startswith("<think>")
    if _THINK_END in text and (is_open or not begun.startswith(_JSON_BEGINS)):
        return text.rpartition(_THINK_END)[2]
    return "" if is_open else text


def storable(text: str) -> str:
    """Join surrogate pairs, and replace lone surrogates by U+FFFD, because no UTF-8 file can hold them."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def text_place(text: str) -> tuple[int, int]:
    """Return where the answer stands that `read_text` takes: start and end in characters."""
    rest = after_reasoning(text)
    before = len(text) - len(rest)
    body = _unwrapped(rest)
    start = before + rest.find(body)
    return start, start + len(body)


def bare_text(text: str) -> str:
    """Return what counts of a reply in plain text: no reasoning, no ``` block around all of it, no outer space.

    Raises UnreadableReply when nothing is left.
    """
    text = _unwrapped(after_reasoning(text))
    if not text:
        raise UnreadableReply("the reply is empty")
    return storable(text)


def read_text(text: str, question: str) -> ReadReply:
    """Return the whole reply as the answer to `question`, without a ``` block that wraps all of it.

    Raises UnreadableReply when nothing is left. Whether the text was truncated cannot be seen here: `cut` is False.
    """
    return ReadReply((Pair(question, bare_text(text)),), cut=False)


def read_question(text: str, answer: str) -> ReadReply:
    """Return the whole reply as the question that `answer` answers, as `read_text` does the other way round."""
    return ReadReply((Pair(bare_text(text), answer),), cut=False)


def _unwrapped(text: str) -> str:
    text = text.strip()
    wrapped = _WHOLLY_FENCED.fullmatch(text)
    return wrapped.group(1).strip() if wrapped else text
