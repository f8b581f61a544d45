"""The text of a reply and how it ends: whole, cut, or spoilt on purpose."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vqa_tui.config.faults import Fault
from vqa_tui.domain.structured import STRUCTURED_TYPE
from vqa_tui.embedded.answers import WrittenPair
from vqa_tui.embedded.usage import CHARACTERS_PER_TOKEN, text_tokens

REFUSAL = "I can't help with this picture."


@dataclass(frozen=True, slots=True)
class Reply:
    """One choice of a completion."""

    content: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    pair_starts: tuple[int, ...] = ()
    """Offsets in `content` at which the pairs of a JSON reply begin; empty for plain text."""

    prose: str = ""
    """What a model says that knows the answers of a JSON reply but forgets the format."""

    @property
    def tokens(self) -> int:
        return text_tokens(len(self.content or self.refusal or ""))


def json_reply(pairs: Sequence[WrittenPair], *, as_object: bool) -> Reply:
    """Return the reply that holds `pairs` as a JSON array, or as an object with the array under `pairs`."""
    text = '{"pairs": [' if as_object else "["
    starts: list[int] = []
    for pair in pairs:
        text += "\n" if not starts else ",\n"
        starts.append(len(text))
        fields = {"question": pair.question, "answer": pair.answer, "question_type": pair.question_type}
        text += json.dumps(fields, ensure_ascii=False)
    prose = " ".join(
        ["Here is what I can see.", *(pair.answer for pair in pairs if pair.question_type != STRUCTURED_TYPE)]
    )
    return Reply(text + ("\n]}" if as_object else "\n]"), pair_starts=tuple(starts), prose=prose)


def limit(reply: Reply, max_tokens: int | None, stop: Sequence[str]) -> Reply:
    """Return `reply` cut before the first stop sequence, and to `max_tokens` with finish_reason `length`."""
    content = reply.content or ""
    content = content[: min((at for text in stop if (at := content.find(text)) >= 0), default=len(content))]
    if max_tokens is not None and text_tokens(len(content)) > max_tokens:
        return replace(reply, content=content[: max_tokens * CHARACTERS_PER_TOKEN], finish_reason="length")
    return replace(reply, content=content)


def spoil(reply: Reply, fault: Fault) -> Reply:
    """Return `reply` with a fault of content in it, or unchanged when that fault does not touch the content."""
    content = reply.content or ""
    starts = reply.pair_starts
    match fault:
        case Fault.REFUSED:
            return Reply(None, "content_filter", REFUSAL)
        case Fault.EMPTY:
            return Reply("")
        case Fault.TRUNCATED:
            begin = starts[-1] if starts else 0
            return replace(reply, content=content[: begin + (len(content) - begin) // 2], finish_reason="length")
        case Fault.BAD_JSON if starts:
            end = starts[1] if len(starts) > 1 else len(content)
            unfinished = content[: starts[0] + (end - starts[0]) // 2]
            # Both ways occur with real models; which one is drawn follows from the text, so it is reproducible.
            return Reply(reply.prose if len(content) % 2 else unfinished)
        case _:
            return reply
