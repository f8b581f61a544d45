"""A picture as strips of half blocks, two pixels to a cell, with labels as text over it."""

from collections.abc import Sequence

from PIL import Image
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vqa_tui.tui.picture_view import Mark, View, draw_boxes, placed_in, seen_part

_HALF = "▀"
_INK = (0, 0, 0)


def fitted(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Return the cells that a picture of `size` pixels takes inside width × height cells; a cell is 1 × 2 pixels."""
    scale = min(width / size[0], height * 2 / size[1])
    return max(1, min(width, round(size[0] * scale))), max(1, min(height, round(size[1] * scale / 2)))


def half_block_strips(
    image: Image.Image, width: int, height: int, view: View | None = None, marks: Sequence[Mark] = ()
) -> list[Strip]:
    """Return what is in sight of `image` (RGB) as half blocks inside width × height cells, in its own proportions."""
    if width <= 0 or height <= 0:
        return []
    view = view or View()
    columns, lines = fitted(image.size, width, height)
    part = seen_part(image, view, (columns, lines * 2))
    draw_boxes(part, marks, view)
    pixels = part.tobytes()
    labels = _labels(marks, view, columns, lines)
    strips = []
    for line in range(lines):
        upper, lower = line * 2 * columns * 3, (line * 2 + 1) * columns * 3
        segments: list[Segment] = []
        covered = 0
        for column in range(columns):
            if (label := labels.get((column, line))) is not None:
                segments.append(label)
                covered = column + label.cell_length
            if column < covered:
                continue
            above, below = upper + column * 3, lower + column * 3
            style = Style.from_color(
                Color.from_rgb(*pixels[above : above + 3]), Color.from_rgb(*pixels[below : below + 3])
            )
            segments.append(Segment(_HALF, style))
        strips.append(Strip(segments, columns))
    return strips


def _labels(marks: Sequence[Mark], view: View, columns: int, lines: int) -> dict[tuple[int, int], Segment]:
    """Return the labels by the cell at which they begin: inside the upper left corner, or on the next free line."""
    found: dict[tuple[int, int], Segment] = {}
    taken: dict[int, list[range]] = {}
    for mark in marks:
        place = placed_in(mark, view, (columns, lines * 2))
        if place is None or not mark.label:
            continue
        x = min(max(place[0], 0), columns - 1)
        words = set_cell_size(mark.label, min(cell_len(mark.label), columns - x))
        span = range(x, x + cell_len(words))
        for y in range(max(place[1], 0) // 2, min(max(place[1], 0) // 2 + 4, lines)):
            if not any(span.start < other.stop and other.start < span.stop for other in taken.get(y, [])):
                taken.setdefault(y, []).append(span)
                style = Style.from_color(Color.from_rgb(*_INK), Color.from_rgb(*mark.colour)) + Style(bold=True)
                found[x, y] = Segment(words, style)
                break
    return found
