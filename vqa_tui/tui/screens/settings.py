"""What a person may set for the app itself, opened from the palette."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.widgets.key_bar import KeyBar


class SettingsScreen(LiveScreen):
    """Settings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "app.pop_screen", "Back", id="library.back", tooltip="Back to where you came from", show=False
        ),
    ]

    def compose(self) -> ComposeResult:
        yield Static("Settings", id="settings-header")
        yield KeyBar()
