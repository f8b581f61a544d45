"""The timeline of attempts: newest first, each with all that was recorded of it."""

from textual.content import Content

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import POLICY, FailureKind
from vqa_tui.domain.task import Attempt
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import clock, compact, count, milliseconds, money, money_words
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, kind_words

MOST_SHOWN = 60
"""Attempts that are shown; a picture that waits for a quota all night has more."""
_PURPOSES = {
    "ask": "",
    "repair": "repair: says what was wrong",
    "longer": "with room for a longer reply",
    "hedge": "second request beside a slow one",
}


def attempt_blocks(attempts: tuple[Attempt, ...], *, price_known: bool = True) -> list[Content]:
    """Return one block of lines an attempt, newest first; `price_known` tells whether their costs say anything."""
    return [attempt_block(attempt, price_known=price_known) for attempt in reversed(attempts[-MOST_SHOWN:])]


def older_words(attempts: tuple[Attempt, ...]) -> str:
    """Return how many attempts are not shown; '' where all are."""
    left = len(attempts) - MOST_SHOWN
    return f"and {count(left)} older" if left > 0 else ""


def attempt_block(attempt: Attempt, *, price_known: bool = True) -> Content:
    """Return when, by which key, why, how it ended and what it cost, in words."""
    good = attempt.kind == "ok"
    status = f"HTTP {attempt.http_status}" if attempt.http_status is not None else "no reply"
    facts = f"{clock(attempt.started_at)}  key {clean(attempt.key_name, one_line=True, limit=24)}  {status}"
    if attempt.latency_ms is not None:
        facts += f"  {milliseconds(attempt.latency_ms)}"
    if attempt.input_tokens or attempt.output_tokens:
        facts += f"  {compact(attempt.input_tokens)}+{compact(attempt.output_tokens)} tokens"
    facts += f"  {money_words(attempt.cost, price_known=price_known)}"
    if attempt.uncertain:
        facts += f"  uncertain {money(attempt.uncertain)}"
    if attempt.changes:
        facts += f"  asked with {changed_words(attempt.changes)}"
    mark = ("✔", GOOD) if good else ("✖", BAD)
    lines = [Content.assemble(mark, f" {count(attempt.number)}  ", (facts, QUIET))]
    if purpose := _PURPOSES.get(attempt.purpose, clean(attempt.purpose, one_line=True, limit=24)):
        lines.append(Content.assemble("    ", (purpose, QUIET)))
    if not good:
        lines.append(Content.assemble("    ", (f"{kind_words(attempt.kind)}: ", BAD), failure_words(attempt.kind)))
    if attempt.message:
        lines.append(Content.assemble("    ", clean(attempt.message, one_line=True, limit=2_000)))
    if rest := _rest(attempt):
        lines.append(Content.styled("    " + "  ".join(rest), QUIET))
    return Content("\n").join(lines)


def changed_words(changes: TaskChanges) -> str:
    """Return what a picture was asked with otherwise than recipe and limits say."""
    return clean(changes.in_words, one_line=True, limit=80)


def _rest(attempt: Attempt) -> list[str]:
    """Return what is seldom needed: how the reply ended, by which model, under which id."""
    rest = []
    if attempt.finish_reason and attempt.finish_reason != "stop":
        rest.append(f"finish: {clean(attempt.finish_reason, one_line=True, limit=24)}")
    if attempt.model:
        rest.append(clean(attempt.model, one_line=True, limit=40))
    if attempt.request_id:
        rest.append(f"request {clean(attempt.request_id, one_line=True, limit=48)}")
    return rest


def attempt_title(attempt: Attempt) -> str:
    """Return the title under which the reply of an attempt is shown in full."""
    return f"Attempt {count(attempt.number)}, {clock(attempt.started_at)}"


def attempt_text(attempt: Attempt) -> str:
    """Return the reply of an attempt as it came, else its error in full; both are foreign text."""
    parts = [part for part in (attempt.message, attempt.raw_reply or "") if part.strip()]
    return "\n\n".join(parts) or "Nothing was stored of this attempt."


def failure_words(kind: str) -> str:
    """Return what a failure kind means; a kind of a newer version is named as it stands."""
    try:
        return POLICY[FailureKind(kind)].in_words
    except ValueError:
        return f"a failure of kind {kind_words(kind)}"
