"""Mode 1: the list of runs, and where new ones begin."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.run import RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui import verbs
from vqa_tui.tui.messages import LookWanted, RunPicked
from vqa_tui.tui.present.lists import run_detail, runs_empty, runs_header, runs_totals
from vqa_tui.tui.present.rows import RUN_COLUMNS, run_row
from vqa_tui.tui.present.seen import RunLine, SeenRuns
from vqa_tui.tui.screens.steering import SteeringScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable


class RunsScreen(SteeringScreen):
    """All runs of the workspace, newest first; the keys that steer act on the one under the cursor."""

    tells_trouble = True

    CSS_PATH: ClassVar[list[str | PurePath]] = ["runs.tcss"]
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "new run", id="runs.new", tooltip="Start a new run: dataset, recipe, endpoint, budget"),
        Binding("p", "toggle_pause", "pause", id="run.pause", tooltip="Pause or resume the run under the cursor"),
        Binding("r", "resume", "resume", id="run.resume", tooltip="Let the run go on; starts a lost engine anew"),
        Binding("x", "stop", "stop", id="run.stop", tooltip="End the engine; the run can be resumed"),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._seen = SeenRuns((), 0.0)
        self._keys: object = None

    def compose(self) -> ComposeResult:
        yield Static(runs_header(self.services.place), id="runs-header")
        yield Static("", id="runs-trouble")
        yield LiveTable(RUN_COLUMNS, id="runs", empty=Content(""), picks=True)
        with VerticalScroll(id="runs-empty", can_focus=False):
            yield Static(runs_empty(self.services.command), id="runs-empty-text")
        yield Static("", id="runs-detail")
        yield Static("", id="runs-totals")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#runs", LiveTable).border_title = "Runs"
        self.query_one("#runs-empty").display = False
        self.query_one("#runs-trouble").display = False
        self.watch_over.runs_seen.subscribe(self, self.take_in)
        self.watch_over.trouble.subscribe(self, self._show_trouble)

    def _show_trouble(self, words: str) -> None:
        """Say it for as long as it lasts: what is on screen is old then."""
        line = self.query_one("#runs-trouble", Static)
        line.display = bool(words)
        line.update(Content(clean(f"✖ cannot read the workspace: {words}", limit=400)))

    @property
    def _chosen(self) -> RunLine | None:
        chosen = self.query_one("#runs", LiveTable).cursor_id
        return next((line for line in self._seen.lines if line.summary.id == chosen), None)

    @property
    def steered(self) -> RunView | None:
        return self._chosen.view if self._chosen is not None else None

    def why_not(self, action: str) -> str | None:
        """Return why the run under the cursor cannot be steered so; runs at rest are steered from their dashboard."""
        if action not in ("toggle_pause", "resume", "stop", "stop_and_leave"):
            return None
        if self._chosen is None:
            return "There is no run."
        if self._chosen.view is None:
            return "No engine is at work on this run; Enter opens it."
        return verbs.why_not(action, self._chosen.view)

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
        line = self._chosen
        detail = self.query_one("#runs-detail", Static)
        detail.display = line is not None
        if line is not None:
            detail.update(run_detail(line), layout=False)
        keys = (
            tuple(self.why_not(action) for action in ("toggle_pause", "resume", "stop")),
            self.key_words("toggle_pause"),
        )
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if isinstance(event.row_id, int):
            self.post_message(RunPicked(event.row_id))

    @work(group="new-run", exit_on_error=False)
    async def action_new_run(self) -> None:
        from vqa_tui.tui.screens.new_run import NewRunDialog  # only here: the list is on screen sooner without it

        run_id = await self.app.push_screen_wait(NewRunDialog(self.services))
        if run_id is not None:
            self.post_message(LookWanted())
            self.post_message(RunPicked(run_id))
