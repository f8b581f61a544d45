"""One item in full screen; j and k go through the list that it was opened from."""

from array import array
from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from vqa_tui.domain.run import RunView
from vqa_tui.tui.picture_mode import Pictures
from vqa_tui.tui.present.items_lines import item_header
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.editing import EDIT_KEYS, EditingScreen, why_not_edit
from vqa_tui.tui.screens.inspecting import OPEN, YANK, YANK_ALL, InspectingScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.trouble_line import TroubleLine


class ItemScreen(EditingScreen, InspectingScreen):
    """The inspector with the whole screen to itself."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["item.tcss"]
    AUTO_FOCUS = "#inspector"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "step(1)", "next", key_display="j k", id="item.next", tooltip="The next item of the list"),
        Binding("k", "step(-1)", "previous", id="item.previous", tooltip="The item before in the list", show=False),
        *EDIT_KEYS,
        OPEN,
        YANK,
        YANK_ALL,
        Binding("escape,enter", "back", "back", id="item.back", tooltip="Back to the list"),
    ]

    def __init__(
        self, services: Services, watch: Watch, ids: "array[int]", position: int, pictures: Pictures | None = None
    ) -> None:
        super().__init__(services, watch, pictures)
        self._run_id = watch.run_id
        self._ids, self._position = ids, position

    def compose(self) -> ComposeResult:
        yield Static("", id="item-header")
        yield TroubleLine(self.watch_over.trouble, self.watch_over.trouble_now)
        yield self.inspector
        yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    @property
    def about_run(self) -> int | None:
        """The run whose item was opened, whichever is followed."""
        return self._run_id

    def on_screen_resume(self) -> None:
        """Out of the way where another run is followed than when the item was opened."""
        super().on_screen_resume()
        if self.watch_over.run_id != self._run_id and self.is_active:
            self.dismiss()

    def _show(self) -> None:
        self._show_header()
        self.inspect_task(self._ids[self._position])

    def _show_header(self) -> None:
        name = self.seen.view.name if self.seen is not None else ""
        self.query_one("#item-header", Static).update(item_header(name, self._position, len(self._ids)), layout=False)

    def watch_seen(self, old: SeenRun | None, new: SeenRun | None) -> None:
        """Read the item again when the run moved; it may have been asked meanwhile."""
        if new is None or not self.is_mounted:
            return
        self._show_header()
        task_id = self._ids[self._position]
        if old is None or _facts(old.view, task_id) != _facts(new.view, task_id):
            self.inspect_task(task_id)

    def why_not(self, action: str) -> str | None:
        detail = self.inspector.detail
        return why_not_edit(action, detail.row if detail is not None else None) or super().why_not(action)

    def edited_ids(self) -> Sequence[int]:
        return [self._ids[self._position]]

    def reread_items(self) -> None:
        self.inspect_task(self._ids[self._position])

    def action_step(self, by: int) -> None:
        position = min(max(self._position + by, 0), len(self._ids) - 1)
        if position == self._position:
            tell(self, "That is the end of the list.")
            return
        self._position = position
        self._show()

    def action_back(self) -> None:
        self.dismiss()


def _facts(view: RunView, task_id: int) -> tuple[object, ...]:
    """What moves when the item may have been asked meanwhile."""
    return view.counts, view.cost.spent, any(slot.task_id == task_id for slot in view.in_flight)
