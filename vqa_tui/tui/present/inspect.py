"""The sections of the inspector: what was asked about a picture, what came back, and what became of it."""

from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.failure import POLICY, FailureKind
from vqa_tui.domain.item import GroundTruth, Item
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskDetail
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import clock, compact, count, file_size, milliseconds, money, plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN, kind_words, status_label

_LONG = 20_000
"""Longest prompt or reply shown, in characters."""
_LINE = 400


@dataclass(frozen=True, slots=True)
class Section:
    """One titled part of the inspector; `title` is our own word."""

    title: str
    body: Content


def headline(detail: TaskDetail, *, asked: bool = False) -> Content:
    """Return the item's key and status; `asked` when a request for it is in flight."""
    row = detail.row
    facts = detail.item.facts
    return Content.assemble(
        (clean(row.item_key, one_line=True, limit=_LINE), "bold"),
        "\n",
        status_label(row.status, asked=asked).content(),
        (f" · {plural(row.attempts, 'try', 'tries')} · {plural(row.samples, 'pair')} · {money(row.cost)}", QUIET),
        "\n",
        (
            f"{facts.width}×{facts.height} {clean(facts.format, one_line=True, limit=12)}"
            f" · {file_size(facts.size_bytes)}{_split_words(detail.item)}",
            QUIET,
        ),
    )


def _split_words(item: Item) -> str:
    return f" · split {clean(item.split, one_line=True, limit=40)}" if item.split else ""


def sections(detail: TaskDetail) -> tuple[Section, ...]:
    """Return all sections in the order in which they help: pairs first, or what went wrong."""
    pairs = Section(f"Pairs ({len(detail.samples)})", pairs_text(detail.samples))
    tries = Section(f"Attempts ({len(detail.attempts)})", attempts_text(detail.attempts))
    first = (pairs, tries) if detail.samples else (tries, pairs)
    return (
        *first,
        Section("Ground truth", truth_text(detail.item.truth)),
        Section("Prompt", _long(detail.prompt) if detail.prompt else _quiet("none")),
        Section("Raw reply", raw_reply_text(detail.attempts)),
    )


def pairs_text(samples: tuple[Sample, ...]) -> Content:
    """Return the pairs, each with its type, flags and verdict."""
    if not samples:
        return _quiet("none yet")
    blocks = []
    for sample in samples:
        notes = [(clean(sample.question_type, one_line=True, limit=40), QUIET)] if sample.question_type else []
        notes += [(f"⚑ {kind_words(flag)}", WARN) for flag in sample.flags]
        if sample.verdict:
            notes.append((f"verdict {clean(sample.verdict, one_line=True, limit=20)}", GOOD))
        head = Content("  ").join(
            [Content.styled(f"{sample.ordinal + 1}.", QUIET), *(Content.styled(*n) for n in notes)]
        )
        question = Content.assemble(("Q ", "$text-primary bold"), clean(sample.question, limit=_LONG))
        answer = Content.assemble(("A ", "$text-success bold"), clean(sample.answer, limit=_LONG))
        blocks.append(Content("\n").join([head, question, answer]))
    return Content("\n\n").join(blocks)


def attempts_text(attempts: tuple[Attempt, ...]) -> Content:
    """Return the timeline of attempts, oldest first: when, by which key, how it ended, in words."""
    if not attempts:
        return _quiet("not asked yet")
    return Content("\n").join(_attempt_text(attempt) for attempt in attempts)


def _attempt_text(attempt: Attempt) -> Content:
    good = attempt.kind == "ok"
    status = f"HTTP {attempt.http_status}" if attempt.http_status is not None else "no reply"
    facts = f"{clock(attempt.started_at)}  key {clean(attempt.key_name, one_line=True, limit=24)}  {status}"
    if attempt.latency_ms is not None:
        facts += f"  {milliseconds(attempt.latency_ms)}"
    if attempt.input_tokens or attempt.output_tokens:
        facts += f"  {compact(attempt.input_tokens)}+{compact(attempt.output_tokens)} tokens"
    facts += f"  {money(attempt.cost)}"
    if attempt.uncertain:
        facts += f"  uncertain {money(attempt.uncertain)}"
    if attempt.finish_reason and attempt.finish_reason != "stop":
        facts += f"  finish: {clean(attempt.finish_reason, one_line=True, limit=24)}"
    mark = ("✔", GOOD) if good else ("✖", BAD)
    lines = [Content.assemble(mark, f" {count(attempt.number)}  ", (facts, QUIET))]
    if not good:
        lines.append(Content.assemble("    ", (f"{kind_words(attempt.kind)}: ", BAD), failure_words(attempt.kind)))
    if attempt.message:
        lines.append(Content.assemble("    ", clean(attempt.message, one_line=True, limit=2_000)))
    return Content("\n").join(lines)


def failure_words(kind: str) -> str:
    """Return what a failure kind means; a kind of a newer version is named as it stands."""
    try:
        return POLICY[FailureKind(kind)].in_words
    except ValueError:
        return f"a failure of kind {kind_words(kind)}"


def truth_text(truth: GroundTruth) -> Content:
    """Return what the dataset itself says about the picture."""
    lines: list[Content] = []
    if truth.categories:
        names = ", ".join(clean(name, one_line=True, limit=80) for name in truth.categories)
        lines.append(Content.assemble(("categories ", QUIET), names))
    for box in truth.boxes:
        place = f"{box.x:.0f},{box.y:.0f}  {box.width:.0f}×{box.height:.0f}"
        lines.append(
            Content.assemble(("box ", QUIET), clean(box.label, one_line=True, limit=80), (f"  {place}", QUIET))
        )
    for caption in truth.captions:
        lines.append(Content.assemble(("caption ", QUIET), clean(caption, limit=4_000)))
    for known in truth.questions:
        lines.append(Content.assemble(("Q ", QUIET), clean(known.question, limit=2_000)))
        lines.append(Content.assemble(("A ", QUIET), clean(known.answer, limit=2_000)))
    return Content("\n").join(lines) if lines else _quiet("the dataset says nothing about this picture")


def raw_reply_text(attempts: tuple[Attempt, ...]) -> Content:
    """Return the newest stored reply as it came, made safe for a terminal."""
    reply = newest_reply(attempts)
    return _quiet("none stored") if reply is None else _long(reply)


def newest_reply(attempts: tuple[Attempt, ...]) -> str | None:
    """Return the newest stored reply exactly as it came."""
    return next((attempt.raw_reply for attempt in reversed(attempts) if attempt.raw_reply), None)


def yank_text(detail: TaskDetail) -> str:
    """Return what `y` copies: the pairs of a finished item, else its last reply, else its path."""
    if detail.samples:
        return "\n\n".join(f"Q: {clean(s.question)}\nA: {clean(s.answer)}" for s in detail.samples)
    reply = newest_reply(detail.attempts)
    return clean(reply) if reply else clean(detail.picture)


def _long(value: str) -> Content:
    return Content(clean(value, limit=_LONG)) if value.strip() else _quiet("empty")


def _quiet(words: str) -> Content:
    return Content.styled(words, QUIET)
