"""Mode 1: the list of runs, and where new ones begin."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.domain.run import RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.messages import DemoWanted, ImportWanted, RunPicked
from vqa_tui.tui.present.lists import run_detail, runs_empty, runs_header, runs_totals
from vqa_tui.tui.present.run_rows import RunRows, in_sight, nothing_in_sight
from vqa_tui.tui.present.seen import RunLine, SeenRuns
from vqa_tui.tui.screens.run_editing import RunEditingScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.run_table import RunTable
from vqa_tui.tui.widgets.titles import show_title
from vqa_tui.tui.widgets.trouble_line import TroubleLine

_GREY = ("toggle_pause", "resume", "stop", "retry_failed", "rename", "archive", "delete", "clone", "compare")
"""Actions whose key may be grey, or called otherwise, from one sight to the next."""

_FIRST = ("demo", "import_pictures")
"""Actions that have a key while there is no run."""


class RunsScreen(RunEditingScreen):
    """All runs of the workspace, newest first; the keys act on the one under the cursor."""

    tells_trouble = True

    CSS_PATH: ClassVar[list[str | PurePath]] = ["runs.tcss"]
    AUTO_FOCUS = "#runs"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (14, "-usual")]  # noqa: RUF012 - Textual declares it
    """Rows from which there is room for three runs and the detail of one."""
    WRITES: ClassVar[frozenset[str]] = frozenset(_FIRST)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "demo", id="runs.demo", tooltip="Draw sixty scans and run over them, free"),
        Binding("i", "import_pictures", "import", id="runs.import", tooltip="Import pictures of your own"),
        Binding(
            "equals_sign",
            "compare",
            "compare",
            key_display="=",
            id="runs.compare",
            tooltip="Two runs of one dataset side by side: the marked ones, or this one and one that you choose",
        ),
        Binding(
            "slash", "filter", "filter", id="runs.filter", tooltip="Narrow by name, dataset, recipe, endpoint or state"
        ),
        Binding(
            "H",
            "show_archived",
            "archived",
            id="runs.show-archived",
            tooltip="Show archived runs, or hide them",
            show=False,
        ),
        Binding("escape", "back", "Back", id="runs.back", tooltip="Leave the filter, then the marks", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._keys: object = None
        self._rows = RunRows()
        self._typed = ""
        self._with_archived = False

    def compose(self) -> ComposeResult:
        yield Static(runs_header(self.services.place), id="runs-header")
        yield TroubleLine(self.watch_over.trouble, self.watch_over.trouble_now)
        yield RunTable(id="runs")
        with VerticalScroll(id="runs-empty", can_focus=False):
            yield Static(runs_empty(self.services.command), id="runs-empty-text")
        yield Input(
            placeholder="name, dataset, recipe, endpoint or state; !word inverts", id="runs-filter", compact=True
        )
        yield Static("", id="runs-detail")
        yield Static("", id="runs-totals")
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.border_title = "Runs"
        self.table.can_focus = False
        for hidden in ("#runs-empty", "#runs-filter"):
            self.query_one(hidden).display = False
        self.watch_over.runs_seen.subscribe(self, self._runs_seen)
        if self.watch_over.last_runs is not None:  # read before this screen stood
            self.take_in(self.watch_over.last_runs)
        self.read_deleted()
        self.finish_deletions()

    def _runs_seen(self, seen: SeenRuns) -> None:
        """Take in a new sight, unless another mode is on screen; whoever comes back begins a new look."""
        if self in self.app.screen_stack:
            self.take_in(seen)

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    def _line(self, run_id: object) -> RunLine | None:
        return next((line for line in self._seen.lines if line.summary.id == run_id), None)

    @property
    def chosen(self) -> RunLine | None:
        return self._line(self.table.cursor_id)

    @property
    def steered(self) -> RunView | None:
        return self.chosen.steerable if self.chosen is not None else None

    def why_not(self, action: str) -> str | None:
        if action == "compare" and self.chosen is not None and not self.table.marked:
            mine = self.chosen.summary
            if not any(
                line.summary.id != mine.id and line.summary.dataset == mine.dataset for line in self._seen.lines
            ):
                return f"No other run is of the dataset {mine.dataset}: there is nothing to compare this one with."
        if action == "show_archived" and not any(line.archived for line in self._seen.lines):
            return "No run is archived. h archives the one under the cursor."
        if action in ("compare", "filter") and not self._seen.lines:
            return "There is no run."
        return super().why_not(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What one can begin with has keys in a list without runs alone."""
        if action in _FIRST and (self._seen.lines or self.watch_over.last_runs is None):
            return False
        return super().check_action(action, parameters)

    def key_words(self, action: str) -> str | None:
        if action == "show_archived" and self._with_archived:
            return "hide archived"
        return super().key_words(action)

    def take_in(self, seen: SeenRuns) -> None:
        """Show the runs that are in sight, or what to do where there is none at all."""
        had_runs = bool(self._seen.lines)
        self._seen = seen
        table = self.table
        self._show_rows()
        self.query_one("#runs-empty").display = not seen.lines
        table.display = table.can_focus = bool(seen.lines)  # what is out of sight has no keys
        if table.has_focus and not seen.lines:
            self.set_focus(None)
        if had_runs != bool(seen.lines):
            if seen.lines:
                table.focus()
            self.refresh_bindings()

    def _show_rows(self) -> None:
        shown = in_sight(self._seen.lines, self._typed, archived=self._with_archived)
        self.table.set_rows(self._rows.rows(shown, self._seen.at))
        self.table.say_nothing(nothing_in_sight(self._typed, self._hidden))
        narrowed = f" matching {clean(self._typed, one_line=True, limit=40)}" if self._typed else ""
        show_title(self.table, Content(f"Runs{narrowed}{', archived ones too' if self._with_archived else ''}"))
        self.show_totals()
        self._show_detail()

    @property
    def _hidden(self) -> int:
        return 0 if self._with_archived else sum(line.archived for line in self._seen.lines)

    def show_totals(self) -> None:
        words = runs_totals(self._seen, hidden=self._hidden, deleted=self._deleted)
        if deleting := clean(self.deleting_words(), one_line=True, limit=200):
            words = Content.assemble((deleting, "$text-warning"), "   ", words)
        self.query_one("#runs-totals", Static).update(words, layout=False)

    @on(LiveTable.CursorMoved)
    @on(RunTable.MarksChanged)
    def _show_detail(self) -> None:
        """Tell more about the run under the cursor."""
        line = self.chosen
        detail = self.query_one("#runs-detail", Static)
        detail.set_class(line is None, "-none")
        if line is not None:
            detail.update(run_detail(line, self._seen.at), layout=False)
        keys = tuple((self.why_not(action), self.key_words(action)) for action in _GREY)
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if isinstance(event.row_id, int):
            self.post_message(RunPicked(event.row_id))

    def action_filter(self) -> None:
        line = self.query_one("#runs-filter", Input)
        line.display = True
        line.focus()

    @on(Input.Changed, "#runs-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._typed = event.value.strip()
        self._show_rows()

    @on(Input.Submitted, "#runs-filter")
    def _filter_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#runs-filter").display = False
        self.table.focus()

    def action_back(self) -> None:
        """Leave the filter line, then the filter, then the marks."""
        if self.query_one("#runs-filter").has_focus:
            self._close_filter()
        elif self._typed:
            self.query_one("#runs-filter", Input).value = ""
        elif self.table.marked:
            self.table.unmark_all()

    def action_demo(self) -> None:
        self.post_message(DemoWanted())

    def action_import_pictures(self) -> None:
        self.post_message(ImportWanted())

    def action_show_archived(self) -> None:
        self._with_archived = not self._with_archived
        self._show_rows()
        self.refresh_bindings()

    @work(group="compare", exclusive=True, exit_on_error=False)
    async def action_compare(self) -> None:
        """Compare the marked runs, or the marked one with this one, or this one with one from a list."""
        from vqa_tui.tui.screens.compare import CompareScreen  # only here: the list is on screen sooner without it
        from vqa_tui.tui.screens.pick_run import PickRun

        chosen = self.chosen
        if chosen is None:
            return
        runs = [line for run_id in self.table.marked if (line := self._line(run_id)) is not None]
        if len(runs) < 2 and chosen not in runs:
            runs.append(chosen)
        if len(runs) == 1:
            mine = runs[0].summary
            others = [each for each in self._seen.lines if each.summary.dataset == mine.dataset and each not in runs]
            if not others:
                tell(self, f"No other run is of the dataset {mine.dataset}.", severity="warning")
                return
            picked_id = await self.ask(PickRun(mine.name, others, self._seen.at))
            picked = self._line(picked_id)
            if picked is None:
                return
            runs.append(picked)
        first, second = (line.summary for line in runs)
        if first.dataset != second.dataset:
            words = f"{first.name} is of the dataset {first.dataset}, {second.name} of {second.dataset}"
            tell(self, f"Only runs of one dataset can be compared: {words}.", severity="warning")
            return
        if self.is_on_top:
            self.app.push_screen(CompareScreen(self.services, self.watch_over, first, second))
