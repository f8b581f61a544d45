"""Reading a chat completion out of a successful answer."""

import json
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.error_body import read_error_body, storable
from vqa_tui.endpoints.usage import read_usage

NOT_JSON = "the endpoint's answer is not JSON"
NO_COMPLETION = "the endpoint's answer is not a chat completion"
_FILTERED = frozenset({"content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"})


@dataclass(frozen=True, slots=True)
class Completion:
    """The first choice of a chat completion. Hostile text, but storable."""

    text: str = ""
    finish_reason: str = ""
    model: str = ""
    id: str = ""
    usage: Usage | None = None
    """None when the endpoint did not report it, or reported no output beside a reply."""
    failure: Failure | None = None
    """Why `text` cannot be used; a cut by `max_tokens` is no failure."""
    error_status: int | None = None
    """The status that a gateway wrote into an error object inside a success."""


def read_completion(body: str) -> Completion:
    """Return the completion in `body` (OpenAI chat completions, not streamed). Never raises.

    The failure is `refused` for a content filter or a refusal, `bad_reply` for anything that holds no text.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return Completion(failure=_bad(NOT_JSON if body.strip() else "the answer is empty"))
    if not isinstance(value, dict):
        return Completion(failure=_bad(NO_COMPLETION))
    usage, model, identity = read_usage(value.get("usage")), _text(value.get("model")), _text(value.get("id"))
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        said = read_error_body(body).message if value.get("error") else ""
        return Completion(
            model=model,
            id=identity,
            usage=usage,
            failure=_bad("the answer holds no choices" + (f": {said[:400]}" if said else "")),
            error_status=_error_status(value.get("error")),
        )
    message = choices[0].get("message")
    message = message if isinstance(message, dict) else {}
    finish_reason = _text(choices[0].get("finish_reason"))
    text, refusal = _content(message.get("content")), _text(message.get("refusal"))
    if usage is not None and usage.output_tokens == 0 and (text or refusal):
        # What was written was not free: the count was lost on its way.
        usage = None
    failure = _failure(text, refusal, finish_reason)
    # OpenRouter puts a provider's failure beside an empty choice, or into the choice that it cut.
    error = value.get("error") or choices[0].get("error")
    broken = bool(error) and (not text.strip() or finish_reason == "error")
    return Completion(
        text, finish_reason, model, identity, usage, failure, error_status=_error_status(error) if broken else None
    )


def _failure(text: str, refusal: str, finish_reason: str) -> Failure | None:
    # Gemini adds its own reason behind a colon: "content_filter: SAFETY".
    if finish_reason.lower().partition(":")[0] in _FILTERED:
        return Failure(FailureKind.REFUSED, f"a content filter stopped the reply ({finish_reason[:100]})", 200)
    if refusal and not text.strip():
        return Failure(FailureKind.REFUSED, f"the model refused: {' '.join(refusal.split())[:400]}", 200)
    if text.strip():
        return None
    if finish_reason == "length":
        return _bad("the reply is empty: max_tokens ran out before any text, probably while the model was thinking")
    return _bad("the reply is empty")


def _content(content: Any) -> str:
    """Return the text of a message: a plain text, or the text parts of a list of parts."""
    if isinstance(content, list):
        content = "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return _text(content)


def _error_status(error: Any) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isdecimal():
        code = int(code)
    return code if type(code) is int and 400 <= code <= 599 else None


def _text(value: Any) -> str:
    return storable(value) if isinstance(value, str) else ""


def _bad(message: str) -> Failure:
    return Failure(FailureKind.BAD_REPLY, message, 200)
