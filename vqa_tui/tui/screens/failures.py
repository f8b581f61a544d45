"""Mode 4: the failures of the run, gathered by what went wrong, with verbs on a whole cluster."""

import asyncio
import time
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.failure_cluster import FailureCluster, FailureTable
from vqa_tui.safe_text import clean
from vqa_tui.tui.messages import ItemsWanted, ModeWanted
from vqa_tui.tui.present import failure_rows as rows
from vqa_tui.tui.present import failure_verbs
from vqa_tui.tui.present.failure_words import form_words, in_order, number_of
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.cluster_verbs import CLUSTER_KEYS, UNDO, ClusterVerbsScreen, ids_of
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.cluster_list import ClusterList
from vqa_tui.tui.widgets.cluster_pane import ClusterPane
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.trouble_line import TroubleLine

WIDE = 120
"""Columns from which the detail stands beside the list."""
_REREAD_S = 1.0
"""Least seconds between two readings of the clusters while a run works; ten times what one took, if that is more."""
_SETTLE_S = 0.08
"""Seconds that the cursor rests on a cluster before it is read: holding j must not read every one on the way."""
_PICTURE_REST_S = 0.15
_OF_A_CLUSTER = frozenset({"look", "yank", "step"})


class FailuresScreen(ClusterVerbsScreen):
    """The clusters at the left; the one under the cursor beside them where there are 120 columns, else on Enter."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["failures.tcss"]
    AUTO_FOCUS = "#clusters"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        *CLUSTER_KEYS,
        Binding("i", "look", "items", id="failures.look", tooltip="Look at exactly these in the items"),
        UNDO,
        Binding("t", "tries", "every try", id="failures.tries", tooltip="Failed for good, or every try that failed"),
        Binding("s", "order", "newest first", id="failures.order", tooltip="Sort by count, or by what was met last"),
        Binding("y", "yank", "yank", id="failures.yank", tooltip="Copy the message (OSC 52)"),
        Binding(
            "enter", "look", "items", id="failures.enter", tooltip="Look at exactly these in the items", show=False
        ),
        Binding("j", "step(1)", "Next", id="failures.next", tooltip="The next cluster", show=False),
        Binding("k", "step(-1)", "Previous", id="failures.previous", tooltip="The cluster before", show=False),
        Binding("tab", "app.focus_next", "Next pane", id="failures.next-pane", tooltip="To the detail", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._table: FailureTable | None = None
        self._shown: list[FailureCluster] = []
        self._tries = self._newest_first = False
        self._shown_run: int | None = None
        self._facts: object = None
        self._read_at, self._pause = float("-inf"), _REREAD_S
        self._gathering: set[int] = set()
        """Runs whose failures are being gathered, or could not be."""

    def compose(self) -> ComposeResult:
        yield Static("", id="failures-header")
        yield TroubleLine(self.watch_over.trouble, self.watch_over.trouble_now)
        with Horizontal(id="failures-body"):
            yield ClusterList(id="clusters")
            yield ClusterPane(id="cluster")
        yield Static("", id="failures-empty")
        yield Static("", id="failures-status")
        yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#clusters").border_title = "What went wrong"
        self.query_one("#cluster").border_title = "Detail"

    @property
    def clusters(self) -> ClusterList:
        return self.query_one(ClusterList)

    @property
    def pane(self) -> ClusterPane:
        return self.query_one(ClusterPane)

    @property
    def current(self) -> FailureCluster | None:
        """The cluster under the cursor, if there is one."""
        return next((each for each in self._shown if each.id == self.clusters.cursor_id), None)

    @property
    def chosen(self) -> list[FailureCluster]:
        """The marked clusters, or else the one under the cursor."""
        marked = [cluster for cluster in self._shown if cluster.id in self.clusters.marked]
        return marked or ([self.current] if self.current is not None else [])

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.about_run is None:
            return
        if self._shown_run != self.watch_over.run_id:
            self._shown_run, self._table, self._shown = self.watch_over.run_id, None, []
            self.remove_class("-detail", "-empty")
            self.clusters.unmark_all()
            self.clusters.set_rows(())
            self.pane.clear()
        self.read_table()

    def watch_seen(self, old: SeenRun | None, new: SeenRun | None) -> None:
        """Let ages go on; read the clusters again where the run has failed otherwise since."""
        if new is None or not self.is_mounted:
            return
        self._show()
        if _facts(new) != self._facts and time.monotonic() - self._read_at > self._pause:
            self.read_table()

    @work(group="table", exclusive=True, exit_on_error=False)
    async def read_table(self) -> None:
        """Read the clusters, and begin to gather what an older version left ungathered."""
        run_id, started = self.run_id, time.monotonic()
        self._read_at, self._facts = started, _facts(self.seen) if self.seen is not None else None
        table = await self.services.failures.table(run_id)
        self._read_at = time.monotonic()
        self._pause = max(_REREAD_S, 10 * (self._read_at - started))
        if run_id != self.run_id:
            return
        before, self._table = self._table, table
        self._show()
        if table != before:
            self._look_at_current()
        if table.ungathered and not self.services.read_only and run_id not in self._gathering:
            self._gathering.add(run_id)
            self.gather(run_id)

    @work(group="gather", exit_on_error=False)
    async def gather(self, run_id: int) -> None:
        """Put into clusters what an older version recorded, piece by piece; the list grows meanwhile."""
        while await self.services.failures.gather_some(run_id) and run_id == self.watch_over.run_id:
            if time.monotonic() - self._read_at > self._pause:
                self.read_table()
        # Where it could not be done the run stays there: what failed would fail with every look.
        self._gathering.discard(run_id)
        self.read_table()

    def _show(self) -> None:
        """Show what is known now; everything that reads as before is left alone."""
        seen, table = self.seen, self._table
        now = seen.at if seen is not None else time.time()
        if seen is not None:
            self._show_line("failures-header", rows.failures_header(seen.view, self.size.width - 2))
        if table is None:
            return
        tries, newest = self._tries, self._newest_first
        self._shown = in_order(table, tries=tries, newest_first=newest)
        whole = sum(number_of(cluster, tries=tries) for cluster in self._shown)
        listed = self._shown[: rows.MOST_ROWS]
        had_cluster = self.current is not None
        self.clusters.set_rows([rows.failure_row(cluster, whole, now, tries=tries) for cluster in listed])
        empty = not self._shown and not table.ungathered
        if not empty and not self.clusters.can_focus:
            # A list that is out of sight loses the focus.
            self.call_after_refresh(self.clusters.focus)
        # Textual gives the focus also to what is not displayed, whose keys would then do nothing.
        self.clusters.can_focus = not empty
        self.set_class(empty, "-empty")
        if empty:
            self._show_line(
                "failures-empty", rows.nothing_failed(seen.view if seen else None, tries=tries), layout=True
            )
        status = rows.failures_status(
            self._shown, table, tries=tries, newest_first=newest, marked=len(self.clusters.marked),
            may_write=not self.services.read_only,
        )  # fmt: skip
        self._show_line("failures-status", status)
        current = self.current
        if current is None:
            self.pane.clear()
        elif self._detail_in_sight:
            self.pane.show(current, None, now, tries=tries)
        if had_cluster is not (current is not None):
            self.refresh_bindings()

    @property
    def _detail_in_sight(self) -> bool:
        return self.size.width >= WIDE or self.has_class("-detail")

    @on(LiveTable.CursorMoved)
    def _cursor_moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self._look_at_current(settle_s=_SETTLE_S)
        self.refresh_bindings()

    def _look_at_current(self, *, settle_s: float = 0.0) -> None:
        current = self.current
        if current is None:
            self.pane.clear()
        elif self._detail_in_sight:
            self.read_detail(current, settle_s=settle_s)

    @work(group="detail", exclusive=True, exit_on_error=False)
    async def read_detail(self, cluster: FailureCluster, *, settle_s: float = 0.0) -> None:
        """Read one cluster and show it, then its pictures; a newer call takes its place."""
        await asyncio.sleep(settle_s)
        tries = self._tries
        detail = await self.services.failures.detail(self.run_id, cluster, tries=tries)
        if self.current is None or self.current.id != cluster.id:
            return
        now = self.seen.at if self.seen is not None else time.time()
        self.pane.show(self.current, detail, now, tries=tries)
        if self.pane.examples_to_read:
            self.read_examples()

    @work(group="examples", exclusive=True, exit_on_error=False)
    async def read_examples(self) -> None:
        """Decode the example pictures one after the other, each in a thread."""
        await asyncio.sleep(_PICTURE_REST_S)
        examples = self.pane.examples_to_read
        for number, example in enumerate(examples):
            try:
                image = await self.services.thumbnail(example.path)
            except VqaError as error:
                self.pane.put_picture(examples, number, text(error.message, "$text-warning"))
            else:
                self.pane.put_picture(examples, number, image)

    @on(ClusterList.MarksChanged)
    def _marks_changed(self, event: ClusterList.MarksChanged) -> None:
        event.stop()
        self._show()
        self.refresh_bindings()

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        """Enter: the detail where it is not in sight, else the pictures themselves."""
        event.stop()
        if self._detail_in_sight:
            self.action_look()
            return
        self.add_class("-detail")
        self.pane.focus()
        self._show()
        self._look_at_current()
        self.refresh_bindings()

    def on_resize(self) -> None:
        if self.size.width >= WIDE and self.has_class("-detail"):
            self.remove_class("-detail")
            self.clusters.focus()
        self._show()
        self._look_at_current()

    def why_not(self, action: str) -> str | None:
        if action in _OF_A_CLUSTER and self.current is None:
            return "There is no cluster."
        return super().why_not(action)

    def key_words(self, action: str) -> str | None:
        """Name the keys that go back and forth by what they would show."""
        if action == "tries":
            return "for good" if self._tries else "every try"
        if action == "order":
            return "largest first" if self._newest_first else "newest first"
        return super().key_words(action)

    def drop_marks(self) -> None:
        self.clusters.unmark_all()

    def reread_items(self) -> None:
        self.read_table()

    def action_tries(self) -> None:
        """Show every try that failed, or only what failed for good."""
        self._tries = not self._tries
        self._show_otherwise()

    def action_order(self) -> None:
        """Sort by what was met last, or by count."""
        self._newest_first = not self._newest_first
        self._show_otherwise()

    def _show_otherwise(self) -> None:
        self._show()
        self._look_at_current()
        self.refresh_bindings()

    def action_step(self, by: int) -> None:
        self.clusters.cursor += by

    def action_yank(self) -> None:
        cluster, detail = self.current, self.pane.detail
        if cluster is not None:
            known = detail is not None and detail.id == cluster.id
            copied = clean(detail.message if detail is not None and known else cluster.form)
            self.app.copy_to_clipboard(copied)
            tell(self, f"Copied {len(copied)} characters.")

    def action_back(self) -> None:
        """Leave the detail, then the marks, then the screen."""
        if self.has_class("-detail"):
            self.remove_class("-detail")
            self.clusters.focus()
            self.refresh_bindings()
        elif self.clusters.marked:
            self.clusters.unmark_all()
        else:
            self.post_message(ModeWanted("run"))

    @work(group="look", exit_on_error=False)
    async def action_look(self) -> None:
        """Show exactly the pictures of the chosen clusters among the items, unless another screen is shown by then."""
        if chosen := self.chosen:
            run_id = self.run_id
            ids = await self.services.failures.task_ids(ids_of(chosen), tries=self._tries)
            if self.app.screen is self:
                words = failure_verbs.look_words(chosen, form_words(chosen[0]))
                self.post_message(ItemsWanted("", ids, words, run_id))


def _facts(seen: SeenRun) -> tuple[object, ...]:
    """What moves when something has failed, was put back or skipped, and with the minutes of the trends."""
    return seen.view.counts.failed, seen.view.failures, seen.view.attempt_failures, int(seen.at // 60)
