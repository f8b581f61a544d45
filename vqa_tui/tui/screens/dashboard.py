"""The dashboard of one run: everything about it at a glance, and every key that steers it."""

import asyncio
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from vqa_tui.domain.course import Moment
from vqa_tui.domain.run import EventView, KeyView, Phase, RunView
from vqa_tui.operations.limits import LimitInForce
from vqa_tui.tui import verbs
from vqa_tui.tui.messages import ItemsWanted, ModeWanted
from vqa_tui.tui.present import past, run_lines, run_panels
from vqa_tui.tui.present.keys import KEY_COLUMNS, key_rows, key_text, throttle_line
from vqa_tui.tui.present.load import projection_words
from vqa_tui.tui.present.log_rows import past_event_row
from vqa_tui.tui.present.numbers import clock, money
from vqa_tui.tui.present.past import PastText
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import EVENT_COLUMNS, SLOT_COLUMNS, event_row, slot_rows
from vqa_tui.tui.present.run_lines import Banner
from vqa_tui.tui.present.run_panels import PanelText
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.key_quotas import KeyQuotasDialog
from vqa_tui.tui.screens.limits import LimitsDialog
from vqa_tui.tui.screens.zooming import TITLES, ZoomingScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.dashboard_body import DashboardBody
from vqa_tui.tui.widgets.event_log import EventLog
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.panel import Draw, Panel
from vqa_tui.tui.widgets.titles import show_title
from vqa_tui.tui.widgets.why_idle import WhyIdle
from vqa_tui.tui.widgets.zoomed_text import ZoomedText
from vqa_tui.tui.worker_wishes import WorkerWishes

_PRESSES_S = 0.1
"""Seconds in which presses of + and - are gathered into one change."""
_PANELS: tuple[tuple[str, PanelText, PastText], ...] = (
    ("throughput", run_panels.throughput, past.throughput),
    ("cost", run_panels.cost, past.cost),
    ("failures", run_panels.failures, past.failures),
)


def _panel(text: PanelText) -> Draw:
    return lambda view, _at, width, height: text(view, width, height)


def _progress(view: RunView, _at: float, width: int, _height: int) -> Content:
    return run_lines.progress(view, width)


def _past_line(line: Callable[[RunView, Moment, int], Content]) -> PastText:
    return lambda view, moment, width, _height: line(view, moment, width)


def _nothing(words: str) -> Content:
    return Content.styled(words, QUIET)


class DashboardScreen(ZoomingScreen):
    """Mode 2: the followed run, live or at a moment of its past."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"approve", "retry_failed", "budget", "limits", "workers", "export"})
    _trouble = ""
    _banner = Content("")

    tells_phases = True
    """The banner says what the run does, so that the app need not."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dashboard.tcss"]
    AUTO_FOCUS: ClassVar[str | None] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (70, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-normal"), (38, "-tall")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p",
            "toggle_pause",
            "pause",
            id="run.pause",
            tooltip="Pause or resume; once more while pausing cancels",
        ),
        Binding(
            "r",
            "resume",
            "resume",
            id="run.resume",
            tooltip="Let the run go on; starts a lost engine anew",
        ),
        Binding("x", "stop", "stop", id="run.stop", tooltip="End the engine; the run can be resumed"),
        Binding("a", "approve", "approve", id="run.approve", tooltip="Approve the pilot: ask all the rest"),
        Binding("R", "retry_failed", "retry", id="run.retry", tooltip="Put all that failed back into the queue"),
        Binding("b", "budget", "budget", id="run.budget", tooltip="Change the most that this run may spend"),
        Binding("l", "limits", "limits", id="run.limits", tooltip="See and change every limit, quotas by key included"),
        Binding(
            "plus,equals_sign",
            "workers(1)",
            "more workers",
            key_display="+",
            id="run.more-workers",
            tooltip="One more request in flight",
        ),
        Binding(
            "minus",
            "workers(-1)",
            "fewer workers",
            id="run.fewer-workers",
            tooltip="One request in flight less",
            key_display="-",
        ),
        Binding("i", "items", "items", id="run.items", tooltip="Look at the pictures one by one"),
        Binding("f", "show_failures", "failures", id="run.failures", tooltip="What went wrong, gathered by cause"),
        Binding("F", "show_failed", "failed", id="run.failed", tooltip="Look at what failed, alone", show=False),
        Binding("e", "export", "export", id="run.export", tooltip="Write the finished pairs as a training file"),
        Binding("z", "zoom", "zoom", id="run.zoom", tooltip="Let the panel with the focus fill the screen, and back"),
        Binding(
            "tab", "app.focus_next", "Next panel", id="run.next-panel", tooltip="To the next panel or table", show=False
        ),
        Binding(
            "shift+tab",
            "app.focus_previous",
            "Previous panel",
            id="run.previous-panel",
            show=False,
            tooltip="To the panel or table before",
        ),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._worker_wishes = WorkerWishes()
        self._events: tuple[EventView, ...] | None = None
        """The events of the present that the table shows; None while it shows those of the past."""
        self._runs_key: str | None = None
        """The key in force that leads to the list of runs, empty where there is none; None when it may be another."""

    def compose(self) -> ComposeResult:
        bound = (DashboardScreen.seen, DashboardScreen.moment)
        yield Panel(self._header, past=_past_line(past.header), id="header").data_bind(*bound)
        yield Panel(_progress, past=_past_line(past.progress), id="progress").data_bind(*bound)
        yield Static("", id="banner")
        with DashboardBody(id="body"):
            with Horizontal(id="panels"):
                for name, text, of_past in _PANELS:
                    yield Panel(_panel(text), past=of_past, title=TITLES[name], zooms=True, id=name).data_bind(*bound)
            yield LiveTable(KEY_COLUMNS, id="keys", empty=_nothing("no key has been used yet"), picks=True)
            with Horizontal(id="bottom"):
                yield LiveTable(SLOT_COLUMNS, id="slots", empty=_nothing("nothing is in flight"), picks=True)
                nothing = _nothing("nothing has happened yet")
                yield LiveTable(EVENT_COLUMNS, id="events", empty=nothing, picks=True, newest_first=True)
            yield ZoomedText(id="zoom")
            yield EventLog(id="log")
        yield WhyIdle(id="why-idle").data_bind(*bound)
        yield KeyBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#cost").tooltip = "uncertain: may have been billed, by requests that ended without a report"
        self.watch_over.trouble.subscribe(self, self._take_trouble)
        self.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self.set_interval(1.0, self._age_header)

    def _header(self, view: RunView, at: float, width: int, _height: int) -> Content:
        choosing = run_lines.choosing_words(self._key_of_runs(), newest=self.watch_over.unasked)
        return run_lines.header(view, time.time(), width, age_s=time.time() - at, choosing=choosing)

    def _key_of_runs(self) -> str:
        """Return the key that leads to the list of runs; looking through what is in force asks about every action."""
        if self._runs_key is None:
            active = (each.binding for each in self.active_bindings.values())
            self._runs_key = next((self.app.get_key_display(each) for each in active if each.id == "app.runs"), "")
        return self._runs_key

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self._runs_key = None

    def _age_header(self) -> None:
        """What is shown grows old although nothing new is seen."""
        if self.seen is not None and time.time() - self.seen.at > run_lines.STALE_AFTER_S:
            self.query_one("#header").refresh()

    def _take_trouble(self, words: str) -> None:
        self._trouble = words
        if self.view is not None:
            self._show_banner(self.view)

    def watch_seen(self, old: SeenRun | None, new: SeenRun | None) -> None:
        """Carry one sight into the tables, the banner and the state of the keys; panels take it by themselves."""
        if new is None or not self.is_mounted:
            return
        self.meet_run()
        view = new.view
        if self.moment is None:
            self._show_tables(new)
        if old is None or len(old.view.keys) != len(view.keys):
            body = self.query_one(DashboardBody)
            body.fit(body.size.height)
        self._show_banner(view)
        if self.zoomed and (old is None or old.view.id != view.id):
            self.read_zoom()
        self._worker_wishes.seen(view, new.at)
        if old is None or _key_states(old.view) != _key_states(view):
            self.refresh_bindings()

    def _show_tables(self, seen: SeenRun) -> None:
        view = seen.view
        keys = self.query_one("#keys", LiveTable)
        keys.set_rows(key_rows(view, seen.at))
        show_title(keys, throttle_line(view, seen.at), below=True)
        self.query_one("#slots", LiveTable).set_rows(slot_rows(view.in_flight))
        if view.events != self._events:
            self._events = view.events
            self.query_one("#events", LiveTable).set_rows([event_row(event) for event in view.events])

    def watch_moment(self, old: Moment | None, new: Moment | None) -> None:
        """Show in the tables what is recorded of the moment, and say what is not."""
        if self.seen is None or not self.is_mounted:
            return
        keys, slots = self.query_one("#keys", LiveTable), self.query_one("#slots", LiveTable)
        keys.set_empty(_nothing(past.NOT_RECORDED if new else "no key has been used yet"))
        slots.set_empty(_nothing(past.NOT_RECORDED if new else "nothing is in flight"))
        if new is None:
            self._show_tables(self.seen)
        else:
            keys.border_subtitle = ""
            keys.set_rows([])
            slots.set_rows([])
            self._events = None
            self.query_one("#events", LiveTable).set_rows([past_event_row(entry) for entry in new.facts.log])
        self._show_banner(self.seen.view)
        if (old is None) != (new is None):
            self.refresh_bindings()
        if self.zoomed:
            self.read_zoom()

    def _show_banner(self, view: RunView) -> None:
        if self._trouble:
            banner: Banner | None = run_lines.trouble_banner(self._trouble)
        elif self.moment is not None:
            banner = past.banner(view, self.moment, time.time())
        else:
            banner = run_lines.banner(view)
        widget = self.query_one("#banner", Static)
        widget.display = banner is not None
        for tone in ("error", "warning", "approval", "quiet", "past"):
            widget.set_class(banner is not None and banner.tone == tone, f"-{tone}")
        if banner is not None and not banner.content.is_same(self._banner):
            self._banner = banner.content
            widget.update(banner.content)

    def key_words(self, action: str) -> str | None:
        """Name the pause key by what it does; the keys of the workers share one word."""
        shared = {"workers(1)": "", "workers(-1)": "workers"}.get(action)
        return super().key_words(action) if shared is None else shared

    def leave(self) -> None:
        self.post_message(ModeWanted("runs"))

    def action_items(self) -> None:
        waiting = self.view is not None and self.view.phase is Phase.AWAITING_APPROVAL
        # Whoever is to approve the pilot wants to see its answers, not the many that were not asked yet.
        self.post_message(ItemsWanted("status:done" if waiting else None))

    def action_show_failures(self) -> None:
        self.post_message(ModeWanted("failures"))

    def action_show_failed(self) -> None:
        self.post_message(ItemsWanted("status:failed"))

    @on(LiveTable.Picked, "#slots")
    def _slot_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if isinstance(event.row_id, int):
            self.app.push_screen(ItemScreen(self.services, self.watch_over, array("q", [event.row_id]), 0))

    @on(LiveTable.Picked, "#keys")
    def _key_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if self.seen is not None:
            for key in self.seen.view.keys:
                if key.name == event.row_id:
                    self._open_key(key, self.seen)

    @work(group="all-limits", exit_on_error=False)
    async def _open_key(self, key: KeyView, seen: SeenRun) -> None:
        """Show all there is to say about one key, and let its quotas be changed, where anything may be."""
        if self.services.read_only:
            self.app.push_screen(FullText(f"Key {key.name}", key_text(key, seen.at)))
        else:
            dialog = KeyQuotasDialog(key, key_text(key, seen.at), read=self._read_limits, change=self._change_limit)
            await self.ask(dialog)

    @on(LiveTable.Picked, "#events")
    def _event_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if self.moment is not None:
            self.show_entry(event.row_id, self.moment.facts.log)
            return
        for each in self.view.events if self.view is not None else ():
            if event_row(each).id == event.row_id:
                self.app.push_screen(FullText(f"{clock(each.at)} {each.level}", each.message))

    def action_workers(self, by: int) -> None:
        """Allow one request in flight more or less; quick presses add up."""
        if (view := self.view) is not None and self._worker_wishes.add(view, by):
            self.write_workers(view)

    @work(group="workers", exit_on_error=False)
    async def write_workers(self, view: RunView) -> None:
        """Write how many workers are wanted for one run until no press has come meanwhile."""
        wishes = self._worker_wishes
        try:
            with self.watch_over.wishes.carry_out(view.id, "workers", f"worker count of {view.name}"):
                await asyncio.sleep(_PRESSES_S)
                while (wanted := wishes.next_to_write(view.id, time.time())) is not None:
                    changes = {"concurrency": str(wanted)}
                    await self.written(view, "worker count", self.services.set_limits(view.id, changes))
        except BaseException:
            wishes.forget(view.id)
            raise

    @work(group="budget", exit_on_error=False)
    async def action_budget(self) -> None:
        view = self.view
        if view is None:
            return
        cap = view.limits.budget_usd
        body = (
            f"The most that this run may spend, in dollars; empty for no cap. Spent so far: {money(view.cost.spent)}, "
            f"projected: {projection_words(view.cost)}."
        )
        dialog = ValueDialog("Budget", body, value="" if cap is None else f"{cap:f}", check=check_budget)
        value = await self.ask(dialog)
        if value is not None:
            changes = {"budget": value.removeprefix("$") or "none"}
            await self.written(view, "new budget", self.services.set_limits(view.id, changes))
            tell(self, f"Budget: ${value.removeprefix('$')}" if value else "Budget: no cap")

    @work(group="all-limits", exit_on_error=False)
    async def action_limits(self) -> None:
        if (view := self.view) is not None:
            dialog = LimitsDialog(f"Limits of {view.name}", read=self._read_limits, change=self._change_limit)
            await self.ask(dialog)

    async def _read_limits(self) -> Sequence[LimitInForce]:
        return await self.services.limits(self.run_id)

    async def _change_limit(self, name: str, value: str) -> None:
        if (view := self.view) is not None:
            await self.written(view, f"new {name}", self.services.set_limits(view.id, {name: value}))

    @work(group="export", exit_on_error=False)
    async def action_export(self) -> None:
        if (view := self.view) is not None:
            await self.ask(ExportDialog(self.services, view.id, view.name))


def check_budget(text: str) -> None:
    """Raise VqaError unless `text` is empty or an amount of dollars that can be a budget."""
    from vqa_tui.tui.run_form import parse_dollars  # only here: it brings along what plans a run

    if text:
        parse_dollars(text)


def _key_states(view: RunView) -> tuple[object, ...]:
    """Which actions can be done, and what the pause key means."""
    return (verbs.pause_means(view), *(verbs.why_not(action, view) is None for action in verbs.ACTIONS))
