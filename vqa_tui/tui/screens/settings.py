"""What a person may set for the app itself, opened from the palette: settings above, every key below."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.config.app_settings import changed_setting, keys_file, settings_file
from vqa_tui.safe_text import clean
from vqa_tui.tui.keymap import KeyId, clash_words, clashes, key_ids
from vqa_tui.tui.messages import KeysWanted, SettingWanted
from vqa_tui.tui.present.setting_rows import KEY_COLUMNS, SETTING_COLUMNS, SETTINGS, key_rows, row_about, setting_rows
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.key_capture import KeyCapture
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable


class SettingsScreen(LiveScreen):
    """Enter changes what the cursor is on; what is changed holds at once and is written to the person's files."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["settings.tcss"]
    AUTO_FOCUS = "#settings"
    WRITES: ClassVar[frozenset[str]] = frozenset({"reset"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="settings.back", tooltip="Leave the filter, then the settings"),
        Binding("slash", "narrow", "filter keys", id="settings.filter", tooltip="Narrow the list of keys"),
        Binding("backspace,delete", "reset", "reset key", id="settings.reset", tooltip="Give a key back what it was"),
        Binding("tab", "app.focus_next", "next list", id="settings.next", tooltip="To the keys", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._known: tuple[KeyId, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("vqa-tui › ", "$foreground 60%"), ("settings", "bold")), id="settings-header")
        with Vertical():
            yield LiveTable(SETTING_COLUMNS, id="settings", picks=True)
            yield LiveTable(KEY_COLUMNS, id="keys", empty=Content("no key matches"), picks=True)
            yield Input(placeholder="narrow by key, word or id", compact=True, id="narrow")
        yield Static("", id="about")
        yield Static("", id="clashes")
        yield Static(
            Content(
                clean(
                    f"{settings_file().name} and {keys_file().name} in {settings_file().parent}",
                    one_line=True,
                    limit=300,
                )
            ),
            id="files",
        )
        yield KeyBar()

    def on_mount(self) -> None:
        self._known = tuple(key_ids().values())
        self.query_one("#settings").border_title = "Settings"
        self.query_one("#keys").border_title = "Keys"
        self.query_one("#narrow").display = False
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Show what holds now."""
        preferences = self.services.preferences
        self.query_one("#settings", LiveTable).set_rows(setting_rows(preferences.settings.model_dump()))
        rows = key_rows(self._known, preferences.keys)
        words = self.query_one("#narrow", Input).value.lower().split()
        shown = [row for row in rows if all(word in " ".join(c.plain for c in row.cells).lower() for word in words)]
        self.query_one("#keys", LiveTable).set_rows(shown)
        found = [f"▲ {clash_words(*each)}" for each in clashes(preferences.keys)]
        self.query_one("#clashes", Static).update(Content.styled(clean("\n".join(found)), "$text-warning"))
        self.query_one("#clashes").display = bool(found)
        self._tell_about()

    def _tell_about(self) -> None:
        """Say in full what the row under the cursor is for: in its column there may be no room."""
        in_settings = self.query_one("#settings").has_focus
        row = self.query_one("#settings" if in_settings else "#keys", LiveTable).cursor_id
        self.query_one("#about", Static).update(row_about(row, self._known))
        self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        if action != "reset":
            return None
        if not self.query_one("#keys").has_focus:
            return "Tab goes to the keys; there it gives the one under the cursor back what it was."
        if self.query_one("#keys", LiveTable).cursor_id not in self.services.preferences.keys:
            return "This key is what it always was."
        return None

    @on(LiveTable.CursorMoved)
    def _moved(self) -> None:
        self._tell_about()

    def on_descendant_focus(self) -> None:
        self._tell_about()

    @on(LiveTable.Picked, "#settings")
    @work(group="setting", exit_on_error=False)
    async def _change(self, event: LiveTable.Picked) -> None:
        about = next(each for each in SETTINGS if each.name == event.row_id)
        if not self.is_on_top or not self._may_change(about.name):
            return
        now = str(getattr(self.services.preferences.settings, about.name))
        if about.name == "theme":
            self.app.search_themes()
        elif about.choices:
            place = about.choices.index(now.lower())
            self.post_message(SettingWanted(about.name, about.choices[(place + 1) % len(about.choices)]))
        else:
            settings = self.services.preferences.settings

            def check(text: str) -> None:
                changed_setting(settings, about.name, text)

            value = await self.ask(ValueDialog(about.name, f"{about.words}.", value=now, check=check))
            if value is not None:
                self.post_message(SettingWanted(about.name, value))

    @on(LiveTable.Picked, "#keys")
    @work(group="keys", exit_on_error=False)
    async def _remap(self, event: LiveTable.Picked) -> None:
        known = next(each for each in self._known if each.id == event.row_id)
        if not self.is_on_top or not self._may_change(known.id):
            return
        key = await self.ask(KeyCapture(known, self.services.preferences.keys))
        if key is not None:
            self.post_message(KeysWanted(known.id, key))

    def _may_change(self, name: str) -> bool:
        """Say why that setting or key may not be changed here, if so."""
        reason = self.services.preferences.why_not(name)
        if reason:
            tell(self, reason, severity="warning")
        return reason is None

    def action_reset(self) -> None:
        if (name := self.query_one("#keys", LiveTable).cursor_id) is not None:
            self.post_message(KeysWanted(str(name), None))

    def action_narrow(self) -> None:
        line = self.query_one("#narrow", Input)
        line.display = True
        line.focus()

    @on(Input.Changed, "#narrow")
    def _narrowed(self) -> None:
        self.refresh_rows()

    @on(Input.Submitted, "#narrow")
    def _to_the_keys(self) -> None:
        self.query_one("#keys").focus()

    def action_back(self) -> None:
        line = self.query_one("#narrow", Input)
        if line.display:
            line.value = ""
            line.display = False
            self.query_one("#keys").focus()
        else:
            self.app.pop_screen()
