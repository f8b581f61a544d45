"""Mode 6: the trainings of the workspace, and the log of the chosen one."""

import time
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.present.training_rows import TRAINING_COLUMNS, log_lines, training_row, trainings_empty
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.log_pane import LogPane

_LOOK_EVERY_S = 0.5


class TrainingScreen(LiveScreen):
    """The list at the left and the log beside it; below it where there is no room."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["training.tcss"]
    AUTO_FOCUS = "#trainings"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="training.back", tooltip="Back to the runs", show=False),
        Binding("tab", "app.focus_next", "to the log", id="training.next-pane", tooltip="Between list and log"),
        Binding("f", "follow", "follow", id="training.follow", tooltip="To the newest line of the log, and stay there"),
    ]

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("vqa-tui › ", "$foreground 60%"), ("training", "bold")), id="training-header")
        with Horizontal(id="training-body"):
            yield LiveTable(TRAINING_COLUMNS, id="trainings", empty=Content(""))
            yield LogPane(id="log")
        with Vertical(id="training-empty"):
            yield Static(trainings_empty(self.services.command), id="training-empty-text")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#trainings").border_title = "Trainings"
        self.query_one("#log").border_title = "Log"
        self.query_one("#training-empty").display = False
        self.set_interval(_LOOK_EVERY_S, self._look_if_shown)

    def on_screen_resume(self) -> None:
        self.look()

    def _look_if_shown(self) -> None:
        if self.is_current:
            self.look()

    @work(group="trainings", exclusive=True, exit_on_error=False)
    async def look(self) -> None:
        """Read the list, and the log of the training under the cursor."""
        table = self.query_one("#trainings", LiveTable)
        found = await self.services.trainings.all()
        table.set_rows([training_row(each, time.time()) for each in found])
        self.query_one("#training-body").display = bool(found)
        self.query_one("#training-empty").display = not found
        self.refresh_bindings()
        chosen = table.cursor_id
        if isinstance(chosen, int):
            pane = self.query_one(LogPane)
            pane.border_title = f"Log of training {chosen}"
            pane.set_lines(log_lines(await self.services.trainings.log(chosen)))

    @on(LiveTable.CursorMoved)
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self.query_one(LogPane).set_lines(())
        self.look()

    @on(LogPane.Picked)
    def _line_picked(self, event: LogPane.Picked) -> None:
        event.stop()
        self.app.push_screen(FullText(f"Line {event.number} of the log as it is shown", event.line))

    def why_not(self, action: str) -> str | None:
        if action == "follow" and not self.query_one("#trainings", LiveTable).rows:
            return "There is no training yet."
        return None

    def action_follow(self) -> None:
        pane = self.query_one(LogPane)
        pane.action_move_to_end()
        pane.focus()

    def action_back(self) -> None:
        self.post_message(ModeWanted("runs"))
