"""What the items screen and the full-screen inspector share: reading one item, its picture, opening and yanking it."""

import asyncio
import os
from typing import ClassVar

from textual import on, work
from textual.binding import Binding

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.picture_mode import PictureMode, Pictures, choose_mode, next_mode, usual_pictures
from vqa_tui.tui.present.attempts import attempt_text, attempt_title
from vqa_tui.tui.present.inspect import yank_json, yank_text
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.services import Services
from vqa_tui.tui.thumbnails import DETAIL_SIDE
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.attempt_list import AttemptList
from vqa_tui.tui.widgets.inspector import Inspector

OPEN = Binding("o", "open_picture", "open", id="item.open", tooltip="Open the picture in the desktop's own viewer")
YANK = Binding("y", "yank", "yank", id="item.yank", tooltip="Copy the pairs, else the reply, else the path (OSC 52)")
YANK_ALL = Binding("Y", "yank_all", "Yank all", id="item.yank-all", tooltip="Copy the whole item as JSON", show=False)

_PICTURE_REST_S = 0.15
"""Seconds that an item has been on screen before its picture is read: drawing one costs more than all the text."""


class InspectingScreen(RunScreen):
    """A screen with an inspector."""

    KEYS_LAST: ClassVar[tuple[str, ...]] = ("back", "undo", "zoom(1)", "boxes", "mode")

    def __init__(self, services: Services, watch: Watch, pictures: Pictures | None = None) -> None:
        super().__init__(services, watch)
        self.inspector = Inspector(id="inspector")
        self.pictures = pictures or usual_pictures(services.preferences.settings.pictures)
        self._detailed: str | None = None
        """The path of the picture that was read with all its detail, for zooming."""

    def on_screen_resume(self) -> None:
        """A screen beside this one may have changed how pictures are shown."""
        super().on_screen_resume()
        self.inspector.set_pictures(self.pictures.mode, boxes=self.pictures.boxes)

    @work(group="inspect", exclusive=True, exit_on_error=False)
    async def inspect_task(self, task_id: int, *, settle_s: float = 0.0) -> None:
        """Read one item and show it, then its picture; a newer call within `settle_s` seconds takes its place."""
        await asyncio.sleep(settle_s)
        run_id = self.run_id
        detail = await self.services.task_detail(run_id, task_id)
        if run_id != self.about_run:
            return
        asked = self.seen is not None and any(slot.task_id == task_id for slot in self.seen.view.in_flight)
        if self.inspector.show(detail, asked=asked):
            self._read_shown()
        self.refresh_bindings()

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def read_picture(self, path: str) -> None:
        """Decode and show a picture; its own group, so that reading the item again while a run works cannot stop it."""
        if self.pictures.mode is PictureMode.NONE:
            self.inspector.give_up_picture()
            return
        await asyncio.sleep(_PICTURE_REST_S)
        try:
            image = await self.services.thumbnail(path)
        except VqaError as error:
            self.inspector.show_remark(path, text(error.message, "$text-warning"))
            return
        self._detailed = None
        if self.inspector.show_picture(path, image):
            self.call_after_refresh(self.inspector.picture.draw_native)

    @on(Inspector.PictureWanted)
    def _picture_wanted(self, event: Inspector.PictureWanted) -> None:
        event.stop()
        self.read_picture(event.path)

    def _read_shown(self) -> None:
        if (path := self.inspector.shown_picture) is not None:
            self.read_picture(path)

    @on(Inspector.ViewChanged)
    def _view_changed(self, event: Inspector.ViewChanged) -> None:
        event.stop()
        self.call_after_refresh(self.inspector.picture.draw_native)
        if event.detailed and self._detailed != event.path:
            self.read_detail(event.path)

    @work(group="detail", exclusive=True, exit_on_error=False)
    async def read_detail(self, path: str) -> None:
        """Read a picture again with enough pixels to be looked at from near."""
        self._detailed = path
        image = await self.services.thumbnail(path, DETAIL_SIDE)
        if self._detailed == path and self.inspector.show_picture(path, image):
            self.call_after_refresh(self.inspector.picture.draw_native)

    @on(Inspector.BoxesWanted)
    def _boxes_wanted(self, event: Inspector.BoxesWanted) -> None:
        event.stop()
        self.pictures.boxes = not self.pictures.boxes
        if not self.inspector.marks:
            tell(self, "The ground truth of this picture has no boxes.")
        self._show_pictures()

    @on(Inspector.ModeWanted)
    def _mode_wanted(self, event: Inspector.ModeWanted) -> None:
        event.stop()
        self.pictures.mode = next_mode(self.pictures.mode, choose_mode("auto", os.environ))
        words = {PictureMode.HALFBLOCK: "half blocks", PictureMode.NONE: "none"}
        tell(self, f"Pictures: {words.get(self.pictures.mode, self.pictures.mode.value)}")
        self._show_pictures()
        if self.inspector.detail is not None and self.inspector.picture.image is None:
            self.inspector.give_up_picture()
            self.inspect_task(self.inspector.detail.row.id)

    def _show_pictures(self) -> None:
        self.inspector.set_pictures(self.pictures.mode, boxes=self.pictures.boxes)
        self.call_after_refresh(self.inspector.picture.draw_native)

    @on(AttemptList.Picked)
    def _attempt_picked(self, event: AttemptList.Picked) -> None:
        event.stop()
        self.app.push_screen(FullText(attempt_title(event.attempt), attempt_text(event.attempt)))

    def leave_item(self) -> None:
        """Stop reading the picture of the item that is shown: the cursor has left it."""
        self.workers.cancel_group(self, "picture")
        self.inspector.give_up_picture()

    def clear_item(self) -> None:
        """Show no item, nor one that is still being read."""
        self.workers.cancel_group(self, "inspect")
        self.leave_item()
        self.inspector.clear()

    def why_not(self, action: str) -> str | None:
        if action in ("open_picture", "yank", "yank_all") and self.inspector.detail is None:
            return "No item is shown."
        return super().why_not(action)

    @work(group="open", exit_on_error=False)
    async def action_open_picture(self) -> None:
        if (path := self.inspector.shown_picture) is not None:
            await self.services.open_externally(path)
            tell(self, f"Opened {path}")

    def action_yank(self) -> None:
        if (detail := self.inspector.detail) is not None:
            self._copy(yank_text(detail))

    def action_yank_all(self) -> None:
        if (detail := self.inspector.detail) is not None:
            self._copy(yank_json(detail))

    def _copy(self, copied: str) -> None:
        self.app.copy_to_clipboard(copied)
        tell(self, f"Copied {len(copied)} characters.")
