"""A line that says, for as long as it lasts, why what is on screen is old."""

from textual.content import Content
from textual.signal import Signal
from textual.widgets import Static

from vqa_tui.safe_text import clean


class TroubleLine(Static):
    """Why the workspace cannot be read; out of sight while it can."""

    def __init__(self, trouble: Signal[str], now: str) -> None:
        """`trouble` tells when the words change, '' for none; `now` are those that hold already."""
        super().__init__("")
        self._trouble = trouble
        self._say(now)

    def on_mount(self) -> None:
        self._trouble.subscribe(self, self._say)

    def _say(self, words: str) -> None:
        self.display = bool(words)
        self.update(Content(clean(f"✖ cannot read the workspace: {words}", limit=400)))
