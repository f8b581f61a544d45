"""The active filter as chips, and what a filter that is being typed may go on with."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.filter_completion import Completion
from vqa_tui.domain.filter_grammar import Chip
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET

_LONGEST_CHIP = 48
_CROSS = " ×"


@dataclass(frozen=True, slots=True)
class Spot:
    """Cells of a line that stand for one thing: from `start` up to `end`."""

    start: int
    end: int
    index: int


@dataclass(frozen=True, slots=True)
class SpottedLine:
    """A line, and which of its cells stand for what."""

    content: Content
    spots: tuple[Spot, ...]

    def index_at(self, x: int) -> int | None:
        """Return what stands at cell `x`, if anything."""
        return next((spot.index for spot in self.spots if spot.start <= x < spot.end), None)


def chip_line(chips: Sequence[Chip], chosen: int | None, width: int) -> SpottedLine:
    """Return the chips side by side, each with a cross; `chosen` is the one that a key would remove.

    Where they do not fit, those around the chosen one, else the last ones, are shown.
    """
    parts = [_chip(chip, at_cursor=index == chosen) for index, chip in enumerate(chips)]
    return _fitted(parts, len(parts) - 1 if chosen is None else chosen, width, gap=1)


def _chip(chip: Chip, *, at_cursor: bool) -> Content:
    words = clean(chip.label, one_line=True, limit=_LONGEST_CHIP)
    if at_cursor:
        return Content.styled(f"[{words}{_CROSS}]", "bold reverse")
    return Content.assemble(("[", QUIET), (words, "bold"), (f"{_CROSS}]", QUIET))


def completion_line(offered: Sequence[Completion], chosen: int, width: int) -> SpottedLine:
    """Return what the filter may go on with; Tab takes the chosen one."""
    parts = [
        Content.styled(f" {clean(each.word, one_line=True, limit=32)} ", "bold reverse" if index == chosen else QUIET)
        for index, each in enumerate(offered)
    ]
    if not parts:
        return SpottedLine(Content(""), ())
    head = Content.styled("tab ", "$text-primary")
    line = _fitted(parts, chosen, width - head.cell_length, gap=0)
    moved = tuple(Spot(s.start + head.cell_length, s.end + head.cell_length, s.index) for s in line.spots)
    return SpottedLine(head + line.content, moved)


def _fitted(parts: Sequence[Content], shown: int, width: int, *, gap: int) -> SpottedLine:
    """Return as many parts as fit, `shown` among them; an ellipsis stands for those that are left out."""
    first = shown = max(min(shown, len(parts) - 1), 0)
    room = width - 4 * gap - 4
    used = parts[shown].cell_length if parts else 0
    while first > 0 and used + gap + parts[first - 1].cell_length <= room:
        first -= 1
        used += gap + parts[first].cell_length
    line, spots = Content.styled("… " if first else "", QUIET), []
    for index in range(first, len(parts)):
        space = " " * gap if index > first else ""
        if index > shown and line.cell_length + len(space) + parts[index].cell_length > width - 2:
            line += Content.styled(" …", QUIET)
            break
        start = line.cell_length + len(space)
        line = line + Content(space) + parts[index]
        spots.append(Spot(start, line.cell_length, index))
    return SpottedLine(line, tuple(spots))
