"""Mode 4: the failures of the run, gathered by what went wrong."""

from textual.app import ComposeResult
from textual.widgets import Static

from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.widgets.key_bar import KeyBar


class FailuresScreen(RunScreen):
    """Clusters of failed pictures."""

    def compose(self) -> ComposeResult:
        yield Static("Failures", id="failures-header")
        yield KeyBar()
