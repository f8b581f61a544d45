"""A scrolling list of rows with a fixed header and a cursor, drawn strip by strip; only visible rows cost anything."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from vqa_tui.tui.present.columns import GAP, Column, Placed
from vqa_tui.tui.scrolled_lines import ScrolledLines

_CURSOR, _MARK = "▌", "✓"


class RowList(ScrollView, can_focus=True):
    """Base of LiveTable and TaskList. Subclasses say how many rows there are and what stands in each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--header", "row-list--cursor", "row-list--marked"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", tooltip="One row down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", tooltip="One row up", show=False),
        Binding("g,home", "move_to_start", "First", id="list.first", tooltip="To the first row", show=False),
        Binding("G,end", "move_to_end", "Last", id="list.last", tooltip="To the last row", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="list.page-down", tooltip="One page down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="list.page-up", tooltip="One page up", show=False),
    ]

    margin_cells: ClassVar[int] = 2
    """Cells at the left for the cursor and the mark, so that neither is told by colour alone."""

    cursor: reactive[int] = reactive(0, repaint=False)
    """Index of the row under the cursor."""

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, empty: Content | None = None) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self._empty = empty or Content.styled("none", "$foreground 60%")
        self._placed: tuple[Placed, ...] = ()
        self._placed_width = 0
        self._strips: dict[int, Strip] = {}
        self._styles_cache = self._drawn_lines = ScrolledLines()
        self._laid_out: tuple[Size, Size, Size] | None = None
        """Own size, size of all rows and size of the container when the scroll bar was last made for them."""

    def set_empty(self, words: Content) -> None:
        """Say other words where there is no row."""
        if not words.is_same(self._empty):
            self._empty = words
            self.refresh()

    def row_count(self) -> int:
        """Return how many rows there are."""
        raise NotImplementedError

    def row_cells(self, index: int) -> tuple[Content, ...]:
        """Return the cells of one row."""
        raise NotImplementedError

    def row_marked(self, index: int) -> bool:
        """Return whether a row is marked."""
        return False

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        """Return the columns that fit into `width` cells."""
        raise NotImplementedError

    @property
    def rows_visible(self) -> int:
        """Rows that fit below the header."""
        return max(self.scrollable_content_region.height - 1, 0)

    @property
    def first_visible(self) -> int:
        return int(self.scroll_offset.y)

    def rebuild(self) -> None:
        """Lay out anew: other rows, other columns or another size."""
        self._strips.clear()
        width = self.scrollable_content_region.width
        self._place(width)
        self._set_rows_size(Size(width, self.row_count() + 1))
        self.cursor = self.validate_cursor(self.cursor)
        self.refresh()

    def _set_rows_size(self, rows: Size) -> None:
        """Take in what all rows need; the screen is laid out again only where the list is as high as its rows."""
        if self.styles.auto_dimensions or self._laid_out is None:
            self.virtual_size = rows
        elif rows != self.virtual_size:
            self.set_reactive(RowList.virtual_size, rows)
            size, _, container_size = self._laid_out
            self._laid_out = (size, rows, container_size)
            self._scroll_update(rows)

    def _place(self, width: int) -> None:
        self._strips.clear()
        self._placed_width = width
        self._placed = self.place_columns(max(width - self.margin_cells, 1))

    def redraw_rows(self, indices: Sequence[int]) -> None:
        """Draw some rows again, and nothing else."""
        width, height = self.size
        for index in indices:
            self._strips.pop(index, None)
            y = index - self.first_visible + 1
            if 1 <= y < height:
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the widget; line 0 is the header and does not scroll."""
        width = self.scrollable_content_region.width
        if width != self._placed_width:  # a scroll bar came or went
            self._place(width)
        if y == 0:
            return self._header(width)
        index = self.first_visible + y - 1
        if index >= self.row_count():
            base = self.visual_style
            if index == 0:
                return self._strip([(self._empty, width - self.margin_cells, False, False)], base, width, "")
            return Strip.blank(width, base.rich_style)
        strip = self._strips.get(index)
        if strip is None:
            if len(self._strips) > 512:
                self._strips.clear()
            strip = self._strips[index] = self._row(index, width)
        return strip

    def _header(self, width: int) -> Strip:
        cells = [
            (Content(self.columns[p.index].title), p.width, self.columns[p.index].right, False) for p in self._placed
        ]
        return self._strip(cells, self.get_visual_style("row-list--header"), width, "")

    def _row(self, index: int, width: int) -> Strip:
        at_cursor = index == self.cursor and self.shows_cursor
        marked = self.row_marked(index)
        part = "row-list--cursor" if at_cursor else "row-list--marked" if marked else ""
        style = self.get_visual_style(part) if part else self.visual_style
        contents = self.row_cells(index)
        columns = self.columns
        cells = [(contents[p.index], p.width, columns[p.index].right, columns[p.index].keep_end) for p in self._placed]
        return self._strip(cells, style, width, (_CURSOR if at_cursor else " ") + (_MARK if marked else " "))

    def _strip(self, cells: Sequence[tuple[Content, int, bool, bool]], base: Style, width: int, gutter: str) -> Strip:
        segments = [Segment(gutter.ljust(self.margin_cells), base.rich_style)]
        used = self.margin_cells
        for position, (content, cell_width, right, keep_end) in enumerate(cells):
            if position:
                segments.append(Segment(" " * GAP, base.rich_style))
                used += GAP
            fitted = _cut_start(content, cell_width) if keep_end else content.truncate(cell_width, ellipsis=True)
            space = " " * max(cell_width - fitted.cell_length, 0)
            if right and space:
                segments.append(Segment(space, base.rich_style))
            for text, style in fitted.render(base, end="", parse_style=self._get_style):
                segments.append(Segment(text, (base + style).rich_style))
            if space and not right:
                segments.append(Segment(space, base.rich_style))
            used += cell_width
        return Strip(segments).adjust_cell_length(width, base.rich_style)

    @property
    def shows_cursor(self) -> bool:
        """The cursor is drawn while the list has the focus."""
        return self.has_focus

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return min(max(cursor, 0), max(self.row_count() - 1, 0))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two rows that changed and keep the cursor in sight."""
        self.redraw_rows([old, new])
        self._bring_into_sight()

    def _bring_into_sight(self) -> None:
        visible = self.rows_visible
        if visible <= 0:
            return
        first = self.first_visible
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= first + visible:
            self.scroll_to(y=self.cursor - visible + 1, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another part of the rows came into sight."""
        top = self.gutter.top + 1  # below the header
        moved = self._drawn_lines.moved(range(top, top + self.size.height - 1), round(new_value) - round(old_value))
        super().watch_scroll_y(old_value, new_value)
        self._drawn_lines.take(moved)

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Textual draws the scroll bar again at every layout of the screen: it takes what is in sight for all rows."""
        laid_out = (size, self.virtual_size, container_size)
        if laid_out == self._laid_out:
            return False
        self._laid_out = laid_out
        return super()._size_updated(size, virtual_size, container_size, layout)

    def on_resize(self) -> None:
        self.rebuild()
        self._bring_into_sight()

    def notify_style_update(self) -> None:
        """A theme or state changed: drawn strips are out of date."""
        super().notify_style_update()
        self._strips.clear()

    def on_focus(self) -> None:
        self.redraw_rows([self.cursor])

    def on_blur(self) -> None:
        self.redraw_rows([self.cursor])

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_page(self, by: int) -> None:
        self.cursor += by * max(self.rows_visible - 1, 1)

    def action_move_to_start(self) -> None:
        self.cursor = 0

    def action_move_to_end(self) -> None:
        self.cursor = self.row_count() - 1

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points; a second click picks the row."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < 1:
            return
        index = self.first_visible + offset.y - 1
        if index < self.row_count():
            self.cursor = index
            if event.chain == 2:
                self.pick()

    def pick(self) -> None:
        """Choose the row under the cursor."""


def _cut_start(content: Content, width: int) -> Content:
    """Return the end of `content` that fits into `width` cells, after an ellipsis."""
    if content.cell_length <= width:
        return content
    start = max(len(content) - width + 1, 0)
    while start < len(content) and content[start:].cell_length > width - 1:
        start += 1
    return Content("…") + content[start:]
