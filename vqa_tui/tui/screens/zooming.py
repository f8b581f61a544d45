"""Zooming: one panel or table of the dashboard fills its body and shows more; read once a second while it does."""

import time
from collections.abc import Hashable, Iterable

from textual import events, on, work
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from vqa_tui.domain.course import LogEntry
from vqa_tui.tui.course_reader import LogReader
from vqa_tui.tui.present import zoomed as zooms
from vqa_tui.tui.present.log_rows import LEVEL_CHOICES, entry_id
from vqa_tui.tui.present.log_words import entry_words
from vqa_tui.tui.present.numbers import clock
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.zoomed import Zoom, Zoomed
from vqa_tui.tui.present.zoomed_failures import failures
from vqa_tui.tui.present.zoomed_keys import keys
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.time_travel import WITHIN_SECOND_S, TimeTravelScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.dashboard_body import DashboardBody
from vqa_tui.tui.widgets.event_log import EventLog
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.panel import Panel
from vqa_tui.tui.widgets.zoomed_text import ZoomedText

TITLES = {
    "throughput": "Throughput",
    "cost": "Cost",
    "failures": "Failures",
    "keys": "Keys",
    "slots": "In flight",
    "events": "Events",
}
"""Every panel and table that can be zoomed, by its id."""
_TEXTS: dict[str, Zoom] = {"throughput": zooms.throughput, "cost": zooms.cost, "failures": failures, "keys": keys}
_READ_EVERY_S = 1.0
_PATIENCE = 20
"""A read that takes long is repeated this many times more seldom than it takes, so that it costs 5 % at the most."""
_LONGEST_READ_S = 60.0
"""The clock lets a read that is under way end; only another wish of the person cuts it off."""
_FOCUSED = "▸ "


class ZoomingScreen(TimeTravelScreen):
    """The dashboard as one of its panels."""

    zoomed: reactive[str] = reactive("", repaint=False)
    """Id of what fills the body; empty while all of it is shown."""

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.log_pages = LogReader(services.history)
        self._level = 0
        self._read_again_at = 0.0
        self._read_of: object = None

    def on_mount(self) -> None:
        super().on_mount()
        self._mark_titles()
        self.set_interval(_READ_EVERY_S, self._refresh_zoom)

    def key_words(self, action: str) -> str | None:
        if action == "zoom" and self.zoomed:
            return "all panels"
        return super().key_words(action)

    def action_zoom(self) -> None:
        """Enlarge what has the focus, by default the throughput; or show all panels again."""
        if self.zoomed:
            self.zoomed = ""
        else:
            chosen = self.focused.id if self.focused is not None else None
            self.zoomed = chosen if chosen in TITLES else "throughput"

    @on(Panel.ZoomWanted)
    def _panel_zoomed(self, event: Panel.ZoomWanted) -> None:
        event.stop()
        self.zoomed = event.panel.id or ""

    def action_back(self) -> None:
        """Out of the zoom first, then out of the past, then back to the runs."""
        if self.zoomed:
            self.zoomed = ""
        else:
            super().action_back()

    def watch_zoomed(self, old: str, new: str) -> None:
        """Give the body to one panel, or to all of them, and the focus with it."""
        if not self.is_mounted:
            return
        self.query_one(DashboardBody).zoom(new, text=new in _TEXTS)
        self._read_of, self._read_again_at = None, 0.0
        self.query_one(f"#{self._focus_of(old, new)}").focus()
        self._mark_titles()
        self.refresh_bindings()
        if new:
            self.read_zoom()

    def leave_run(self) -> None:
        """Show nothing that was read of the run that was shown before."""
        super().leave_run()
        for group in ("zoom", "older"):
            self.workers.cancel_group(self, group)
        self._read_of, self._read_again_at = None, 0.0
        self.log_pages = LogReader(self.services.history)
        if self.zoomed:
            self.query_one(EventLog).set_entries((), 0.0)
            self.query_one(ZoomedText).show(lambda _width, _height: Content.styled("reading …", QUIET))

    @staticmethod
    def _focus_of(old: str, new: str) -> str:
        if not new:
            return old
        return {"events": "log", "keys": "keys", "slots": "slots"}.get(new, "zoom")

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        self._mark_titles()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        self._mark_titles()

    def _mark_titles(self) -> None:
        """Say by a mark, not by colour alone, which panel has the focus."""
        for name, title in TITLES.items():
            widget = self.query_one(f"#{name}")
            widget.border_title = (_FOCUSED if widget.has_focus else "") + title
            if isinstance(widget, Panel):
                widget.border_subtitle = "z zooms" if widget.has_focus else ""
        if self.zoomed:
            title = TITLES[self.zoomed]
            self._title(self.query_one("#zoom"), "Groups and throttle" if self.zoomed == "keys" else title)
            self._title(self.query_one("#log"), f"{title}: {LEVEL_CHOICES[self._level][0]}")

    @staticmethod
    def _title(widget: Widget, title: str) -> None:
        widget.border_title = (_FOCUSED if widget.has_focus else "") + title
        widget.border_subtitle = "z or esc: all panels"

    def _refresh_zoom(self) -> None:
        """Once a second, while somebody looks."""
        if self.zoomed and self.app.screen is self and time.monotonic() >= self._read_again_at:
            self.read_zoom()

    @work(group="zoom", exclusive=True, exit_on_error=False)
    async def read_zoom(self) -> None:
        """Read what the zoomed panel shows, where that can have changed, and draw it."""
        view, name = self.view, self.zoomed
        if view is None or not name or view.id != self.about_run:
            return
        began = time.monotonic()
        self._read_again_at = began + _LONGEST_READ_S
        newest = view.events[0] if view.events else None
        moved = (view.id, name, self._level, self.moment, view.counts, view.tokens, view.attempt_failures, newest)
        if moved != self._read_of:
            try:
                await self._read_for(name, view.id)
            except Exception:
                self._read_again_at = time.monotonic() + _READ_EVERY_S
                raise
            if view.id != self.about_run:
                self._read_again_at = 0.0
                return
            self._read_of = moved
        if self.zoomed == name:
            self.show_zoom()
        self._read_again_at = time.monotonic() + _PATIENCE * (time.monotonic() - began) - _READ_EVERY_S / 2

    async def _read_for(self, name: str, run_id: int) -> None:
        """Read what the panel of that name shows of a run."""
        if name in _TEXTS:
            await self.course.read(run_id)
        if name == "cost":
            await self.course.read_spending(run_id)
        elif name == "failures":
            await self.course.read_failures(run_id)
        elif name == "events":
            until = self.moment.at + WITHIN_SECOND_S if self.moment is not None else None
            await self.log_pages.read(run_id, LEVEL_CHOICES[self._level][1], until)

    def show_zoom(self) -> None:
        """Draw the zoomed panel from what was read."""
        seen, name = self.seen, self.zoomed
        if seen is None or seen.view.id != self.about_run:
            return
        if name == "events":
            self.query_one(EventLog).set_entries(self.log_pages.entries, seen.at)
        elif name in _TEXTS:
            course, text = self.course, _TEXTS[name]
            sight = Zoomed(
                seen.view, seen.at, course.points, course.steps, self.moment, course.spending, course.failures
            )
            self.query_one(ZoomedText).show(lambda width, height: text(sight, width, height))

    @on(EventLog.MoreWanted)
    def _more_wanted(self, event: EventLog.MoreWanted) -> None:
        event.stop()
        self._read_older()

    @work(group="older", exclusive=True, exit_on_error=False)
    async def _read_older(self) -> None:
        if await self.log_pages.read_older():
            self.show_zoom()

    @on(EventLog.LevelWanted)
    def _level_wanted(self, event: EventLog.LevelWanted) -> None:
        event.stop()
        self._level = (self._level + 1) % len(LEVEL_CHOICES)
        self._mark_titles()
        self.read_zoom()

    @on(LiveTable.Picked, "#log")
    def _entry_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.show_entry(event.row_id, self.log_pages.entries)

    def show_entry(self, row_id: Hashable, entries: Iterable[LogEntry]) -> None:
        """Show the whole of one entry of the log."""
        for entry in entries:
            if entry_id(entry) == row_id:
                who = f" by {entry.who}" if entry.who else ""
                self.app.push_screen(FullText(f"{clock(entry.at)} {entry.level}{who}", entry_words(entry)))
                return
