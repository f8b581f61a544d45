"""What the items screen and the full-screen inspector share: reading one item, its picture, opening and yanking it."""

import asyncio

from textual import work
from textual.binding import Binding

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.present.inspect import yank_text
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.inspector import Inspector

OPEN = Binding("o", "open_picture", "open", id="item.open", tooltip="Open the picture in the desktop's own viewer")
YANK = Binding("y", "yank", "yank", id="item.yank", tooltip="Copy the pairs, else the reply, else the path (OSC 52)")
RETRY = Binding("r", "retry", "retry", id="items.retry", tooltip="Ask failed items again: the marked, or this one")


_PICTURE_REST_S = 0.15
"""Seconds that an item has been on screen before its picture is read: drawing one costs more than all the text."""


class InspectingScreen(RunScreen):
    """A screen with an inspector."""

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    @work(group="inspect", exclusive=True, exit_on_error=False)
    async def inspect_task(self, task_id: int, *, settle_s: float = 0.0) -> None:
        """Read one item and show it, then its picture; a newer call within `settle_s` seconds takes its place."""
        await asyncio.sleep(settle_s)
        detail = await self.services.task_detail(self.run_id, task_id)
        asked = self.seen is not None and any(slot.task_id == task_id for slot in self.seen.view.in_flight)
        if self.inspector.show(detail, asked=asked):
            self.read_picture(detail.picture)
        self.refresh_bindings()

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def read_picture(self, path: str) -> None:
        """Decode and show a picture; its own group, so that reading the item again while a run works cannot stop it."""
        await asyncio.sleep(_PICTURE_REST_S)
        try:
            image = await self.services.thumbnail(path)
        except VqaError as error:
            self.inspector.show_remark(path, text(error.message, "$text-warning"))
            return
        self.inspector.show_picture(path, image)

    def leave_item(self) -> None:
        """Stop reading the picture of the item that is shown: the cursor has left it."""
        self.workers.cancel_group(self, "picture")
        self.inspector.give_up_picture()

    def why_not(self, action: str) -> str | None:
        if action in ("open_picture", "yank") and self.inspector.detail is None:
            return "No item is shown."
        return super().why_not(action)

    @work(group="open", exit_on_error=False)
    async def action_open_picture(self) -> None:
        if (detail := self.inspector.detail) is not None:
            await self.services.open_externally(detail.picture)
            tell(self, f"Opened {detail.picture}")

    def action_yank(self) -> None:
        if (detail := self.inspector.detail) is not None:
            copied = yank_text(detail)
            self.app.copy_to_clipboard(copied)
            tell(self, f"Copied {len(copied)} characters.")
