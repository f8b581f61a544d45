"""Mode 3: the items of the run, filtered, marked and inspected."""

import time
from decimal import Decimal
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Counts, TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.tui.messages import LookWanted, ModeWanted
from vqa_tui.tui.present.filters import EXAMPLE, parse_filter
from vqa_tui.tui.present.items_lines import items_header, items_status
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.present.phases import status_label
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.inspecting import OPEN, RETRY, YANK, InspectingScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.task_list import TaskList

WIDE = 120
"""Columns from which the inspector stands beside the list."""

_REREAD_S = 1.0
"""Least seconds between two readings of the ids while a run works; ten times what a reading took, if that is more."""

_SETTLE_S = 0.08
"""Seconds that the cursor rests on an item before it is read: holding j must not read every item on the way."""


class ItemsScreen(InspectingScreen):
    """The list at the left; the inspector beside it where there are 120 columns, else full screen on Enter."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["items.tcss", "inspector.tcss"]
    AUTO_FOCUS = "#tasks"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="items.filter", tooltip=f"Narrow the list: {EXAMPLE}; ! inverts"),
        Binding("F", "only('status:failed')", "failed", id="items.failed", tooltip="Show the failed items only"),
        RETRY,
        OPEN,
        YANK,
        Binding("tab", "app.focus_next", "Next pane", id="items.next-pane", tooltip="To the inspector", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.wanted = TaskFilter()
        self._typed = ""
        self._problem = ""
        self._shown_run: int | None = None
        self._counts: Counts | None = None
        self._cost: Decimal | None = None
        self._ids_read_at = float("-inf")
        self._ids_pause = _REREAD_S
        self._lines: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        yield Static("", id="items-header")
        with Horizontal(id="items-body"):
            with Vertical(id="items-left"):
                yield TaskList(id="tasks")
                yield Input(placeholder=EXAMPLE, id="filter", compact=True)
            yield Inspector(id="inspector")
        yield Static("", id="items-status")
        yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#tasks").border_title = "Items"
        self.query_one("#inspector").border_title = "Inspector"
        self.query_one("#filter").display = False

    @property
    def tasks(self) -> TaskList:
        return self.query_one(TaskList)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._shown_run != self.watch_over.run_id:
            self._shown_run, self._counts = self.watch_over.run_id, None
            self.tasks.forget()
            self.inspector.clear()
        self.read_ids()

    def show_filtered(self, typed: str) -> None:
        """Narrow the list by a filter as it would be typed. Raises VqaError when it cannot be read."""
        self.wanted = parse_filter(typed)
        self._typed, self._problem = typed, ""
        line = self.query_one("#filter", Input)
        line.value = typed
        line.remove_class("-bad")
        if self.is_attached:
            self.read_ids()

    def watch_seen(self, old: SeenRun | None, new: SeenRun | None) -> None:
        """Follow the run: visible rows at once, the ids of a filtered list when counts moved."""
        if new is None or not self.is_mounted:
            return
        self._show_lines()
        view = new.view
        asked = {slot.task_id for slot in view.in_flight}
        self.tasks.set_asked(asked)
        shown = self.inspector.detail
        on_it = shown is not None and shown.row.id == self.tasks.current
        if shown is not None and on_it and (shown.row.id in asked) is not self.inspector.asked:
            self.inspect_task(shown.row.id)
        counts_moved = view.counts != self._counts
        if not counts_moved and view.cost.spent == self._cost:
            return
        self._counts, self._cost = view.counts, view.cost.spent
        self.tasks.reread()
        if not counts_moved:
            return
        if self.wanted != TaskFilter() and time.monotonic() - self._ids_read_at > self._ids_pause:
            self.read_ids()

    def _show_lines(self) -> None:
        if self.seen is not None:
            self._show_line("items-header", items_header(self.seen.view, self.size.width - 2))
        self._show_status()

    def _show_status(self) -> None:
        tasks = self.tasks
        status = items_status(
            self.wanted,
            shown=len(tasks.ids),
            total=self.seen.view.counts.total if self.seen is not None else None,
            position=tasks.cursor,
            marked=len(tasks.marked),
            problem=self._problem,
        )
        self._show_line("items-status", status)

    def _show_line(self, line: str, words: Content) -> None:
        """Draw a line of one row that reads otherwise than what is on screen."""
        if line not in self._lines or not self._lines[line].is_same(words):
            self._lines[line] = words
            self.query_one(f"#{line}", Static).update(words, layout=False)

    @work(group="ids", exclusive=True, exit_on_error=False)
    async def read_ids(self) -> None:
        """Read which items the filter means."""
        started = self._ids_read_at = time.monotonic()
        ids = await self.services.task_ids(self.run_id, self.wanted)
        self._ids_read_at = time.monotonic()
        self._ids_pause = max(_REREAD_S, 10 * (self._ids_read_at - started))
        self.tasks.set_ids(ids)
        self._show_lines()

    @on(TaskList.RowsWanted)
    def _rows_wanted(self, event: TaskList.RowsWanted) -> None:
        event.stop()
        self.read_rows(event.ids)

    @work(group="rows", exit_on_error=False)
    async def read_rows(self, ids: tuple[int, ...]) -> None:
        run_id = self.run_id
        rows = await self.services.task_rows(run_id, ids)
        if run_id != self.run_id:
            return
        self.tasks.put(rows)
        self.refresh_bindings()
        shown = self.inspector.detail
        if shown is not None and shown.row.id == self.tasks.current and rows.get(shown.row.id, shown.row) != shown.row:
            self.inspect_task(shown.row.id)

    @on(TaskList.CursorMoved)
    def _cursor_moved(self, event: TaskList.CursorMoved) -> None:
        event.stop()
        self._show_status()
        self.leave_item()
        if event.task_id is None:
            self.inspector.clear()
            self.refresh_bindings()
        elif self.has_class("-wide"):
            self.inspect_task(event.task_id, settle_s=_SETTLE_S)
        else:
            self.refresh_bindings()

    @on(TaskList.MarksChanged)
    def _marks_changed(self, event: TaskList.MarksChanged) -> None:
        event.stop()
        self._show_lines()
        self.refresh_bindings()

    @on(TaskList.Picked)
    def _picked(self, event: TaskList.Picked) -> None:
        event.stop()
        self.app.push_screen(ItemScreen(self.services, self.watch_over, self.tasks.ids, self.tasks.cursor))

    def on_resize(self) -> None:
        """The inspector came into sight: fill it, or show the item that the cursor went to meanwhile."""
        self._show_lines()
        current, shown = self.tasks.current, self.inspector.detail
        if self.size.width >= WIDE and current is not None and (shown is None or shown.row.id != current):
            self.inspect_task(current)

    def why_not(self, action: str) -> str | None:
        if action in ("retry", "open_picture", "yank") and self.tasks.current is None:
            return "The list is empty."
        if action == "retry" and not self.tasks.marked:
            row = self.tasks.row(self.tasks.current or 0)
            if row is not None and row.status is not TaskStatus.FAILED:
                words = status_label(row.status).word
                return f"This item is {words}; only failed ones can be asked again. Space marks several."
        if action in ("open_picture", "yank") and self.has_class("-narrow"):
            return "Press Enter to look at the item first."
        return super().why_not(action)

    def action_filter(self) -> None:
        """Show the filter line and type into it."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def action_only(self, typed: str) -> None:
        self.show_filtered("" if self._typed == typed else typed)

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        """Narrow while typing; a filter that cannot be read says why, and the list stays as it was."""
        if not event.input.has_focus:
            return
        try:
            self.wanted = parse_filter(event.value)
            self._problem = ""
        except VqaError as error:
            self._problem = str(error)
        event.input.set_class(bool(self._problem), "-bad")
        self._show_lines()
        if self._problem:
            return
        self._typed = event.value
        self.read_ids()

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self, event: Input.Submitted) -> None:
        try:
            self.show_filtered(event.value)
        except VqaError as error:
            tell(self, str(error), title="Filter", severity="warning")
            return
        self._close_filter()

    def _close_filter(self) -> None:
        """Hide the line; what could not be read is forgotten, and the filter is the last one that could."""
        line = self.query_one("#filter", Input)
        line.display = False
        line.value, self._problem = self._typed, ""
        line.remove_class("-bad")
        self._show_lines()
        self.tasks.focus()

    def action_back(self) -> None:
        """Leave the filter line, then the filter, then the marks, then the screen."""
        if self.query_one("#filter").has_focus:
            self._close_filter()
        elif self._typed:
            self.show_filtered("")
        elif self.tasks.marked:
            self.tasks.unmark_all()
        else:
            self.post_message(ModeWanted("run"))

    @work(group="retry", exit_on_error=False)
    async def action_retry(self) -> None:
        """Put the marked items, or the one under the cursor, back into the queue."""
        current = self.tasks.current
        ids = sorted(self.tasks.marked) or ([current] if current is not None else [])
        if not ids:
            return
        if len(ids) > 1:
            every_failed = await self.services.task_ids(self.run_id, TaskFilter(statuses=(TaskStatus.FAILED,)))
            failed = len(set(ids).intersection(every_failed))
            if not failed:
                tell(self, f"None of the {count(len(ids))} marked items has failed.", severity="warning")
                return
            question = Question(
                "Ask the marked items again?",
                f"Of {plural(len(ids), 'marked item')} {count(failed)} failed. These are put back into the queue; "
                "each costs what a picture costs.",
                yes=f"Retry {count(failed)}",
                no="Leave them",
            )
            if not await self.app.push_screen_wait(question):
                return
        moved = await self.services.retry_tasks(self.run_id, ids)
        tell(self, f"{plural(moved, 'item')} put back into the queue.", severity="information" if moved else "warning")
        self.tasks.unmark_all()
        self.post_message(LookWanted())
        self.read_ids()
