"""What the screens of recipes and endpoints share: files by name, copying a shipped one, editing one's own."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import ClassVar, Generic, Protocol, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean
from vqa_tui.tui.edit_file import edit_file
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.configs import configs_header
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.library import LibraryScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable

_SETTLE_S = 0.05


class Entry(Protocol):
    """One file that can be named."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def shipped(self) -> bool: ...
    @property
    def problem(self) -> str: ...


E = TypeVar("E", bound=Entry)

OPEN = Binding("o", "edit", "edit", id="configs.edit", tooltip="Open your own file in $VISUAL or $EDITOR")


class ConfigsScreen(LibraryScreen, Generic[E]):
    """Files by name, and the one under the cursor. Subclasses say which files, and how they are shown."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["library.tcss"]
    WORD: ClassVar[str]
    """What one of them is called: `recipe` or `endpoint`."""
    COLUMNS: ClassVar[Sequence[Column]]
    BINDINGS: ClassVar[list[BindingType]] = [OPEN]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._entries: dict[str, E] = {}
        self._go_to: str | None = None
        """The one that the cursor goes to when it is in the list."""
        self._shown: str | None = None

    async def read_entries(self) -> list[E]:
        """Return all files by name."""
        raise NotImplementedError

    def row_of(self, entry: E) -> Row:
        """Return one file of the list."""
        raise NotImplementedError

    def detail_of(self, entry: E, file: str, width: int) -> Content:
        """Return what is told of one file in lines of `width` cells; `file` is its text."""
        raise NotImplementedError

    async def copy(self, name: str, new: str) -> Path:
        """Copy one under a new name and return the new file."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        folder = Path(self.services.place).parent / f"{self.WORD}s"
        yield Static(configs_header(f"{self.WORD}s", folder), id="library-header")
        with Container(id="library-body"):
            yield LiveTable(self.COLUMNS, id="library-list", picks=True)
            with VerticalScroll(id="library-detail"):
                yield Static("", id="library-answer")
                yield Static("", id="library-facts")
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.border_title = f"{self.WORD.capitalize()}s"
        self.query_one("#library-detail").border_title = self.WORD.capitalize()
        self.query_one("#library-answer").display = False

    def action_reread(self) -> None:
        self.read_all()

    @work(group="configs", exclusive=True, exit_on_error=False)
    async def read_all(self) -> None:
        await self._read()

    async def _read(self) -> None:
        async with self.reading:
            entries = await self.read_entries()
            self._entries = {entry.name: entry for entry in entries}
            self.table.set_rows([self.row_of(entry) for entry in entries])
            if self._go_to in self._entries:
                self.table.cursor = list(self._entries).index(self._go_to)
                self._go_to = None
        self.show_detail()

    @property
    def chosen(self) -> E | None:
        """The one under the cursor."""
        # Keys are looked at before the list is mounted.
        return self._entries.get(str(self.table.cursor_id)) if self._entries else None

    @on(LiveTable.CursorMoved)
    def show_detail(self) -> None:
        """Tell more about the one under the cursor."""
        entry = self.chosen
        if entry is not None:
            if entry.name != self._shown:
                self._shown = entry.name
                self.query_one("#library-detail").scroll_home(animate=False)
            self.read_detail(entry)
        self.refresh_bindings()

    @work(group="detail", exclusive=True, exit_on_error=False)
    async def read_detail(self, entry: E) -> None:
        await asyncio.sleep(_SETTLE_S)
        try:
            file = await self.services.library.file_text(entry.path)
        except VqaError as error:
            file = str(error)
        if self.chosen is not None and self.chosen.name == entry.name:
            self.query_one("#library-facts", Static).update(self.detail_of(entry, file, self.detail_width))

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        """Enter goes into the detail, to scroll in it."""
        event.stop()
        self.query_one("#library-detail").focus()

    def why_not(self, action: str) -> str | None:
        entry = self.chosen
        if entry is None:
            return f"There is no {self.WORD}." if action in ("copy_entry", "edit", "check", "models") else None
        if action == "copy_entry" and entry.problem:
            return f"This {self.WORD} cannot be used, so it cannot be copied."
        if action == "edit" and entry.shipped:
            return f"This {self.WORD} is shipped and stays as it is: copy it under a name of your own first."
        return None

    @work(group="copy", exit_on_error=False)
    async def action_copy_entry(self) -> None:
        """Copy the one under the cursor under a new name, and go to it."""
        entry = self.chosen
        if entry is None or not self.is_on_top:
            return
        dialog = ValueDialog(
            f"Copy the {self.WORD}",
            f"The copy of {entry.name} lies in {self.WORD}s/ beside the workspace and is yours to change. "
            "What is it called?",
            value=clean(entry.name, one_line=True),
            check=lambda new: self.services.library.check_copy(self.WORD, list(self._entries), new),
        )
        new = await self.ask(dialog)
        if new is not None:
            path = await self.copy(entry.name, new)
            self._go_to = new
            await self._read()
            tell(self, f"Copied to {path}; o opens it.")  # only now: before, o would open the one that was copied

    @work(group="edit", exit_on_error=False)
    async def action_edit(self) -> None:
        """Let the person edit the file, and read it again."""
        entry = self.chosen
        if entry is not None and self.why_not("edit") is None:
            edit_file(self.app, entry.path)
            self._shown = None
            await self._read()
