"""What the review screen says: the pair, the truth beside it, how far one is, and what it says of the rest."""

from textual.content import Content

from vqa_tui.domain.item import GroundTruth, ReferenceQuestion
from vqa_tui.domain.review import DRAWN, Order, ReviewFilter, ReviewPair
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.inspect import as_written, truth_text, verdict_note
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.present.phases import GOOD, QUIET, WARN, kind_words
from vqa_tui.tui.present.review_words import counts_words, estimate_sentence, mending_words, progress_words

_LONG = 20_000


def review_header(run: str, status: ReviewStatus | None, order: Order, chosen: ReviewFilter, width: int) -> Content:
    """Return crumbs, the order, and how much is reviewed; of the rest the name of the run, if cut, goes last."""
    name = clean(run, one_line=True, limit=60)
    crumbs = Content.assemble(("vqa-tui › runs › ", QUIET), name, (" › ", QUIET), ("review", "bold"))
    short = Content.assemble(name, (" › ", QUIET), ("review", "bold"))
    brief = Content(clean(run, one_line=True, limit=24))
    chip = order_chip(order, chosen)
    if status is None:
        return Content("   ").join([short, chip])
    progress, counts = Content(progress_words(status)), Content.styled(counts_words(status), QUIET)
    forms = (
        [crumbs, chip, progress, counts],
        [short, chip, progress, counts],
        [brief, chip, progress, counts],
        [brief, progress, counts],
        [brief, progress],
        [progress],
    )
    lines = [Content("   ").join(parts) for parts in forms]
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def order_chip(order: Order, chosen: ReviewFilter) -> Content:
    """Return order and filter as chips."""
    parts = [str(order).replace("-", " ")]
    if chosen.verdict is not None:
        parts = [f"{chosen.verdict} once more"]
    if chosen.flagged:
        parts.append("only flagged")
    if chosen.question_type is not None:
        parts.append(f"type {clean(chosen.question_type, one_line=True, limit=24) or '(none)'}")
    return Content(" ").join(Content.styled(f" {part} ", "$text-primary on $primary 20%") for part in parts)


def pair_title(pair: ReviewPair, position: int) -> Content:
    """Return which pair of its picture this is, and which of the session, for the title of a border."""
    return Content(f"Pair {pair.sample.ordinal + 1} · {count(position)}. of this session")


def picture_title(pair: ReviewPair, picture: int = 0) -> Content:
    """Return the key of the item for the title of a border; its end tells keys apart.

    `picture` says which of its pictures is shown, counted from 0.
    """
    key = clean(pair.name, one_line=True, limit=400)
    # A border cuts off the end of its title.
    which = f"picture {picture + 1} of {len(pair.pictures)} · " if len(pair.pictures) > 1 else ""
    return Content(f"{which}{key if len(key) <= 60 else f'…{key[-59:]}'}")


def pair_text(pair: ReviewPair, *, brief: bool = False, dense: bool = False) -> Content:
    """Return question and answer, type, flags, what was said of it before, and the truth.

    `brief` makes one paragraph of the truth, `dense` leaves out the blank lines.
    """
    sample = pair.sample
    notes: list[Content] = []
    if sample.verdict:
        notes.append(Content.styled(*verdict_note(sample)))
    if sample.question_type:
        notes.append(Content.styled(clean(sample.question_type, one_line=True, limit=40), QUIET))
    notes += [Content.styled(f"⚑ {kind_words(flag)}", WARN) for flag in sample.flags]
    gap = "\n" if dense else "\n\n"
    blocks = [
        Content.assemble(("Q  ", "bold $text-primary"), (clean(sample.final_question, limit=_LONG), "bold")),
        Content.assemble(("A  ", "bold $text-success"), clean(sample.final_answer, limit=_LONG)),
    ]
    if notes:
        blocks.append(Content("  ").join(notes))
    if written := as_written(sample):
        blocks.append(Content("\n").join(written))
    if pair.reference is not None:
        blocks.append(_reference_line(pair.reference))
    blocks.append(truth_line(pair.truth) if brief else _truth_block(pair.truth))
    return Content(gap).join(blocks)


def _reference_line(known: ReferenceQuestion) -> Content:
    kind = clean(known.question_type, one_line=True, limit=40)
    answer = clean(known.answer, limit=2_000) or "(empty)"
    return Content.assemble(("reference  ", QUIET), answer, (f"  {kind}" if kind else "", QUIET))


def truth_line(truth: GroundTruth) -> Content:
    """Return the truth as one paragraph: categories, how many boxes, the captions."""
    parts = []
    if truth.states_none:
        parts.append("nothing of what the dataset labels")
    if truth.categories:
        parts.append(", ".join(clean(name, one_line=True, limit=60) for name in truth.categories))
    if truth.boxes:
        parts.append(plural(len(truth.boxes), "box", "boxes"))
    parts += [clean(caption, one_line=True, limit=4_000) for caption in truth.captions]
    if not parts:
        parts.append("the dataset says nothing about this picture")
    return Content.assemble(("truth  ", QUIET), " · ".join(parts))


def _truth_block(truth: GroundTruth) -> Content:
    body = Content("nothing of what the dataset labels is there") if truth.states_none else truth_text(truth)
    return Content.assemble(("Ground truth", f"bold {QUIET}"), "\n", body)


def estimate_line(status: ReviewStatus | None, target: float, *, last: str, pending: int, width: int) -> Content:
    """Return the estimate, and as far as `width` cells go what was done last; before it what is not written yet."""
    parts = []
    if status is not None:
        enough = status.estimate is not None and status.estimate.enough
        sentence = estimate_sentence(status.estimate, target)
        parts.append(Content.styled(f"✔ {sentence}", GOOD) if enough else Content(sentence))
        if mending := mending_words(status.estimate):
            parts.append(Content.styled(mending, QUIET))
    if pending:
        parts.insert(0, Content.styled(f"◔ {plural(pending, 'verdict')} not written yet", WARN))
    elif last:
        parts.append(Content.styled(clean(last, one_line=True, limit=120), QUIET))
    while len(parts) > 1 and sum(part.cell_length + 3 for part in parts) - 3 > width:
        parts.pop()
    return Content("   ").join(parts)


def stands_beside(picture: tuple[int, int] | None, width: int, height: int) -> bool:
    """Return whether a picture of so many pixels is larger beside its pair than above it, on a body of such cells."""
    if picture is None:
        return width > 2 * height
    beside = min(width / 2 / picture[0], 2 * height / picture[1])
    above = min(width / picture[0], height / picture[1])
    return beside >= above


def placing_text(left: int, pairs: int) -> Content:
    """Return what is done before a large run is reviewed for the first time."""
    return Content.assemble(
        ("Giving every pair its place in the order: ", QUIET), f"{count(left)} of {count(max(pairs, left))} left …"
    )


def nothing_left_text(
    status: ReviewStatus | None, chosen: ReviewFilter, skipped: int, *, read_only: bool = False
) -> Content:
    """Return why no pair is shown, and what can be done."""
    if read_only and (status is None or not status.pairs):
        return Content(
            "Nobody has reviewed this run yet, and this screen may only look: it was opened with --readonly."
        )
    if status is None or not status.pairs:
        return Content("No pair is stored yet. They come as pictures are answered, and are shown here then.")
    lines = []
    if skipped:
        lines.append(f"{plural(skipped, 'pair was', 'pairs were')} passed over: → brings them back.")
    elif chosen == ReviewFilter():
        lines.append(f"Every pair has a verdict: {counts_words(status)}.")
    else:
        lines.append("No pair of this choice is left.")
    lines.append("/ chooses other pairs or another order, ← goes back, u takes the last verdict back.")
    return Content("\n\n").join(Content(line) for line in lines)


def choice_note(order: Order, chosen: ReviewFilter) -> Content:
    """Return whether verdicts of a choice count in the estimate."""
    if chosen.verdict is not None or order not in DRAWN:
        return Content.styled("Verdicts of this choice say nothing of the other pairs: they are not drawn.", WARN)
    return Content.styled("Pairs are drawn by chance within type, category and flag: verdicts count.", QUIET)


def yank_pair(pair: ReviewPair) -> str:
    """Return what `y` copies."""
    return f"Q: {clean(pair.sample.final_question)}\nA: {clean(pair.sample.final_answer)}"
