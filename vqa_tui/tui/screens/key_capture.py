"""The dialog that waits for a key, to be the one that does something from now on."""

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from vqa_tui.config.key_names import why_no_key
from vqa_tui.tui.keymap import KeyId, clashes
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.screens.dialogs import Dialog

_TAKEN = {
    "ctrl+a": "Ctrl+A belongs to screen.",
    "ctrl+b": "Ctrl+B belongs to tmux.",
    "ctrl+c": "Ctrl+C stays what it is: it stops nothing here.",
    "ctrl+q": "Ctrl+Q always leaves.",
    "tab": "Tab goes from pane to pane.",
    "enter": "Enter goes in.",
}


class KeyCapture(Dialog[str]):
    """Answers the name of the key that is pressed; Esc leaves everything as it is."""

    def __init__(self, known: KeyId, keys: Mapping[str, str]) -> None:
        """`keys` are those that a person has set already, by id."""
        super().__init__()
        self._known, self._keys = known, keys

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small") as box:
            box.border_title = "Press a key"
            box.border_subtitle = "esc leaves"
            yield Static(text(f"{self._known.tooltip or self._known.description} ({self._known.id})"))
            yield Static("", id="problem", classes="problem")

    def on_key(self, event: events.Key) -> None:
        """Take any key but Esc."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        if words := _TAKEN.get(event.key) or why_no_key(event.key) or self._clash(event.key):
            self.query_one("#problem", Static).update(text(words))
        else:
            self.dismiss(event.key)

    def _clash(self, key: str) -> str | None:
        wanted = {**self._keys, self._known.id: key}
        loser = next((each for each in clashes(wanted) if self._known.id in each[1:] and each[0] == key), None)
        if loser is None:
            return None
        other = loser[2] if loser[1] == self._known.id else loser[1]
        return f"{key} belongs to {other} on the same screen: give that another key first."
