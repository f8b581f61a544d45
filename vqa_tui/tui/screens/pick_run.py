"""Choosing one of several runs."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.run_rows import RUN_COLUMNS, run_row
from vqa_tui.tui.present.seen import RunLine
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.widgets.live_table import LiveTable


class PickRun(Dialog[int]):
    """Lists runs that one run can be compared with; answers the id of the one that was chosen, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "pick_run.tcss"]

    def __init__(self, name: str, lines: Sequence[RunLine], at: float) -> None:
        super().__init__()
        self._compared, self._lines, self._at = name, lines, at

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "Compare"
            box.border_subtitle = "enter compares · esc leaves"
            words = f"Compare {clean(self._compared, one_line=True, limit=60)} with which run of its dataset?"
            yield Static(Content(words), classes="dialog-text")
            yield LiveTable(RUN_COLUMNS, id="choices", picks=True)

    def on_mount(self) -> None:
        table = self.query_one(LiveTable)
        table.styles.height = len(self._lines) + 1
        table.set_rows([run_row(line, self._at) for line in self._lines])
        table.focus()

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.dismiss(event.row_id if isinstance(event.row_id, int) else None)
