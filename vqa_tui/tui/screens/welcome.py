"""The first thing a person sees in an empty workspace: what this is, and three ways to begin."""

from collections.abc import Callable
from enum import Enum
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Button, Static

from vqa_tui.tui.present.welcome_text import welcome_text
from vqa_tui.tui.screens.dialogs import Dialog


class First(Enum):
    """What a person wants first."""

    DEMO = "demo"
    IMPORT = "import"


class WelcomeScreen(Dialog[First]):
    """Answers what is wanted first, or None to look around."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "welcome.tcss"]
    AUTO_FOCUS = "#demo"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "choose('demo')", "demo", id="welcome.demo", tooltip="Draw sixty scans and run over them, free"),
        Binding("i", "choose('import')", "import", id="welcome.import", tooltip="Import pictures of your own"),
        Binding("down,j", "app.focus_next", "next", id="welcome.next", tooltip="To the next choice", show=False),
        Binding("up,k", "app.focus_previous", "last", id="welcome.last", tooltip="To the choice before", show=False),
    ]

    def __init__(self, command: Callable[[str], str]) -> None:
        super().__init__()
        self._command = command

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="welcome") as box:
            box.border_title = "Welcome to vqa-tui"
            box.border_subtitle = "esc looks around"
            with VerticalScroll(can_focus=False):
                yield Static(welcome_text(self._command), classes="dialog-text")
            yield Button("d   Show me: a demo that needs no key and costs nothing", id="demo", compact=True)
            yield Button("i   Import my own pictures", id="import", compact=True)
            yield Button("esc Just look around", id="look", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(None if event.button.id == "look" else First(event.button.id))

    def action_choose(self, first: str) -> None:
        self.dismiss(First(first))
