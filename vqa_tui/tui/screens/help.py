"""Help, made from the bindings of the screen; type to narrow it."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from vqa_tui.tui.present.help_text import KeyHelp, help_text
from vqa_tui.tui.screens.dialogs import Dialog


class HelpScreen(Dialog[None]):
    """All keys that work on the screen beneath, with what they do and why a grey one cannot work now."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "help.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "scroll(1)", "Down", id="help.down", tooltip="Scroll down", show=False),
        Binding("up", "scroll(-1)", "Up", id="help.up", tooltip="Scroll up", show=False),
        Binding(
            "question_mark,f1", "leave", "Close", id="help.close", tooltip="Close the help", show=False, priority=True
        ),
    ]

    def __init__(self, keys: Sequence[KeyHelp]) -> None:
        super().__init__()
        self._keys = tuple(keys)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "type to narrow · esc closes"
            yield Input(placeholder="narrow by key or word", compact=True, id="narrow")
            with VerticalScroll(id="help-scroll", can_focus=False):
                yield Static("", id="help-text")

    @on(Input.Changed)
    def _narrow(self) -> None:
        self._show()

    def on_resize(self) -> None:
        """Words wrap beside their keys, in the width that there is."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        width = self.query_one("#help-scroll").scrollable_content_region.width
        narrow = self.query_one("#narrow", Input).value
        self.query_one("#help-text", Static).update(help_text(self._keys, narrow, width))

    def action_scroll(self, by: int) -> None:
        self.query_one("#help-scroll").scroll_relative(y=by, animate=False)
