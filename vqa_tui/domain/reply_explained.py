"""Reading a reference answer with its explanation, `Yes. Explanation: …`: the reply form of the enhanced VQA-RAD."""

import re

from vqa_tui.domain.reply_text import ReadReply, UnreadableReply, bare_text, text_place
from vqa_tui.domain.sample import Pair, SampleFlag

_EXPLANATION = re.compile(r"(?<![^\s.!?;:*_])explanation[*_]*+[ \t]*+:[*_]*+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def read_explained(text: str, question: str, *, reference: str = "") -> ReadReply:
    """Return the reply as the answer to `question`, in the spelling `<answer>. Explanation: <explanation>`.

    `reference` is the answer that the dataset gives; where the reply gives another one before its explanation, the pair
    is flagged NOT_IN_TRUTH. Raises UnreadableReply for a reply without both parts: the text of an error, or a refusal
    in words, never becomes an answer. Whether the text was truncated cannot be seen here: `cut` is False.
    """
    body = bare_text(text)
    found = _EXPLANATION.search(body)
    if found is None:
        raise UnreadableReply("the reply has no part that begins with `Explanation:`")
    answer, explanation = body[: found.start()].strip(" \t\r\n*_"), body[found.end() :].strip()
    if not answer:
        raise UnreadableReply("the reply has no answer before `Explanation:`")
    if not explanation:
        raise UnreadableReply("the reply says nothing behind `Explanation:`")
    agrees = not reference.strip() or _words(reference) == _words(answer)
    ended = answer if answer.endswith((".", "!", "?")) else f"{answer.rstrip(' ,;:')}."
    flags = () if agrees else (SampleFlag.NOT_IN_TRUTH,)
    return ReadReply((Pair(question, f"{ended} Explanation: {explanation}", flags=flags),), cut=False)


def explained_place(text: str) -> tuple[int, int] | None:
    """Return where the reply stands that `read_explained` takes; None where it has no explanation."""
    start, end = text_place(text)
    return (start, end) if _EXPLANATION.search(text, start, end) else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
