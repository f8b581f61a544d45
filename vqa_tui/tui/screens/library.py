"""What the screens of datasets, recipes and endpoints share: a list, what is told of the row under the cursor, Esc."""

import asyncio
from typing import ClassVar

from textual.binding import Binding, BindingType

from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.live_table import LiveTable

WIDE = 120
"""Columns from which the detail stands beside the list, and not below it."""


class LibraryScreen(LiveScreen):
    """A list of what runs are made of, and the detail of one of them."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it
    AUTO_FOCUS = "LiveTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "back", "Back", id="library.leave", tooltip="To the list, then to where you came from", show=False
        ),
        Binding(
            "tab", "app.focus_next", "Next pane", id="library.next-pane", tooltip="To the detail and back", show=False
        ),
        Binding("f5", "reread", "Read again", id="library.reread", tooltip="Read the list again", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.reading = asyncio.Lock()
        """Held by one reading of the list after the other, so that what was read last is shown last."""

    def on_screen_resume(self) -> None:
        """What is shown may have changed while another screen lay over this one."""
        self.action_reread()

    @property
    def table(self) -> LiveTable:
        return self.query_one(LiveTable)

    def action_back(self) -> None:
        """Out of the detail, then out of the screen."""
        if self.query_one("#library-detail").has_focus:
            self.table.focus()
        else:
            self.dismiss()

    def action_reread(self) -> None:
        """Read the list again."""
        raise NotImplementedError

    def show_detail(self) -> None:
        """Tell more about the row under the cursor."""
        raise NotImplementedError

    @property
    def detail_width(self) -> int:
        """Cells of a line of the detail."""
        return self.query_one("#library-detail").scrollable_content_region.width

    def on_resize(self) -> None:
        """Lines are broken for the width."""
        self.call_after_refresh(self.show_detail)
