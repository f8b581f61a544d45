"""A picture: half blocks drawn here, or the terminal's own picture beneath; or words in its place."""

import asyncio
from collections.abc import Sequence
from typing import Any

from PIL import Image
from rich.segment import Segment
from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from vqa_tui.tui.picture_mode import PictureMode, widget_class
from vqa_tui.tui.picture_view import Mark, View, draw_boxes, seen_part
from vqa_tui.tui.widgets.half_blocks import fitted, half_block_strips

_SMALL_SHARE = 2 / 5
"""Of the screen's rows, beside all the text."""
_LEAST_ROWS = 6
_ROWS_LEFT = 5
"""Rows for header, headline and keys beside an enlarged picture."""
NATIVE_SIDE = 1_000
"""Pixels of the longer side of what the terminal itself draws."""


class Picture(Widget):
    """Shows what it is given, scaled into its width and two fifths of the screen, or nearly all of it when enlarged."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._image: Image.Image | None = None
        self._remark = Content("")
        self._remark_height = 1
        self._drawn: tuple[tuple[int, int], list[Strip]] | None = None
        self._marks: tuple[Mark, ...] = ()
        self._mode = PictureMode.HALFBLOCK
        self._native: Any = None
        self.view = View()
        self.enlarged = False

    @property
    def image(self) -> Image.Image | None:
        """The picture that is shown, if one is."""
        return self._image

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The boxes that are drawn over the picture."""
        return self._marks

    @property
    def native(self) -> bool:
        """Whether the terminal itself draws the picture, which `draw_native` then makes ready."""
        return self._native is not None

    def compose(self) -> ComposeResult:
        """Half blocks need no child; `set_mode` mounts one."""
        return iter(())

    def show_picture(self, image: Image.Image) -> None:
        """Show an RGB picture."""
        self._image, self._drawn = image, None
        self.refresh(layout=True)

    def show_marks(self, marks: Sequence[Mark]) -> None:
        """Draw these boxes over the picture."""
        if tuple(marks) != self._marks:
            self._marks, self._drawn = tuple(marks), None
            self.refresh()

    def show_view(self, view: View, *, enlarged: bool) -> None:
        """Show another part of the picture, larger or smaller."""
        if (view, enlarged) == (self.view, self.enlarged):
            return
        other_size, self.enlarged, self.view, self._drawn = enlarged is not self.enlarged, enlarged, view, None
        self.refresh(layout=other_size)

    def set_mode(self, mode: PictureMode) -> None:
        """Draw by other means from now on."""
        if mode is self._mode:
            return
        self._mode, self._drawn = mode, None
        if self._native is not None:
            self._native.remove()
            self._native = None
        maker = widget_class(mode)
        if maker is not None:
            self._native = maker()
            self.mount(self._native)
        self.refresh(layout=True)

    @work(group="native", exclusive=True, exit_on_error=False)
    async def draw_native(self) -> None:
        """Make ready in a thread what the terminal itself draws, where it does; to be called once the size is known."""
        image = self._image
        if self._native is None or image is None:
            return
        drawn = await asyncio.to_thread(_as_seen, image, self.view, self._marks)
        if self._image is image and self._native is not None:
            self._native.styles.width, self._native.styles.height = fitted(image.size, *self.size)
            self._native.image = drawn

    def show_remark(self, remark: Content, *, keep_height: bool = False) -> None:
        """Show words in place of a picture; `keep_height` keeps what stands below in its place."""
        height = max(self.size.height, 1) if keep_height else 1
        if self._image is None and height == self._remark_height and remark.is_same(self._remark):
            return
        self._image, self._remark, self._remark_height, self._drawn = None, remark, height, None
        if self._native is not None:
            self._native.image = None
        self.refresh(layout=height != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if self._image is None:
            return self._remark_height
        rows = viewport.height - _ROWS_LEFT if self.enlarged else int(viewport.height * _SMALL_SHARE)
        return fitted(self._image.size, width, max(rows, _LEAST_ROWS))[1]

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
        if self._native is not None:
            return Strip.blank(width, base)
        if self._drawn is None or self._drawn[0] != (width, height):
            self._drawn = ((width, height), half_block_strips(self._image, width, height, self.view, self._marks))
        strips = self._drawn[1]
        return strips[y].adjust_cell_length(width, base) if y < len(strips) else Strip.blank(width, base)


def _as_seen(image: Image.Image, view: View, marks: tuple[Mark, ...]) -> Image.Image:
    """Return the part of a picture that is in sight, with its boxes and their labels."""
    scale = NATIVE_SIDE / max(image.size)
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    part = seen_part(image, view, size)
    draw_boxes(part, marks, view, line=3, labels=True)
    return part
