"""Which part of a picture is looked at, and the boxes of its ground truth in it; pure but for Pillow's drawing."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from vqa_tui.domain.item import Box
from vqa_tui.safe_text import clean

MOST_ZOOM = 12.0
STEP = 1.5
"""How much nearer one press goes."""
PAN = 0.25
"""Share of what is in sight that one press moves."""

Colour = tuple[int, int, int]
_COLOURS: tuple[Colour, ...] = (
    (255, 92, 92), (86, 204, 255), (255, 209, 70), (134, 239, 122), (255, 140, 230), (255, 160, 64), (170, 150, 255),
    (96, 240, 210),
)  # fmt: skip
"""Of boxes: bright, and told apart on dark and on light pictures; the label tells what shares a colour apart."""


@dataclass(frozen=True, slots=True)
class View:
    """Zoom and centre of what is in sight; the centre as shares of width and height."""

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5

    @property
    def region(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what is in sight, as shares of the picture."""
        half = 0.5 / self.zoom
        return self.x - half, self.y - half, self.x + half, self.y + half

    def zoomed(self, by: float) -> "View":
        """Return a nearer or farther view."""
        return replace(self, zoom=min(max(self.zoom * by, 1.0), MOST_ZOOM))._inside()

    def panned(self, right: float, down: float) -> "View":
        """Return the view moved by shares of what is in sight."""
        return replace(self, x=self.x + right / self.zoom, y=self.y + down / self.zoom)._inside()

    def _inside(self) -> "View":
        half = 0.5 / self.zoom
        return replace(self, x=min(max(self.x, half), 1 - half), y=min(max(self.y, half), 1 - half))


@dataclass(frozen=True, slots=True)
class Mark:
    """One box of the ground truth: its label, made safe, and its edges as shares of the picture."""

    label: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def colour(self) -> Colour:
        """The colour of its label: the same in every picture."""
        return _COLOURS[zlib.crc32(self.label.encode("utf-8")) % len(_COLOURS)]


def marks_of(boxes: Sequence[Box], width: int, height: int) -> tuple[Mark, ...]:
    """Return the boxes of a picture of that many pixels; those without an area in it are left out."""
    if width <= 0 or height <= 0:
        return ()
    marks = []
    for box in boxes:
        left, right = sorted((_share(box.x, width), _share(box.x + box.width, width)))
        top, bottom = sorted((_share(box.y, height), _share(box.y + box.height, height)))
        if right > left and bottom > top:
            marks.append(Mark(clean(box.label, one_line=True, limit=24), left, top, right, bottom))
    return tuple(marks)


def _share(pixels: float, whole: int) -> float:
    return min(max(pixels / whole, 0.0), 1.0)


def seen_part(image: Image.Image, view: View, size: tuple[int, int]) -> Image.Image:
    """Return what is in sight of `image`, in `size` pixels."""
    left, top, right, bottom = view.region
    width, height = image.size
    box = (left * width, top * height, right * width, bottom * height)
    enlarged = size[0] > box[2] - box[0]
    how = Image.Resampling.BILINEAR if enlarged else Image.Resampling.BOX
    return image.resize(size, how, box=box)


def placed_in(mark: Mark, view: View, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the edges of a box in pixels of a view of `size`, which may lie outside it; None when it is not seen."""
    left, top, *_ = view.region
    width, height = size
    x0 = round((mark.left - left) * view.zoom * width)
    x1 = round((mark.right - left) * view.zoom * width) - 1
    y0 = round((mark.top - top) * view.zoom * height)
    y1 = round((mark.bottom - top) * view.zoom * height) - 1
    if x1 < 0 or y1 < 0 or x0 >= width or y0 >= height:
        return None
    return x0, y0, max(x1, x0), max(y1, y0)


def draw_boxes(image: Image.Image, marks: Sequence[Mark], view: View, *, line: int = 1, labels: bool = False) -> None:
    """Draw boxes into a view of a picture, with lines of `line` pixels, and with their labels as text if wanted."""
    draw = ImageDraw.Draw(image)
    for mark in marks:
        place = placed_in(mark, view, image.size)
        if place is None:
            continue
        draw.rectangle(place, outline=mark.colour, width=line)
        if labels:
            at = (max(place[0], 0) + line, max(place[1], 0) + line)
            words = mark.label.encode("latin-1", "replace").decode("latin-1")
            _left, _top, *end = draw.textbbox(at, words)
            draw.rectangle((*at, end[0] + 1, end[1] + 1), fill=mark.colour)
            draw.text(at, words, fill=(0, 0, 0))
