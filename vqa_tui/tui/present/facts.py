"""Names and values in two columns, as the panels beside a list show them."""

from collections.abc import Iterable

from textual.content import Content

from vqa_tui.tui.present.phases import QUIET

_LABEL = 11
_LEAST = 10
"""Cells below which a value is not broken here: it would be one word a line."""


def facts(pairs: Iterable[tuple[str, Content]], width: int = 0) -> Content:
    """Return a line for each name that has a value. A value of several lines, or one that is longer than `width` cells
    leave room for, is indented under itself; without a width only the former."""
    room = width - _LABEL - 1
    lines = []
    for name, value in pairs:
        if not value.plain:
            continue
        parts = [part for line in value.split("\n") for part in (line.wrap(room) if room >= _LEAST else [line])]
        lines.append(Content.assemble((f"{name:<{_LABEL}} ", QUIET), Content("\n" + " " * (_LABEL + 1)).join(parts)))
    return Content("\n").join(lines)


def heading(words: str) -> Content:
    """Return the title of a part; `words` are our own."""
    return Content.styled(words, "bold $text-primary")
