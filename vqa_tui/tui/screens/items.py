"""Mode 3: the items of the run, filtered, sorted, marked and inspected."""

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.filter_grammar import EXAMPLE, Chip, chips, parse_filter, without
from vqa_tui.domain.run import Counts
from vqa_tui.domain.task import BY_ID, SortField, TaskFilter, TaskSort
from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.present.items_lines import items_header, items_status
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.editing import EDIT_KEYS, EDITS, EditingScreen, why_not_edit
from vqa_tui.tui.screens.inspecting import OPEN, YANK, YANK_ALL, InspectingScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.chip_bar import ChipBar
from vqa_tui.tui.widgets.filter_line import FilterLine
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.task_list import TaskList
from vqa_tui.tui.widgets.trouble_line import TroubleLine

WIDE = 120
"""Columns from which the inspector stands beside the list."""

_REREAD_S = 1.0
"""Least seconds between two readings of the ids while a run works; ten times what a reading took, if that is more."""

_SETTLE_S = 0.08
"""Seconds that the cursor rests on an item before it is read: holding j must not read every item on the way."""

_TYPING_S = 0.15
"""Seconds without a key after which a filter that is being typed is looked up."""

_OF_ITEMS = (EDITS - {"undo"}) | {"open_picture", "yank", "yank_all"}
"""Actions that need an item."""


class ItemsScreen(EditingScreen, InspectingScreen):
    """The list at the left; the inspector beside it where there are 120 columns, else full screen on Enter."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["items.tcss"]
    AUTO_FOCUS = "#tasks"
    KEYS_LAST = ("mark_range", *InspectingScreen.KEYS_LAST)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="items.filter", tooltip=f"Narrow the list: {EXAMPLE}; ! inverts"),
        Binding("F", "only('status:failed')", "failed", id="items.failed", tooltip="Show the failed items only"),
        Binding("s", "sort", "sort", id="items.sort", tooltip="Sort by id, cost, tries, slowest, finished in turn"),
        Binding("S", "reverse", "reverse", id="items.reverse", tooltip="Sort the other way round", show=False),
        *EDIT_KEYS,
        OPEN,
        YANK,
        YANK_ALL,
        Binding(
            "backspace",
            "drop_chip",
            "Drop condition",
            id="items.drop-chip",
            tooltip="Remove the last condition",
            show=False,
        ),
        Binding("tab", "app.focus_next", "Next pane", id="items.next-pane", tooltip="To the inspector", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.tasks = TaskList(id="tasks")
        self.wanted = TaskFilter()
        self._only: tuple[array[int], str] | None = None
        """Exactly these items and what they are called, whatever the filter."""
        self.sort = BY_ID
        self._reading = self._ids_behind = False
        self._readings = 0
        """How many readings of the ids have begun; only the newest says when it is over."""
        self._ids_of: tuple[TaskFilter, TaskSort] | None = None
        """The filter and the order of the ids that are shown in full."""
        self._typed = self._problem = ""
        self._shown_run: int | None = None
        self._counts: Counts | None = None
        self._cost: Decimal | None = None
        self._ids_read_at = float("-inf")
        self._ids_pause = _REREAD_S
        self.filter_line = FilterLine(id="filter-line")

    def compose(self) -> ComposeResult:
        yield Static("", id="items-header")
        yield TroubleLine(self.watch_over.trouble, self.watch_over.trouble_now)
        with Horizontal(id="items-body"):
            with Vertical(id="items-left"):
                yield ChipBar(id="chips")
                yield self.tasks
                yield self.filter_line
            yield self.inspector
        yield Static("", id="items-status")
        yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#tasks").border_title = "Items"
        self.query_one("#inspector").border_title = "Inspector"
        self.filter_line.display = False
        self.query_one(ChipBar).show_chips(())

    def on_screen_resume(self) -> None:
        self._meet_run()
        super().on_screen_resume()
        if self.about_run is None:
            return
        # The tasks of a run neither come nor go: all of them by id are what they were.
        if self._moves or self._ids_of != (self.wanted, self.sort):
            self.read_ids()

    def _meet_run(self) -> None:
        """Forget the items of another run before anything is asked about them: this one knows no such numbers."""
        if self.about_run is not None and self._shown_run != self.about_run:
            self._shown_run, self._counts, self._ids_of = self.about_run, None, None
            self._only = None
            self.tasks.forget()
            self.clear_item()

    def show_only(self, ids: "array[int]", named: str) -> None:
        """Show exactly the items `ids`, which are called `named`; Esc shows all again."""
        self.show_filtered("")
        self._only = ids, named
        self.sort = BY_ID
        self.query_one(ChipBar).show_chips((Chip(f"cluster:{named}", ()),))
        self.read_ids()

    def show_filtered(self, typed: str) -> None:
        """Narrow the list by a filter as it would be typed. Raises VqaError when it cannot be read."""
        self.wanted, self._only = parse_filter(typed), None
        self._typed, self._problem = typed, ""
        self.tasks.settle_marks()
        self.filter_line.show_typed(typed)
        self.filter_line.remove_class("-bad")
        self.query_one(ChipBar).show_chips(chips(typed))
        if self.is_attached:
            self.read_ids()

    def watch_seen(self, old: SeenRun | None, new: SeenRun | None) -> None:
        """Follow the run: visible rows at once, the ids of a filtered list when counts moved."""
        if new is None or not self.is_mounted:
            return
        self._meet_run()
        self._show_lines()
        view = new.view
        shown, asked = self.inspector.detail, {slot.task_id for slot in view.in_flight}
        self.tasks.set_asked(asked)
        on_it = shown is not None and shown.row.id == self.tasks.current
        if shown is not None and on_it and (shown.row.id in asked) is not self.inspector.asked:
            self.inspect_task(shown.row.id)
        if view.counts != self._counts or view.cost.spent != self._cost:
            self._ids_behind |= view.counts != self._counts
            self._counts, self._cost = view.counts, view.cost.spent
            self.tasks.reread()
        due = not self._reading and time.monotonic() - self._ids_read_at > self._ids_pause
        if self._ids_behind and self._moves and due:
            self.read_ids()

    @property
    def _moves(self) -> bool:
        """Whether the list is another one when tasks have moved."""
        return self.wanted != TaskFilter() or self.sort.by is not SortField.ID

    def _show_lines(self) -> None:
        if self.seen is not None:
            self._show_line("items-header", items_header(self.seen.view, self.size.width - 2))
        self._show_status()

    def _show_status(self) -> None:
        tasks = self.tasks
        status = items_status(
            shown=len(tasks.ids),
            total=self.seen.view.counts.total if self.seen is not None else None,
            position=tasks.cursor,
            marked=tasks.marked_number,
            left=tasks.left_number,
            ranging=tasks.range_begun,
            sort=self.sort,
            reading=self._reading,
            problem=self._problem,
        )
        self._show_line("items-status", status)

    @work(group="ids", exclusive=True, exit_on_error=False)
    async def read_ids(self, settle_s: float = 0.0) -> None:
        """Read which items the filter means, in order; another filter or order shows its first page at once."""
        await asyncio.sleep(settle_s)
        started, self._ids_behind = time.monotonic(), False
        self._ids_read_at = started
        if self._only is not None:
            self.tasks.set_ids(self._only[0], BY_ID, complete=True)
            self._ids_of = None
            self._show_lines()
            return
        asked_for = (self.wanted, self.sort)
        self._readings += 1
        reading = self._readings
        self._reading = True
        self._show_status()
        try:
            async for found in self.services.task_ids_by_steps(self.run_id, *asked_for):
                if found.complete or self._ids_of != asked_for:
                    self.tasks.set_ids(found.ids, self.sort, complete=found.complete)
        finally:
            if reading == self._readings:
                self._reading = False
        self._ids_of = asked_for
        self._ids_read_at = time.monotonic()
        self._ids_pause = max(_REREAD_S, 10 * (self._ids_read_at - started))
        self._show_lines()

    @on(TaskList.SortWanted)
    def _sort_wanted(self, event: TaskList.SortWanted) -> None:
        event.stop()
        self.sort_by(event.by)

    def sort_by(self, by: SortField) -> None:
        """Sort by this, what is greatest first; ids and what is sorted so already go the other way."""
        if self._only is not None:
            return
        descending = not self.sort.descending if by is self.sort.by else by is not SortField.ID
        self.sort = TaskSort(by, descending)
        self.read_ids()

    def action_sort(self) -> None:
        order = list(SortField)
        self.sort_by(order[(order.index(self.sort.by) + 1) % len(order)])

    def action_reverse(self) -> None:
        self.sort = replace(self.sort, descending=not self.sort.descending)
        self.read_ids()

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
            self.clear_item()
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
        self.app.push_screen(
            ItemScreen(self.services, self.watch_over, self.tasks.ids, self.tasks.cursor, self.pictures)
        )

    def on_resize(self) -> None:
        """The inspector came into sight: fill it, or show the item that the cursor went to meanwhile."""
        self._meet_run()
        self._show_lines()
        current, shown = self.tasks.current, self.inspector.detail
        if self.size.width >= WIDE and current is not None and (shown is None or shown.row.id != current):
            self.inspect_task(current)

    def why_not(self, action: str) -> str | None:
        if action in ("sort", "reverse") and self._only is not None:
            return "A cluster is shown by number; Esc shows all items, which can be sorted."
        if action not in _OF_ITEMS:
            return super().why_not(action)
        tasks = self.tasks
        if tasks.current is None:
            return "The list is empty."
        single = not tasks.marked_number and not tasks.range_begun
        if single and (reason := why_not_edit(action, tasks.row(tasks.target or tasks.current))):
            return f"{reason} Space marks several."
        if action not in EDITS and self.has_class("-narrow"):
            return "Press Enter to look at the item first."
        return super().why_not(action)

    def edited_ids(self) -> Sequence[int]:
        return self.tasks.meant_ids()

    def drop_marks(self) -> None:
        self.tasks.unmark_all()

    def reread_items(self) -> None:
        self.tasks.reread()
        self.read_ids()

    def action_filter(self) -> None:
        """Show the filter line and type into it."""
        self.filter_line.display = True
        self.set_focus(self.filter_line.line)  # at once: what is typed next belongs to it
        self.read_values()

    @work(group="values", exclusive=True, exit_on_error=False)
    async def read_values(self) -> None:
        """Read what occurs in the run, so that a filter can be completed with it."""
        self.filter_line.set_values(await self.services.filter_values(self.run_id))

    def action_only(self, typed: str) -> None:
        self.show_filtered("" if self._typed == typed else typed)

    def action_drop_chip(self) -> None:
        self.query_one(ChipBar).remove_last()

    @on(ChipBar.Removed)
    def _chip_removed(self, event: ChipBar.Removed) -> None:
        event.stop()
        self.show_filtered(without(self._typed, event.chip))
        if not self._typed:
            self.tasks.focus()

    @on(FilterLine.Changed)
    def _filter_changed(self, event: FilterLine.Changed) -> None:
        """Narrow while typing; a filter that cannot be read says why, and the list stays as it was."""
        event.stop()
        try:
            self.wanted = parse_filter(event.typed)
            self._problem = ""
        except VqaError as error:
            self._problem = str(error)
        self.filter_line.set_class(bool(self._problem), "-bad")
        self._show_lines()
        if self._problem:
            return
        self._typed, self._only = event.typed, None
        self.tasks.keep_marks()
        self.query_one(ChipBar).show_chips(chips(event.typed))
        self.read_ids(_TYPING_S)

    @on(FilterLine.Submitted)
    def _filter_submitted(self, event: FilterLine.Submitted) -> None:
        event.stop()
        try:
            self.show_filtered(event.typed)
        except VqaError as error:
            tell(self, str(error), title="Filter", severity="warning")
            return
        self._close_filter()

    def _close_filter(self) -> None:
        """Hide the line; what could not be read is forgotten, and the filter is the last one that could."""
        self.filter_line.display = False
        self.filter_line.show_typed(self._typed)
        self._problem = ""
        self.filter_line.remove_class("-bad")
        self._show_lines()
        self.tasks.settle_marks()
        self.read_ids()
        self.tasks.focus()

    def action_back(self) -> None:
        """Leave the filter line, then a range, the filter, the marks, and last the screen."""
        if self.filter_line.display and self.filter_line.has_focus_within:
            self._close_filter()
        elif self.tasks.range_begun:
            self.tasks.drop_range()
        elif self._typed or self._only is not None:
            self.show_filtered("")
            self.tasks.focus()
        elif self.tasks.marked_number:
            self.tasks.unmark_all()
        else:
            self.post_message(ModeWanted("run"))
