"""The sections of the inspector: what was asked about a picture, what came back, and what became of it."""

from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.item import GroundTruth, Item
from vqa_tui.domain.plain_json import as_json
from vqa_tui.domain.reply_parts import PartKind, ReplyForm, reply_parts
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskDetail
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.attempts import changed_words
from vqa_tui.tui.present.numbers import file_size, money_words, plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN, kind_words, status_label

_LONG = 20_000
"""Longest prompt or reply shown, in characters."""
_LINE = 400


@dataclass(frozen=True, slots=True)
class Section:
    """One titled part of the inspector; `title` is our own word."""

    title: str
    body: Content


def headline(detail: TaskDetail, *, asked: bool = False, picture: int = 0) -> Content:
    """Return the item's key and status; `asked` when a request for it is in flight.

    `picture` says which of its pictures is shown, counted from 0.
    """
    row = detail.row
    facts = detail.item.pictures[picture].facts
    return Content.assemble(
        (clean(row.name, one_line=True, limit=_LINE), "bold"),
        "\n",
        status_label(row.status, asked=asked).content(),
        (
            f" · {plural(row.attempts, 'try', 'tries')} · {plural(row.samples, 'pair')}"
            f" · {money_words(row.cost, price_known=row.price_known)}",
            QUIET,
        ),
        "\n",
        (
            f"{facts.width}×{facts.height} {clean(facts.format, one_line=True, limit=12)}"
            f" · {file_size(facts.size_bytes)}{picture_words(picture, len(detail.pictures))}"
            f"{_split_words(detail.item)}",
            QUIET,
        ),
        (f"\n↻ is asked again with {changed_words(detail.changes)}" if detail.changes else "", WARN),
    )


def picture_words(picture: int, count: int) -> str:
    """Return which of the pictures of an item is shown, `picture` from 0; nothing of an item that has one."""
    return f" · picture {picture + 1} of {count}" if count > 1 else ""


def _split_words(item: Item) -> str:
    return f" · split {clean(item.split, one_line=True, limit=40)}" if item.split else ""


def sections(detail: TaskDetail) -> tuple[Section, ...]:
    """Return all sections but the attempts: what is known, what was asked, and what came back."""
    return (
        Section(f"Pairs ({len(detail.samples)})", pairs_text(detail.samples)),
        Section("Ground truth", truth_text(detail.item.truth)),
        Section("Prompt", _long(detail.prompt) if detail.prompt else _quiet("none")),
        Section("Raw reply", raw_reply_text(detail)),
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
            notes.append(verdict_note(sample))
        head = Content("  ").join(
            [Content.styled(f"{sample.ordinal + 1}.", QUIET), *(Content.styled(*n) for n in notes)]
        )
        question = Content.assemble(("Q ", "$text-primary bold"), clean(sample.final_question, limit=_LONG))
        answer = Content.assemble(("A ", "$text-success bold"), clean(sample.final_answer, limit=_LONG))
        blocks.append(Content("\n").join([head, question, answer, *as_written(sample)]))
    return Content("\n\n").join(blocks)


def verdict_note(sample: Sample) -> tuple[str, str]:
    """Return the verdict of a reviewed pair as glyph and word, and its style."""
    verdict = sample.verdict or ""
    if sample.edited and verdict == "accepted":
        return "✎ accepted, edited", GOOD
    glyph, style = {"accepted": ("✔", GOOD), "rejected": ("✖", BAD)}.get(verdict, ("?", WARN))
    return f"{glyph} {clean(verdict, one_line=True, limit=20)}", style


def as_written(sample: Sample) -> list[Content]:
    """Return what the model wrote where a reviewer edited it, and the reviewer's note; a line each."""
    lines = []
    if sample.edited_question is not None:
        lines.append(Content.assemble(("Q as written  ", QUIET), clean(sample.question, limit=_LONG)))
    if sample.edited_answer is not None:
        lines.append(Content.assemble(("A as written  ", QUIET), clean(sample.answer, limit=_LONG)))
    if sample.note:
        lines.append(Content.assemble(("note  ", QUIET), clean(sample.note, limit=2_000)))
    return lines


def truth_text(truth: GroundTruth) -> Content:
    """Return what the dataset itself says about the picture."""
    lines: list[Content] = []
    if truth.clip is not None:
        times = f"{truth.clip.start_s:g} to {truth.clip.end_s:g} s"
        copy = f", copy at {clean(truth.clip.uri, one_line=True, limit=200)}" if truth.clip.uri else ""
        lines.append(Content.assemble(("clip ", QUIET), times, (copy, QUIET)))
        if isinstance(asked := truth.extra.get("query"), str) and not truth.questions:
            lines.append(Content.assemble(("query ", QUIET), clean(asked, limit=2_000)))
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


_PART_STYLES = {
    PartKind.FRAME: "$foreground 60% on $boost",
    PartKind.QUESTION: "$text-primary bold on $boost",
    PartKind.ANSWER: "$text-success bold on $boost",
}


def raw_reply_text(detail: TaskDetail) -> Content:
    """Return the newest stored reply as it came, made safe for a terminal; what was read of it stands out."""
    reply = newest_reply(detail.attempts)
    return _quiet("none stored") if reply is None else marked_reply(reply, detail.reply_form)


def marked_reply(reply: str, form: ReplyForm) -> Content:
    """Return a reply with the JSON that was read on a ground of its own, questions and answers in their colours.

    The reply is cut into its parts before it is cleaned: what an escape sequence loses its end by is no sequence.
    """
    if not reply.strip():
        return _quiet("empty")
    blocks: list[Content] = []
    parts = reply_parts(reply, form)
    at = 0
    for part in parts:
        if part.start >= _LONG:
            break
        blocks.append(Content(clean(reply[at : part.start])))
        end = min(part.end, _LONG)
        blocks.append(Content.styled(clean(reply[part.start : end]), _PART_STYLES[part.kind]))
        at = end
    blocks.append(Content(clean(reply[at:_LONG])))
    if len(reply) > _LONG:
        blocks.append(_quiet("…"))
    note = "what was read stands out" if parts else "nothing was read from it"
    return Content("").join([_quiet(f"{note}\n"), *blocks])


def newest_reply(attempts: tuple[Attempt, ...]) -> str | None:
    """Return the newest stored reply exactly as it came."""
    return next((attempt.raw_reply for attempt in reversed(attempts) if attempt.raw_reply), None)


def yank_text(detail: TaskDetail) -> str:
    """Return what `y` copies: the pairs of a finished item, else its last reply, else its path."""
    if detail.samples:
        return "\n\n".join(f"Q: {clean(s.final_question)}\nA: {clean(s.final_answer)}" for s in detail.samples)
    reply = newest_reply(detail.attempts)
    return clean(reply) if reply else clean(detail.picture)


def yank_json(detail: TaskDetail) -> str:
    """Return what `Y` copies: the document of `item show --json`, which is faithful to the byte and safe as it is."""
    return as_json(detail, indent=2)


def _long(value: str) -> Content:
    return Content(clean(value, limit=_LONG)) if value.strip() else _quiet("empty")


def _quiet(words: str) -> Content:
    return Content.styled(words, QUIET)
