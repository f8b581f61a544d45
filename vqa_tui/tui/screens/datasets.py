"""The datasets of the workspace, opened from the palette."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.widgets.key_bar import KeyBar


class DatasetsScreen(LiveScreen):
    """Datasets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "app.pop_screen", "Back", id="library.back", tooltip="Back to where you came from", show=False
        ),
    ]

    def compose(self) -> ComposeResult:
        yield Static("Datasets", id="datasets-header")
        yield KeyBar()
