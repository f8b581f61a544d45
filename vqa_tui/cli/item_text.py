"""One picture of a run as text; pure, and not cleaned yet."""

from collections.abc import Iterator

from vqa_tui.domain.failure import POLICY, FailureKind
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskDetail
from vqa_tui.tui.present.numbers import file_size, milliseconds, money, money_words, plural, utc


def detail_text(detail: TaskDetail) -> str:
    """Return everything known of one picture, in titled sections."""
    row, facts = detail.row, detail.item.facts
    size = f"{facts.width} × {facts.height} {facts.format}, {file_size(facts.size_bytes)}"
    tries = plural(row.attempts, "try", "tries")
    lines = [
        f"{row.name}  (task {row.id})",
        f"{row.status}, {tries}, {plural(row.samples, 'pair')}, {money_words(row.cost, price_known=row.price_known)}",
        f"{detail.picture}  {size}" + (f", split {detail.item.split}" if detail.item.split else ""),
    ]
    for path, further in zip(detail.further_pictures, detail.item.truth.further, strict=True):
        of = further.facts
        lines.append(f"{path}  {of.width} × {of.height} {of.format}, {file_size(of.size_bytes)}")
    if detail.changes:
        lines.append(f"is asked again with {detail.changes.in_words}")
    raw = next((each.raw_reply for each in reversed(detail.attempts) if each.raw_reply), None)
    sections = [
        (f"Pairs ({len(detail.samples)})", "\n".join(_pair(each) for each in detail.samples)),
        (f"Attempts ({len(detail.attempts)})", "\n".join(_attempt(each, row.price_known) for each in detail.attempts)),
        ("Ground truth", "\n".join(_truth(detail.item.truth))),
        ("Prompt", detail.prompt),
        ("Raw reply", raw or ""),
    ]
    for title, body in sections:
        lines += ["", title, _indented(body.strip() or "none")]
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "  " + text.replace("\n", "\n  ")


def _pair(sample: Sample) -> str:
    notes = [sample.question_type, *(flag.replace("_", " ") for flag in sample.flags), sample.verdict or ""]
    if sample.edited:
        notes.append(f"edited by {sample.reviewer}" if sample.reviewer else "edited")
    shown = ", ".join(each for each in notes if each)
    lines = [f"{sample.ordinal + 1}. Q {sample.final_question}", f"   A {sample.final_answer}"]
    if sample.edited_question is not None:
        lines.append(f"   Q as written: {sample.question}")
    if sample.edited_answer is not None:
        lines.append(f"   A as written: {sample.answer}")
    if shown:
        lines.append(f"   ({shown})")
    if sample.note:
        lines.append(f"   note: {sample.note}")
    return "\n".join(lines)


def _attempt(attempt: Attempt, price_known: bool) -> str:
    status = f"HTTP {attempt.http_status}" if attempt.http_status is not None else "no reply"
    parts = [utc(attempt.started_at), f"key {attempt.key_name}", status]
    if attempt.latency_ms is not None:
        parts.append(milliseconds(attempt.latency_ms))
    if attempt.input_tokens or attempt.output_tokens:
        parts.append(f"{attempt.input_tokens} + {attempt.output_tokens} tokens")
    parts.append(money_words(attempt.cost, price_known=price_known))
    if attempt.uncertain:
        parts.append(f"{money(attempt.uncertain)} uncertain")
    if attempt.finish_reason and attempt.finish_reason != "stop":
        parts.append(f"finish: {attempt.finish_reason}")
    if attempt.changes:
        parts.append(f"asked with {attempt.changes.in_words}")
    line = f"{attempt.number}. {', '.join(parts)}"
    if attempt.kind != "ok":
        line += f"\n   {attempt.kind}: {_meaning(attempt.kind)}"
    if attempt.message:
        line += f"\n   {attempt.message}"
    return line


def _meaning(kind: str) -> str:
    try:
        return POLICY[FailureKind(kind)].in_words
    except ValueError:
        return "a kind of failure that this version does not know"


def _truth(truth: GroundTruth) -> Iterator[str]:
    if truth.categories:
        yield f"categories: {', '.join(truth.categories)}"
    for box in truth.boxes:
        yield f"box: {box.label} at {box.x:.0f},{box.y:.0f}, {box.width:.0f} × {box.height:.0f}"
    for caption in truth.captions:
        yield f"caption: {caption}"
    for known in truth.questions:
        yield f"question: {known.question}\n  answer: {known.answer}"
