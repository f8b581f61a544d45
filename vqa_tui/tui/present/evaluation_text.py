"""Base against tuned: an evaluation in figures, question types, categories and worst rows, and one that is at work."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.evaluation import BeforeAndAfter, Evaluation, EvaluationSight, JudgedRow
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.bars import gauge
from vqa_tui.tui.present.facts import facts, heading
from vqa_tui.tui.present.numbers import UNKNOWN, count, moment, plural, share
from vqa_tui.tui.present.phases import BAD, BUSY, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import text

_WIDE_FROM = 128
"""Cells from which a group has a column for every figure."""
_GROUPS_SHOWN = 50
_WORST_SHOWN = 20
_LONG = 400
_NAME = 26
_ROW_OF = re.compile(r"(base|tuned): row ([\d,]+) of ([\d,]+)")


@dataclass(frozen=True, slots=True)
class _Figure:
    title: str
    of: Callable[[BeforeAndAfter], tuple[float | None, float | None]]
    shown: Callable[[float], str]
    lower_is_better: bool = False


def _decimals(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


_FIGURES = (
    _Figure("loss", lambda each: (each.base.loss, each.tuned.loss), _decimals(4), lower_is_better=True),
    _Figure("exact match", lambda each: (each.base.exact_match, each.tuned.exact_match), _percent),
    _Figure("VQA accuracy", lambda each: (each.base.vqa_accuracy, each.tuned.vqa_accuracy), _percent),
    _Figure("token F1", lambda each: (each.base.token_f1, each.tuned.token_f1), _decimals(3)),
    _Figure("ROUGE-L", lambda each: (each.base.rouge_l, each.tuned.rouge_l), _decimals(3)),
    _Figure("BLEU", lambda each: (each.base.bleu, each.tuned.bleu), _decimals(1)),
)
_NARROW = ("token F1", "exact match")
"""What a group shows where there is no room for all."""


def evaluation_text(sight: EvaluationSight, *, why_not: str | None, now: float, width: int) -> Content:
    """Return how the newest evaluation stands and what the last one found, in `width` cells.

    `why_not` says why none can be begun now.
    """
    parts = []
    if sight.said:
        parts.append(_at_work(sight.said, width))
    if sight.problem:
        parts.append(Content.styled(f"✖ {clean(sight.problem, limit=2_000)}", BAD))
    if sight.found is not None:
        parts += _found(sight.found, now, width)
    elif not sight.said:
        parts.append(_empty(why_not))
    return Content("\n\n").join(parts)


def progress_of(said: Sequence[str]) -> tuple[int, int] | None:
    """Return how many answers of both models there are, of how many; None before the first."""
    for line in reversed(said):
        if found := _ROW_OF.fullmatch(line.strip()):
            number, rows = (int(each.replace(",", "")) for each in found.group(2, 3))
            return number + (rows if found[1] == "tuned" else 0), 2 * rows
    return None


def _at_work(said: Sequence[str], width: int) -> Content:
    parts = [Content.styled("● evaluating", BUSY)]
    if (progress := progress_of(said)) is not None:
        answers = f"{count(progress[0])} of {count(progress[1])} answers  {share(*progress)}"
        parts.append(Content.assemble(gauge(*progress, min(max(width - len(answers) - 17, 4), 30)), f"  {answers}"))
    lines = [Content("  ").join(parts), *(text(line, QUIET) for line in said[-3:])]
    lines.append(Content.styled("It goes on when you leave the app. X ends it.", QUIET))
    return Content("\n").join(lines)


def _empty(why_not: str | None) -> Content:
    parts: list[Content | tuple[str, str]] = [
        Content.styled("Not evaluated yet", "bold"),
        ("\n\nThe model before and after the training answers the held-out rows, and both are compared. ", ""),
    ]
    if why_not is None:
        parts += [("t", "bold"), (" begins.", "")]
    else:
        parts.append((clean(why_not, limit=_LONG), WARN))
    return Content.assemble(*parts)


def _found(found: Evaluation, now: float, width: int) -> list[Content]:
    rows = found.all.base.rows
    left = f", {count(found.left_out)} left out" if found.left_out else ""
    about = Content.assemble(
        f"{count(rows)} of {count(found.held_out)} held-out rows",
        (left, WARN),
        (f"  {clean(found.weights, one_line=True, limit=60)}, {moment(found.at, now)}", QUIET),
    )
    parts = [Content.assemble(about, "\n", _comparison(found.all))]
    for title, groups in (("Question type", found.by_kind), ("Category", found.by_category)):
        if groups:
            parts.append(_groups(title, groups, width))
    if found.worst:
        parts.append(_worst(found.worst, width))
    parts.append(
        facts(
            (
                ("Model", text(found.model)),
                ("Device", text(f"{found.device}, {found.precision}")),
                ("Short", Content(f"exact match and VQA accuracy are of {plural(found.all.base.short_rows, 'row')}")),
                ("Answers", Content(f"cut after {plural(found.most_tokens, 'token')}")),
                ("BLEU", text(found.bleu_signature)),
            ),
            width,
        )
    )
    return parts


def _comparison(both: BeforeAndAfter) -> Content:
    """Six lines: what it is, of the base, of the tuned, and whether that is better."""
    lines = [[Content(""), Content.styled("base", QUIET), Content.styled("tuned", QUIET), Content("")]]
    for figure in _FIGURES:
        base, tuned = figure.of(both)
        shown = (Content(UNKNOWN if each is None else figure.shown(each)) for each in (base, tuned))
        lines.append([Content.styled(figure.title, QUIET), *shown, _better(figure, base, tuned, words=True)])
    return _table(lines, right=(1, 2))


def _groups(title: str, groups: Sequence[BeforeAndAfter], width: int) -> Content:
    shown = _FIGURES if width >= _WIDE_FROM else tuple(each for each in _FIGURES if each.title in _NARROW)
    head = [Content.styled(title, "bold $text-primary"), Content.styled("rows", QUIET)]
    lines = [[*head, *(Content.styled(each.title, QUIET) for each in shown)]]
    for each in groups[:_GROUPS_SHOWN]:
        cells = [text(clean(each.name, one_line=True, limit=_NAME) or UNKNOWN), Content(count(each.base.rows))]
        for figure in shown:
            base, tuned = figure.of(each)
            words = " → ".join(UNKNOWN if value is None else figure.shown(value) for value in (base, tuned))
            words = UNKNOWN if base is None and tuned is None else words
            cells.append(Content.assemble(words, " ", _better(figure, base, tuned, words=False)))
        lines.append(cells)
    more = len(groups) - _GROUPS_SHOWN
    last = [Content.styled(f"and {count(more)} more; `train evaluate --last --json` shows all", QUIET)] * (more > 0)
    return Content("\n").join([_table(lines, right=(1,)), *last])


def _better(figure: _Figure, base: float | None, tuned: float | None, *, words: bool) -> Content:
    if base is None or tuned is None:
        return Content("")
    if figure.shown(base) == figure.shown(tuned):
        return Content.styled("= same" if words else "=", QUIET)
    if (tuned < base) is figure.lower_is_better:
        return Content.styled("✔ better" if words else "✔", GOOD)
    return Content.styled("✖ worse" if words else "✖", WARN)


def _worst(rows: Sequence[JudgedRow], width: int) -> Content:
    parts = [Content.assemble(heading("Answered worst by the tuned model"), ("   o shows them with pictures", QUIET))]
    for row in rows[:_WORST_SHOWN]:
        said = (("Question", row.question), ("Reference", row.reference), ("Base", row.base.answer))
        pairs = [(name, text(words)) for name, words in (*said, ("Tuned", row.tuned.answer or "(nothing)"))]
        about = f"row {count(row.row)}  token F1 {row.base.token_f1:.2f} → {row.tuned.token_f1:.2f}"
        name = clean(row.key, one_line=True, limit=60)
        parts.append(Content.assemble((f"{name}  {about}", QUIET), "\n", facts(pairs, width)))
    return Content("\n\n").join(parts)


def _table(lines: Sequence[Sequence[Content]], *, right: Sequence[int]) -> Content:
    """Return cells in columns as wide as their widest; those of `right` end at the same cell."""
    widths = [max(cells[index].cell_length for cells in lines) for index in range(len(lines[0]))]
    drawn = []
    for cells in lines:
        padded = []
        for index, cell in enumerate(cells):
            blank = Content(" " * (widths[index] - cell.cell_length))
            padded.append(blank + cell if index in right else cell + blank)
        drawn.append(Content("  ").join(padded).rstrip())
    return Content("\n").join(drawn)
