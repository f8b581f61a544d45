"""Rows of a training as they are read: a row that a step learned from, or one that was answered, beside its picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.training_events import Answered
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import count
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
_LIMIT = 10_000
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


def entry_rows(entries: Sequence[Entry], rejected: Iterable[int] = ()) -> list[Row]:
    """Return entries as lines of a list; those of `rejected` ids say so."""
    gone = frozenset(rejected)
    rows = []
    for index, each in enumerate(entries):
        mark = Content.styled("✔", GOOD) if each.right else Content("")
        mark = Content.styled("✖", WARN) if each.number in gone else mark
        question, answer = text(each.part("Question")), text(each.part("Answer"))
        rows.append(Row(index, (text(count(each.number)), mark, text(each.kind, QUIET), question, answer)))
    return rows


def entry_text(entry: Entry, *, rejected: bool) -> Content:
    """Return all of one entry."""
    parts = [Content.assemble((clean(entry.key, one_line=True, limit=400), QUIET))]
    if rejected:
        parts.append(Content.styled("✖ rejected: the next export leaves its pair out", WARN))
    for name, words in entry.parts:
        shown = clean(words, limit=_LIMIT) or "–"
        parts.append(Content.assemble((clean(name, one_line=True, limit=40), "bold $text-primary"), "\n", shown))
    return Content("\n\n").join(parts)
