"""The rows behind a step, or those that were answered at a look: a list, and of one the picture and all the text."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.safe_text import clean
from vqa_tui.tui.lasting import lasting
from vqa_tui.tui.picture_mode import PictureMode, usual_pictures
from vqa_tui.tui.preferences import MAY_ONLY_LOOK
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.present.training_entries import ENTRY_COLUMNS, Entry, entry_rows, entry_text
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.screens.shown_file import show_file
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.picture import Picture

MakeRows = Callable[[Sequence[Entry], Iterable[int]], list[Row]]
"""(entries, ids of rejected ones) -> lines of the list."""


class TrainingRowsDialog(Dialog[None]):
    """Looks through entries; `x` rejects the pair that a row was made of, where the row names one."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "training_rows.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "reject", "reject", id="training-rows.reject", tooltip="Reject its pair for the next export"),
        Binding("o", "open", "open", id="training-rows.open", tooltip="Open the picture in the desktop's own viewer"),
        Binding("y", "yank", "yank", id="training-rows.yank", tooltip="Copy question and answer (OSC 52)"),
    ]

    def __init__(
        self,
        services: Services,
        title: str,
        entries: Sequence[Entry],
        *,
        chosen: int = 0,
        columns: Sequence[Column] = ENTRY_COLUMNS,
        make_rows: MakeRows = entry_rows,
    ) -> None:
        super().__init__()
        self._columns, self._make_rows = columns, make_rows
        self._services, self._title, self._entries, self._chosen = services, title, entries, chosen
        self._rejected: set[int] = set()
        self._rejecting: set[int] = set()
        """Rows whose rejection is on its way."""
        self._pictures = usual_pictures(services.preferences.settings.pictures)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="training-rows") as box:
            box.border_title = Content(clean(self._title, one_line=True, limit=80))
            box.border_subtitle = "x rejects · o opens · y copies · esc closes"
            yield LiveTable(self._columns, id="entries")
            with Horizontal(id="entry"):
                yield Picture(id="entry-picture")
                with VerticalScroll(id="entry-scroll"):
                    yield Static(Content(""), id="entry-text")

    def on_mount(self) -> None:
        table = self.query_one(LiveTable)
        table.set_rows(self._make_rows(self._entries, ()))
        table.styles.height = len(self._entries) + 1
        table.cursor = self._chosen
        table.focus()
        self.query_one(Picture).set_mode(self._pictures.mode)
        self._show()

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        index = self.query_one(LiveTable).cursor_id
        return self._entries[index] if isinstance(index, int) and index < len(self._entries) else None

    @on(LiveTable.CursorMoved)
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self._show()

    def _show(self) -> None:
        entry = self.entry
        if entry is None:
            return
        self.query_one("#entry-text", Static).update(entry_text(entry, rejected=entry.number in self._rejected))
        self.query_one("#entry-scroll").scroll_home(animate=False)
        self.refresh_bindings()
        self._read_picture(entry.picture)

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def _read_picture(self, path: str) -> None:
        picture = self.query_one(Picture)
        picture.display = bool(path) and self._pictures.mode is not PictureMode.NONE
        if picture.display:
            await show_file(picture, self._services, path)

    def reason(self, action: str) -> str | None:
        """Return why the key of `action` is grey, or None when it is not."""
        if action == "open":
            return None if self.entry is not None and self.entry.picture else "This row has no picture."
        if action != "reject":
            return None
        if self._services.read_only:
            return MAY_ONLY_LOOK
        entry = self.entry
        if entry is None or entry.row is None:
            return "These rows are only looked at; rows that a step learned from can be rejected."
        if not entry.row.pairs:
            return "This row does not name the pair of a run that it was made of, so there is none to reject."
        if entry.number in self._rejecting:
            return "Its pair is just being rejected."
        return "Its pair is rejected already." if entry.number in self._rejected else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if self.reason(action) else True

    def action_reject(self) -> None:
        entry = self.entry
        if entry is not None and entry.row is not None and self.reason("reject") is None:
            self._rejecting.add(entry.number)
            self.refresh_bindings()
            self._reject(entry.number, entry.row)

    @lasting(group="reject")
    async def _reject(self, number: int, row: TrainingRow) -> None:
        """Reject the pairs of one row, though the cursor goes to another one or the dialog is left."""
        try:
            pairs = await self._services.trainings.pairs_of_row(row)
            if not pairs:
                gone = "The pair of this row is not there any more: it was deleted or asked again."
                tell(self, gone, severity="warning")
                return
            rejected = await self._services.trainings.reject(pairs)
            self._rejected.add(number)
        finally:
            self._rejecting.discard(number)
            if not self.is_left:
                self.refresh_bindings()
        if not self.is_left:
            self.query_one(LiveTable).set_rows(self._make_rows(self._entries, self._rejected))
            if self.entry is not None and self.entry.number == number:
                self._show()
        tell(self, f"{plural(rejected, 'pair')} rejected: the next export goes without. u in the review takes it back.")

    @work(group="open", exit_on_error=False)
    async def action_open(self) -> None:
        if (entry := self.entry) is not None and entry.picture:
            await self._services.open_externally(entry.picture)
            tell(self, f"Opened {entry.picture}")

    def action_yank(self) -> None:
        if (entry := self.entry) is not None:
            words = "\n\n".join(f"{name}: {part}" for name, part in entry.parts)
            self.app.copy_to_clipboard(clean(words))
            tell(self, "Copied question and answer.")
