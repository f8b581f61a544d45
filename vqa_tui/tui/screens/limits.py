"""The dialog of all limits: what holds now, and changing one in place, checked before it is left."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.limits import LimitInForce, limit_words
from vqa_tui.safe_text import clean
from vqa_tui.tui.lasting import lasting
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.limit_rows import LIMIT_COLUMNS, limit_about, limit_row
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.live_table import LiveTable

Read = Callable[[], Awaitable[Sequence[LimitInForce]]]
Change = Callable[[str, str], Awaitable[object]]
"""(name, value as typed); raises VqaError for what cannot be set."""


class LimitsDialog(Dialog[None]):
    """Lists the limits of a run; Enter edits the one under the cursor, Enter again sets it."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "limits.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="limits.leave", tooltip="Leave the value as it is, then the dialog"),
    ]

    def __init__(
        self, title: str, *, read: Read, change: Change, columns: Sequence[Column] = LIMIT_COLUMNS, head: str = ""
    ) -> None:
        """`head` is what stands above the table; it may be text that we did not write."""
        super().__init__()
        self._title, self._read, self._change = title, read, change
        self._columns, self._head = columns, head
        self._limits: dict[str, LimitInForce] = {}
        self._edited: str | None = None
        self._under_way = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(clean(self._title, one_line=True, limit=60))
            box.border_subtitle = "enter edits · esc leaves"
            if self._head:
                yield Static(Content(clean(self._head, limit=2_000)), id="head")
            empty = Content.styled("nothing that can be set", QUIET)
            yield LiveTable(self._columns, id="limits", picks=True, empty=empty)
            yield Static("", id="about")
            yield Input("", id="value", compact=True, select_on_focus=True)
            yield Static("", id="problem", classes="problem")

    def row(self, limit: LimitInForce) -> Row:
        """Return one limit under the columns."""
        return limit_row(limit)

    def about(self, limit: LimitInForce, *, editing: bool = False) -> Content:
        """Return what there is to say of the limit under the cursor."""
        return limit_about(limit, editing=editing)

    def on_mount(self) -> None:
        self.query_one(LiveTable).focus()
        self.query_one("#problem").display = False
        self._stop_editing()
        self._read_limits()

    @work(group="limits", exclusive=True, exit_on_error=False)
    async def _read_limits(self) -> None:
        self._limits = {limit.name: limit for limit in await self._read()}
        table = self.query_one(LiveTable)
        table.styles.height = len(self._limits) + 1
        table.set_rows([self.row(limit) for limit in self._limits.values()])
        self._tell_about(table.cursor_id)

    @on(LiveTable.CursorMoved)
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self._tell_about(event.row_id)

    def _tell_about(self, name: object) -> None:
        limit = self._limits.get(str(name))
        if limit is not None and self._edited is None:
            self.query_one("#about", Static).update(self.about(limit))

    @on(LiveTable.Picked)
    def _edit(self, event: LiveTable.Picked) -> None:
        """Put the value under the cursor into the field, and the cursor there."""
        event.stop()
        limit = self._limits.get(str(event.row_id))
        if limit is None or self._under_way:
            return
        self._edited = limit.name
        self.query_one("#about", Static).update(self.about(limit, editing=True))
        field = self.query_one("#value", Input)
        field.display = True
        field.value = limit_words(limit.value)
        field.focus()

    def _stop_editing(self) -> None:
        self._edited = None
        self.forgive()
        field = self.query_one("#value", Input)
        field.display = False
        self.query_one(LiveTable).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._edited is not None and not self._under_way:
            self._under_way = True
            self._set(self._edited, event.value.strip())

    @lasting(group="set")
    async def _set(self, name: str, text: str) -> None:
        """Set one limit; what is wrong with the value is said here, and the value stays to be mended.

        Where the dialog is left meanwhile, the app tells what became of it.
        """
        try:
            await self._change(name, text)
        except VqaError as error:
            if self.is_left:
                raise
            self.refuse(str(error))
        else:
            if self.is_left:
                tell(self, f"The new {name} is written.")
            else:
                self._stop_editing()
                self._read_limits()
        finally:
            self._under_way = False

    def action_leave(self) -> None:
        if self._edited is not None:
            self._stop_editing()
            self._tell_about(self.query_one(LiveTable).cursor_id)
        else:
            self.dismiss(None)
