"""The whole of a text that a table could only show in part."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.safe_text import clean
from vqa_tui.tui.screens.dialogs import Dialog

_LIMIT = 10_000


class FullText(Dialog[None]):
    """Shows one text; Esc or Enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "leave", "Close", id="full-text.close", tooltip="Back to where you came from", show=False),
    ]

    def __init__(self, title: str, body: str) -> None:
        super().__init__()
        self._title, self._body = title, body

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -small") as box:
            box.border_title = Content(clean(self._title, one_line=True, limit=50))
            box.border_subtitle = "esc closes"
            yield Static(Content(clean(self._body, limit=_LIMIT)), classes="dialog-text")
