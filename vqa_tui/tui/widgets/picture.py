"""A picture in half blocks: two pixels to a cell, in every terminal that has colours, inside tmux too."""

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

_HALF = "▀"


class Picture(Widget):
    """Shows what it is given, scaled into its width and two fifths of the screen; or a remark."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._image: Image.Image | None = None
        self._remark = Content("")
        self._remark_height = 1
        self._drawn: tuple[tuple[int, int], list[Strip]] | None = None

    def show_picture(self, image: Image.Image) -> None:
        """Show an RGB picture."""
        self._image, self._drawn = image, None
        self.refresh(layout=True)

    def show_remark(self, remark: Content, *, keep_height: bool = False) -> None:
        """Show words in place of a picture; `keep_height` keeps what stands below in its place."""
        height = max(self.size.height, 1) if keep_height else 1
        if self._image is None and height == self._remark_height and remark.is_same(self._remark):
            return
        self._image, self._remark, self._remark_height, self._drawn = None, remark, height, None
        self.refresh(layout=height != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if self._image is None:
            return self._remark_height
        return _fitted(self._image.size, width, max(viewport.height * 2 // 5, 6))[1]

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        base = self.visual_style.rich_style
        if self._image is None:
            if y:
                return Strip.blank(width, base)
            remark = self._remark.truncate(width, ellipsis=True)
            parts = remark.render(self.visual_style, end="", parse_style=self._get_style)
            return Strip([Segment(t, (self.visual_style + s).rich_style) for t, s in parts]).adjust_cell_length(
                width, base
            )
        if self._drawn is None or self._drawn[0] != (width, height):
            self._drawn = ((width, height), half_block_strips(self._image, width, height))
        strips = self._drawn[1]
        return strips[y].adjust_cell_length(width, base) if y < len(strips) else Strip.blank(width, base)


def _fitted(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Return the cells that a picture of `size` pixels takes inside width × height cells; a cell is 1 × 2 pixels."""
    scale = min(width / size[0], height * 2 / size[1])
    return max(1, min(width, round(size[0] * scale))), max(1, min(height, round(size[1] * scale / 2)))


def half_block_strips(image: Image.Image, width: int, height: int) -> list[Strip]:
    """Return `image` (RGB) as strips of half blocks that fit into width × height cells, in its own proportions."""
    if width <= 0 or height <= 0:
        return []
    columns, lines = _fitted(image.size, width, height)
    pixels = image.resize((columns, lines * 2), Image.Resampling.BOX).tobytes()
    strips = []
    for line in range(lines):
        upper, lower = line * 2 * columns * 3, (line * 2 + 1) * columns * 3
        segments = []
        for column in range(columns):
            above, below = upper + column * 3, lower + column * 3
            style = Style.from_color(
                Color.from_rgb(*pixels[above : above + 3]), Color.from_rgb(*pixels[below : below + 3])
            )
            segments.append(Segment(_HALF, style))
        strips.append(Strip(segments, columns))
    return strips
