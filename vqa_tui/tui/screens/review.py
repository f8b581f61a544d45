"""Mode 5: one picture, one pair, one verdict."""

from textual.app import ComposeResult
from textual.widgets import Static

from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.widgets.key_bar import KeyBar


class ReviewScreen(RunScreen):
    """Review of the pairs of the run."""

    def compose(self) -> ComposeResult:
        yield Static("Review", id="review-header")
        yield KeyBar()
