"""Rows of a training as they are read: a row that a step learned from, or one that was answered, beside its picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.evaluation import JudgedRow
from vqa_tui.domain.training_events import Answered
from vqa_tui.domain.training_row import TrainingRow, Turn
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import UNKNOWN, count
from vqa_tui.tui.present.phases import GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import Row, text
from vqa_tui.tui.present.training_rows import same_words

ENTRY_COLUMNS = (
    Column("Row", 3, 9, right=True),
    Column("", 1, 1),
    Column("Type", 4, 16, drop=1, optional=True),
    Column("Question", 10, 200, grow=True),
    Column("Answer", 10, 60, soft=True),
)
JUDGED_COLUMNS = (
    Column("Row", 3, 9, right=True),
    Column("", 1, 1),
    Column("F1", 4, 4, right=True),
    Column("Type", 4, 16, drop=2, optional=True),
    Column("Question", 10, 60, soft=True),
    Column("Reference", 8, 60, grow=True),
    Column("Base", 8, 60, drop=1, grow=True),
    Column("Tuned", 8, 60, grow=True),
)
_LIMIT, _BRIEF = 10_000, 400
_NAMES = {"system": "System", "user": "Question", "assistant": "Answer"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to be read."""

    number: int
    """Its id."""
    kind: str
    key: str
    picture: str
    """Absolute path of the first picture; empty where there is none."""
    parts: tuple[tuple[str, str], ...]
    """(what it is, text), in order."""
    row: TrainingRow | None = None
    """None where only what the trainer told of it is known."""
    right: bool | None = None
    """Whether the model's answer is the reference; None where it gave none."""
    f1: float | None = None
    """Token F1 of the tuned model's answer, where a row was judged."""

    def part(self, name: str) -> str:
        """Return the first part of that name; empty where there is none."""
        return next((words for each, words in self.parts if each == name), "")


def entry_of_row(row: TrainingRow) -> Entry:
    """Return a row of the data."""
    parts = tuple((_NAMES.get(turn.role, turn.role), turn.text.strip()) for turn in row.turns)
    return Entry(row.id, row.kind, row.key, row.pictures[0] if row.pictures else "", parts, row)


def entries_of_answers(answers: Sequence[Answered]) -> list[Entry]:
    """Return rows as they were answered at a look."""
    return [
        Entry(
            each.row,
            f"step {count(each.step)}",
            each.key,
            each.picture,
            (("Question", each.question), ("Reference", each.reference), ("Answer", each.answer)),
            right=same_words(each.reference, each.answer),
        )
        for each in answers
    ]


def answer_text(answer: Answered) -> Content:
    """Return question, reference and answer of a held-out row, for the narrow place beneath its picture."""
    mark = (" ✔", GOOD) if same_words(answer.reference, answer.answer) else ("", "")
    said = ((answer.question, QUIET), (answer.reference, ""), (answer.answer, ""))
    question, reference, words = (Content.styled(clean(each, limit=_BRIEF) or UNKNOWN, style) for each, style in said)
    return Content.assemble(
        question,
        "\n",
        ("Reference ", "bold $text-primary"),
        reference,
        "\n",
        ("Answer ", "bold $text-primary"),
        words,
        mark,
    )


def entries_of_judged(rows: Sequence[JudgedRow]) -> list[Entry]:
    """Return rows as both models answered them, and as they were judged."""
    found = []
    for each in rows:
        base, tuned = each.base, each.tuned
        loss = " → ".join(UNKNOWN if value is None else f"{value:.4f}" for value in (base.loss, tuned.loss))
        figures = f"token F1 {base.token_f1:.2f} → {tuned.token_f1:.2f}\n"
        figures += f"ROUGE-L {base.rouge_l:.2f} → {tuned.rouge_l:.2f}\nloss {loss}"
        parts = [("Question", each.question), ("Reference", each.reference), ("Base", base.answer)]
        parts += [("Tuned", tuned.answer), ("Figures, base → tuned", figures)]
        if each.categories:
            parts.append(("Categories", ", ".join(each.categories)))
        turns = (Turn("user", (each.question,)), Turn("assistant", (each.reference,)))
        pictures = (each.picture,) if each.picture else ()
        row = TrainingRow(each.row, each.key, turns, pictures, each.kind, each.categories, each.pairs)
        entry = Entry(each.row, each.kind, each.key, each.picture, tuple(parts), row, tuned.exact, tuned.token_f1)
        found.append(entry)
    return found


def judged_rows(entries: Sequence[Entry], rejected: Iterable[int] = ()) -> list[Row]:
    """Return judged entries as lines of a list, what both models answered side by side."""
    gone = frozenset(rejected)
    rows = []
    for index, each in enumerate(entries):
        said = (text(each.part(name)) for name in ("Reference", "Base", "Tuned"))
        f1 = text("" if each.f1 is None else f"{each.f1:.2f}")
        rows.append(
            Row(
                index,
                (
                    text(count(each.number)),
                    _mark(each, gone),
                    f1,
                    text(each.kind, QUIET),
                    text(each.part("Question"), QUIET),
                    *said,
                ),
            )
        )
    return rows


def entry_rows(entries: Sequence[Entry], rejected: Iterable[int] = ()) -> list[Row]:
    """Return entries as lines of a list; those of `rejected` ids say so."""
    gone = frozenset(rejected)
    rows = []
    for index, each in enumerate(entries):
        question, answer = text(each.part("Question")), text(each.part("Answer"))
        rows.append(Row(index, (text(count(each.number)), _mark(each, gone), text(each.kind, QUIET), question, answer)))
    return rows


def _mark(entry: Entry, rejected: frozenset[int]) -> Content:
    if entry.number in rejected:
        return Content.styled("✖", WARN)
    return Content.styled("✔", GOOD) if entry.right else Content("")


def entry_text(entry: Entry, *, rejected: bool) -> Content:
    """Return all of one entry."""
    parts = [Content.assemble((clean(entry.key, one_line=True, limit=400), QUIET))]
    if rejected:
        parts.append(Content.styled("✖ rejected: the next export leaves its pair out", WARN))
    for name, words in entry.parts:
        shown = clean(words, limit=_LIMIT) or "–"
        parts.append(Content.assemble((clean(name, one_line=True, limit=40), "bold $text-primary"), "\n", shown))
    return Content("\n\n").join(parts)
