"""The dialog before an evaluation: what it does, and how many held-out rows it looks at."""

from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.training_words import evaluate_words
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.screens.export import parse_count


class EvaluateDialog(Dialog[int]):
    """Answers how many rows are looked at, all of them as their number; None where it is left."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss"]

    def __init__(self, training: TrainingSummary, *, again: bool) -> None:
        """`again`: an earlier evaluation will be replaced."""
        super().__init__()
        self._training, self._again = training, again

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small") as box:
            box.border_title = "Evaluate this training"
            box.border_subtitle = "enter begins · esc leaves"
            words = evaluate_words(self._training, again=self._again)
            yield Static(Content(clean(words, limit=1_000)), classes="dialog-text")
            with Horizontal(classes="form-row"):
                yield Label("Rows")
                yield Input("", id="rows", compact=True, placeholder=f"all {self._training.held_out}")
            yield Static("", id="problem", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="leave", compact=True)
                yield Button("Evaluate (enter)", id="begin", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#rows").focus()

    @on(Button.Pressed, "#leave")
    def _left(self) -> None:
        self.action_leave()

    @on(Input.Submitted)
    @on(Button.Pressed, "#begin")
    def _begin(self) -> None:
        """Answer the number; a sample of more rows than there are is all of them."""
        try:
            rows = parse_count(self.query_one("#rows", Input).value, "rows")
        except VqaError as error:
            self.refuse(str(error))
            return
        self.dismiss(min(rows or self._training.held_out, self._training.held_out))
