"""Mode 6: the trainings of the workspace, and the log of the chosen one."""

from textual.app import ComposeResult
from textual.widgets import Static

from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.widgets.key_bar import KeyBar


class TrainingScreen(LiveScreen):
    """Trainings."""

    def compose(self) -> ComposeResult:
        yield Static("Training", id="training-header")
        yield KeyBar()
