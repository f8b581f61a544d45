"""The pictures of a dataset, as imported: a list by page, and beside it the picture with its ground truth."""

import asyncio
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.domain.clip import address
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.operations.datasets import DatasetView
from vqa_tui.safe_text import clean
from vqa_tui.tui.picture_steps import NEXT_PICTURE, PREVIOUS_PICTURE, stepped
from vqa_tui.tui.picture_view import marks_of
from vqa_tui.tui.present.dataset_items import ITEM_COLUMNS, item_cells, item_text, items_header, place_words
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.paged_list import PagedList
from vqa_tui.tui.widgets.picture import Picture

_PICTURE_REST_S = 0.15
"""Seconds that the cursor rests on a picture before it is decoded."""


class DatasetItemsScreen(LiveScreen):
    """Every picture of one dataset, by its key."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dataset_items.tcss"]
    AUTO_FOCUS = "#pictures"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "find", id="pictures.search", tooltip="Show only keys that hold a text"),
        Binding("enter", "zoom", "zoom", id="pictures.zoom", tooltip="Give the picture the whole screen, and back"),
        Binding(
            "b", "boxes", "boxes", id="pictures.boxes", tooltip="Draw the boxes of the ground truth, or leave them"
        ),
        NEXT_PICTURE,
        PREVIOUS_PICTURE,
        Binding("o", "open_picture", "open", id="pictures.open", tooltip="Open the picture in the desktop's viewer"),
        Binding("y", "yank", "yank", id="pictures.yank", tooltip="Copy the path of the picture (OSC 52)"),
        Binding("escape", "back", "back", id="pictures.back", tooltip="Out of the zoom or the search, then back"),
        Binding("tab", "app.focus_next", "Next pane", id="pictures.pane", tooltip="To the detail and back", show=False),
    ]

    def __init__(self, services: Services, watch: Watch, dataset: DatasetView) -> None:
        super().__init__(services, watch)
        self._dataset = dataset
        self._search = ""
        self._shown: Item | None = None
        self._number = 0
        """Which of its pictures is shown."""
        self._boxes_drawn = True

    def compose(self) -> ComposeResult:
        yield Static(items_header(self._dataset.name), id="pictures-header")
        with Horizontal(id="pictures-body"):
            with Vertical(id="pictures-left"):
                yield PagedList[Item](ITEM_COLUMNS, item_cells, id="pictures", empty=Content("no picture"))
                yield Input(placeholder="text that the key holds", id="pictures-search", compact=True)
            with VerticalScroll(id="pictures-detail"):
                yield Picture(id="pictures-picture")
                yield Static("", id="pictures-text")
        yield Static("", id="pictures-place")
        yield KeyBar()

    def on_mount(self) -> None:
        self.pictures.border_title = "Pictures"
        self.query_one("#pictures-detail").border_title = "Picture"
        self.query_one("#pictures-search").display = False
        self.read_ids()

    @property
    def pictures(self) -> PagedList[Item]:
        return self.query_one(PagedList)

    @work(group="ids", exclusive=True, exit_on_error=False)
    async def read_ids(self) -> None:
        """Read which pictures there are."""
        self.pictures.set_ids(await self.services.library.item_ids(self._dataset.name, self._search))
        self._show_place()

    @on(PagedList.RowsWanted)
    def _rows_wanted(self, event: PagedList.RowsWanted) -> None:
        event.stop()
        self.read_rows(event.ids)

    @work(group="rows", exit_on_error=False)
    async def read_rows(self, ids: tuple[int, ...]) -> None:
        self.pictures.put(await self.services.library.items(self._dataset.name, ids))

    @on(PagedList.CursorMoved)
    def _cursor_moved(self, event: PagedList.CursorMoved) -> None:
        """Show the picture under the cursor, once it has been read."""
        event.stop()
        self._show_place()
        item = self.pictures.current_row
        if event.row_id is None:
            self._shown = None
            self.workers.cancel_group(self, "picture")
            self.query_one("#pictures-text", Static).update(Content(""))
            self.query_one(Picture).show_remark(Content(""))
        elif item is not None and (self._shown is None or item.id != self._shown.id):
            self._shown, self._number = item, 0
            self._show_item(item)
        self.refresh_bindings()

    def _show_item(self, item: Item) -> None:
        self._show_text()
        self._show_boxes()
        self.query_one("#pictures-detail").scroll_home(animate=False)
        self.query_one(Picture).show_remark(Content.styled("reading …", "$foreground 60%"), keep_height=True)
        self.read_picture(item)

    def _show_text(self) -> None:
        item = self._shown
        if item is not None:
            width = self.query_one("#pictures-text").content_region.width
            self.query_one("#pictures-text", Static).update(item_text(item, self._path(item), width, self._number))

    def _show_boxes(self) -> None:
        item = self._shown
        if item is None or not self._boxes_drawn or self._number:
            self.query_one(Picture).show_marks(())
        else:
            self.query_one(Picture).show_marks(marks_of(item.truth.boxes, item.facts.width, item.facts.height))

    def on_resize(self) -> None:
        """Lines are broken for the width."""
        self.call_after_refresh(self._show_text)

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def read_picture(self, item: Item) -> None:
        await asyncio.sleep(_PICTURE_REST_S)
        picture = self.query_one(Picture)
        try:
            picture.show_picture(await self.services.thumbnail(self._path(item)))
        except VqaError as error:
            picture.show_remark(text(error.message, "$text-warning"))

    def _path(self, item: Item) -> str:
        """Return where the picture of an item lies that is shown."""
        return address(str(Path(self._dataset.root) / item.pictures[self._number].path), item.truth.clip)

    def _show_place(self) -> None:
        pictures = self.pictures
        words = place_words(pictures.cursor, len(pictures.ids), search=self._search)
        self.query_one("#pictures-place", Static).update(words, layout=False)

    def why_not(self, action: str) -> str | None:
        if action in ("open_picture", "yank", "zoom") and self._shown is None:
            return "No picture is shown."
        return None

    def action_boxes(self) -> None:
        """Draw the boxes over the pictures, or leave them."""
        self._boxes_drawn = not self._boxes_drawn
        if self._shown is not None and not self._shown.truth.boxes:
            tell(self, "The ground truth of this picture has no boxes.")
        self._show_boxes()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to step through in an item of one picture."""
        if action == "other_picture":
            return self._shown is not None and bool(self._shown.truth.further)
        return super().check_action(action, parameters)

    def action_other_picture(self, by: int) -> None:
        if (item := self._shown) is not None:
            self._number = stepped(self._number, by, len(item.pictures))
            self._show_item(item)

    def action_search(self) -> None:
        line = self.query_one("#pictures-search", Input)
        line.display = True
        line.focus()

    @on(Input.Submitted, "#pictures-search")
    def _searched(self, event: Input.Submitted) -> None:
        self._search = event.value.strip()
        self._close_search()
        self.read_ids()

    def _close_search(self) -> None:
        line = self.query_one("#pictures-search", Input)
        line.value = self._search
        line.display = bool(self._search)
        self.pictures.focus()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        self.query_one("#pictures-detail" if self.has_class("-zoomed") else "#pictures").focus()
        self.call_after_refresh(self._show_text)

    def action_back(self) -> None:
        """Out of what was gone into last."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.query_one("#pictures-search").has_focus:
            self._close_search()
        elif self._search:
            self._search = ""
            self._close_search()
            self.read_ids()
        else:
            self.dismiss()

    @work(group="open", exit_on_error=False)
    async def action_open_picture(self) -> None:
        if self._shown is not None:
            await self.services.open_externally(self._path(self._shown))
            tell(self, f"Opened {self._path(self._shown)}")

    def action_yank(self) -> None:
        if self._shown is not None:
            self.app.copy_to_clipboard(clean(self._path(self._shown), one_line=True))
            tell(self, "Copied the path.")
