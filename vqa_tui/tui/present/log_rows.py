"""The log of a run as rows: engine events and what people did, with who and old → new."""

from collections.abc import Hashable, Sequence

from textual.content import Content

from vqa_tui.domain.course import LogEntry
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.log_words import entry_words
from vqa_tui.tui.present.numbers import clock
from vqa_tui.tui.present.past import moment_words
from vqa_tui.tui.present.phases import QUIET, level_label
from vqa_tui.tui.present.rows import Row, RowsWhenDrawn, text

LOG_COLUMNS = (
    Column("Time", 8, 15),
    Column("Level", 9, 9),
    Column("Who", 3, 16, optional=True, drop=3),
    Column("What", 10, 400, grow=True),
)
_MEASURED = 100
"""Rows that say how wide the columns are."""
LEVEL_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("everything", ()),
    ("warnings and errors", ("warning", "error")),
    ("errors", ("error",)),
    ("actions of people", ("action",)),
)
"""What the log can be narrowed to, in words and as levels."""


def entry_id(entry: LogEntry) -> Hashable:
    """Return what tells an entry from every other one: events and actions are numbered each on their own."""
    return (entry.level == "action", entry.id)


def entry_row(entry: LogEntry, now: float) -> Row:
    """Return one entry on one line."""
    label = level_label(entry.level)
    style = "" if entry.level in ("info", "action") else label.style
    return Row(
        entry_id(entry),
        (
            Content.styled(moment_words(entry.at, now), QUIET),
            label.content(),
            text(entry.who, QUIET),
            text(entry_words(entry), style),
        ),
    )


def log_rows(entries: Sequence[LogEntry], now: float) -> Sequence[Row]:
    """Return the rows of entries; the newest and that of the longest name say how wide the columns are."""
    longest = max(entries, key=lambda entry: len(entry.who), default=None)
    measured = [*entries[:_MEASURED], *([longest] if longest is not None else [])]
    ids = [entry_id(entry) for entry in entries]
    return RowsWhenDrawn(entries, lambda entry: entry_row(entry, now), ids=ids, measured=measured)


def past_event_row(entry: LogEntry) -> Row:
    """Return one entry as the small table of events shows it: its kind is a glyph, who did it stands before it."""
    label = level_label(entry.level)
    words = f"{entry.who}: {entry_words(entry)}" if entry.who else entry_words(entry)
    style = "" if entry.level in ("info", "action") else label.style
    return Row(
        entry_id(entry),
        (Content.styled(clock(entry.at), QUIET), Content.styled(label.glyph, label.style), text(words, style)),
    )
