"""Mode 1: the list of runs, and where new ones begin."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.tui.messages import LookWanted, RunPicked
from vqa_tui.tui.present.lists import run_detail, runs_empty, runs_header, runs_totals
from vqa_tui.tui.present.rows import RUN_COLUMNS, run_row
from vqa_tui.tui.present.seen import SeenRuns
from vqa_tui.tui.screens.base import LiveScreen
from vqa_tui.tui.screens.new_run import NewRunDialog
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable


class RunsScreen(LiveScreen):
    """All runs of the workspace, newest first."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["runs.tcss"]
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "new run", id="runs.new", tooltip="Start a new run: dataset, recipe, endpoint, budget"),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._seen = SeenRuns((), 0.0)

    def compose(self) -> ComposeResult:
        yield Static(runs_header(self.services.place), id="runs-header")
        yield LiveTable(RUN_COLUMNS, id="runs", empty=Content(""), picks=True)
        with VerticalScroll(id="runs-empty", can_focus=False):
            yield Static(runs_empty(), id="runs-empty-text")
        yield Static("", id="runs-detail")
        yield Static("", id="runs-totals")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#runs", LiveTable).border_title = "Runs"
        self.query_one("#runs-empty").display = False
        self.watch_over.runs_seen.subscribe(self, self.take_in)

    def take_in(self, seen: SeenRuns) -> None:
        """Show all runs, or what to do where there is none."""
        table = self.query_one("#runs", LiveTable)
        had_rows = bool(table.rows)
        table.set_rows([run_row(line, seen.at) for line in seen.lines])
        self.query_one("#runs-empty").display = not seen.lines
        table.display = bool(seen.lines)
        self.query_one("#runs-totals", Static).update(runs_totals(seen), layout=False)
        self._seen = seen
        self._show_detail()
        if had_rows != bool(seen.lines):
            if seen.lines:
                table.focus()
            self.refresh_bindings()

    @on(LiveTable.CursorMoved)
    def _show_detail(self) -> None:
        """Tell more about the run under the cursor."""
        chosen = self.query_one("#runs", LiveTable).cursor_id
        line = next((line for line in self._seen.lines if line.summary.id == chosen), None)
        detail = self.query_one("#runs-detail", Static)
        detail.display = line is not None
        if line is not None:
            detail.update(run_detail(line), layout=False)

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if isinstance(event.row_id, int):
            self.post_message(RunPicked(event.row_id))

    @work(group="new-run", exit_on_error=False)
    async def action_new_run(self) -> None:
        run_id = await self.app.push_screen_wait(NewRunDialog(self.services))
        if run_id is not None:
            self.post_message(LookWanted())
            self.post_message(RunPicked(run_id))
