"""An app that goes by what a person has set: theme and keys, applied, changed and stored."""

from collections.abc import Iterator
from contextlib import contextmanager

from textual import on
from textual.app import App
from textual.theme import Theme

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.few_colours import drawn_theme
from vqa_tui.tui.keymap import clash_words, clashes
from vqa_tui.tui.messages import KeysWanted, SettingWanted
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell, tell_error


class PersonalApp(App[None]):
    """An app with the preferences of `services`."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def _apply_preferences(self) -> None:
        preferences = self._services.preferences
        if preferences.settings.theme in self.available_themes:
            self.theme = self._drawn(preferences.settings.theme)
        else:
            tell(self, f"There is no theme {preferences.settings.theme!r}; the palette lists them.", severity="warning")
        self.set_keymap(preferences.keys)
        if found := clashes(preferences.keys):
            more = f" {len(found) - 1} more stand in the settings." if len(found) > 1 else ""
            tell(self, f"keys.yaml: {clash_words(*found[0])}{more}", severity="warning")

    def _theme_changed(self, theme: Theme) -> None:
        """Keep the theme that a person chose, which is not always the one that is drawn."""
        if theme.name != self._drawn(self._services.preferences.settings.theme):
            self._set(SettingWanted("theme", theme.name))
        self.theme = self._drawn(theme.name)

    def _drawn(self, name: str) -> str:
        wanted = self.get_theme(name)
        return name if wanted is None else drawn_theme(wanted, self.console.color_system)

    @on(SettingWanted)
    def _set(self, event: SettingWanted) -> None:
        with self._told():
            self._services.preferences.change(event.name, event.value)
        self._settings_changed()

    @on(KeysWanted)
    def _set_keys(self, event: KeysWanted) -> None:
        with self._told():
            self._services.preferences.set_keys(event.key_id, event.keys)
        self.set_keymap(self._services.preferences.keys)
        self._settings_changed()

    def _settings_changed(self) -> None:
        from vqa_tui.tui.screens.settings import SettingsScreen

        if isinstance(self.screen, SettingsScreen):
            self.screen.refresh_rows()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what cannot be done instead of raising it."""
        try:
            yield
        except VqaError as error:
            tell_error(self, error)
