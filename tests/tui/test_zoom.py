"""Zooming: every panel by key at a narrow and a wide size, what it reads, and the whole log page by page."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest

from tests.course_points import steady
from tests.tui.fake_history import FakeHistory
from tests.tui.test_hostile_text import HOSTILE, check, spoil, visits
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.course import FailureCount, FailureCourse, FailuresUntil, LogCursor, LogEntry, LogPage, MomentFacts
from vqa_tui.domain.failure import VqaError
from vqa_tui.store import runs
from vqa_tui.tui import course_reader
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import RunPicked
from vqa_tui.tui.present.log_rows import entry_row
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.widgets.event_log import EventLog

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
SIZES = [(80, 24), (200, 50)]


def dashboard(app: VqaApp) -> DashboardScreen | None:
    screen = app.screen
    return screen if isinstance(screen, DashboardScreen) and screen.seen is not None else None


def zoomed(app: VqaApp) -> str:
    screen = dashboard(app)
    return screen.zoomed if screen is not None else ""


@pytest.mark.parametrize("size", SIZES)
async def test_z_enlarges_what_has_the_focus_and_leads_back(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    running.history.points = steady(1_790_000_000, 300)
    running.history.log = (LogEntry(1, 1_790_000_000.0, "warning", "something happened"),)
    more = {
        "throughput": "mean of the run 5.00/s",
        "cost": "$5.89 below the cap",
        "failures": "the reply could not be read",
        "keys": "group project-1",
        "slots": "BOP000_Battery/scan_0.jpg",
        "events": "something happened",
    }
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: dashboard(app))
        for name, words in more.items():
            await pilot.press("tab")
            focused = app.focused
            assert focused is not None and focused.id == name
            title = str(focused.border_title)
            assert title.startswith("▸ ")
            await until(pilot, lambda title=title: f"{title} " in screen_text(app))
            await pilot.press("z")
            await until(pilot, lambda words=words: words in screen_text(app))
            assert zoomed(app) == name
            boxes = 2 if name == "keys" else 1
            await until(pilot, lambda boxes=boxes: screen_text(app).count("╭") == boxes)
            await pilot.press("z" if name in ("cost", "keys") else "escape")
            await until(pilot, lambda: "In flight" in screen_text(app) and not zoomed(app))
            assert app.focused is focused


async def test_enter_and_a_double_click_enlarge_a_panel(app: VqaApp, until: Wait) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: zoomed(app) == "cost")
        await pilot.press("escape")
        await pilot.click("#failures", times=2)
        await until(pilot, lambda: zoomed(app) == "failures")


async def test_nothing_is_read_of_the_past_while_nothing_is_zoomed(
    app: VqaApp, running: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    course = running.history.course

    async def counted(run_id: int, *, since: int = 0) -> Any:
        read.append(since)
        return await course(run_id, since=since)

    running.history.points = steady(1_790_000_000, 30)
    monkeypatch.setattr(running.history, "course", counted)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: dashboard(app))
        for done in range(5):
            running.change(samples=done)
            await until(pilot, lambda done=done: (d := dashboard(app)) and d.view and d.view.samples == done)
        assert read == []
        await pilot.press("z")
        await until(pilot, lambda: read == [0])
        counts = running.views[1].counts
        running.change(counts=replace(counts, done=counts.done + 1))
        await until(pilot, lambda: len(read) == 2)
        assert read[1] == 1_790_000_030


async def test_a_zoomed_panel_fits_every_size(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    running.history.points = steady(1_790_000_000, 300)
    async with app.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("z")
        await until(pilot, lambda: "Sent" in screen_text(app))
        for size in ((40, 10), (20, 6), (80, 24)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.size == size)
        await until(pilot, lambda: "Rate" in screen_text(app) and "Sent" not in screen_text(app))
        assert "throttle" not in screen_text(app)


async def test_long_text_scrolls_by_key(app: VqaApp, running: Fake, until: Wait, screen_text: Text) -> None:
    kinds = ("timeout", "network", "server", "auth", "lost", "cancelled", "refused", "rejected")
    running.change(attempt_failures=dict.fromkeys(kinds, 3))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: dashboard(app))
        app.screen.query_one("#failures").focus()
        await pilot.press("z")
        await until(pilot, lambda: "failed for good" in screen_text(app))
        assert "rejected" not in screen_text(app)
        await pilot.press("G")
        await until(pilot, lambda: "rejected" in screen_text(app))
        await pilot.press("g")
        await until(pilot, lambda: "failed for good" in screen_text(app))


async def test_the_log_goes_back_to_the_first_event(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    database = workshop.workspace.db
    async with database.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, ?, ?)",
            [(run_id, 1_790_000_000 + n, "error" if n % 100 == 7 else "info", f"event {n}.") for n in range(700)],
        )
    await runs.note_action(database, run_id, who="ann", verb="skip", detail="3 tasks")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        app.screen.query_one("#events").focus()
        await pilot.press("z")
        log = app.screen.query_one(EventLog)
        await until(pilot, lambda: "skip → 3 tasks" in screen_text(app) and "event 690." in screen_text(app))
        assert len(log.rows) == 200
        for _ in range(3):
            before = len(log.rows)
            await pilot.press("G")
            await until(pilot, lambda before=before: len(log.rows) > before)
        await pilot.press("G")
        await until(pilot, lambda: "event 0." in screen_text(app))
        assert len({row.id for row in log.rows}) == len(log.rows) == 701
        await pilot.press("g", "v", "v")
        await until(pilot, lambda: "Events: errors" in screen_text(app) and len(log.rows) == 7)
        await pilot.press("v")
        await until(pilot, lambda: len(log.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText) and "by ann" in screen_text(app))


async def test_new_events_come_in_at_the_top(app: VqaApp, running: Fake, until: Wait) -> None:
    running.history.log = tuple(LogEntry(n, 1_790_000_000.0 + n, "info", f"event {n}") for n in (2, 1))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        app.screen.query_one("#events").focus()
        await pilot.press("z")
        log = app.screen.query_one(EventLog)
        await until(pilot, lambda: len(log.rows) == 2)
        running.history.log = (LogEntry(3, 1_790_000_009.0, "info", "event 3"), *running.history.log)
        running.change(counts=replace(running.views[1].counts, done=1))
        await until(pilot, lambda: [row.id for row in log.rows] == [(False, 3), (False, 2), (False, 1)])


@pytest.mark.parametrize("size", SIZES)
@visits(DashboardScreen, FullText)
async def test_hostile_text_in_zoomed_panels_and_in_the_past(
    fake: Fake, make_view: Any, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    services = fake(spoil(make_view()))
    entry = LogEntry(1, 1_790_000_000.0, "action", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    history = services.history
    history.points = steady(1_790_000_000, 60)
    history.log = (entry, replace(entry, id=2, level=HOSTILE))
    history.facts = MomentFacts(history.log, FailuresUntil({HOSTILE: 3}, {HOSTILE: 1}))
    history.failures = FailureCourse(1, (FailureCount(1_790_000_003, HOSTILE, 2),))
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: dashboard(app))
        for past in (False, True):
            if past:
                await pilot.press("left_square_bracket")
                await until(pilot, lambda: "End for now" in screen_text(app))
                check(app, screen_text)
            for name in ("throughput", "cost", "failures", "keys", "slots", "events"):
                app.screen.query_one(f"#{name}").focus()
                await pilot.press("z")
                await until(pilot, lambda name=name: zoomed(app) == name)
                await pilot.pause()
                if name == "events":
                    await until(pilot, lambda: "[/nope]" in screen_text(app))
                check(app, screen_text)
                await pilot.press("z")
        app.screen.query_one("#events").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))
        check(app, screen_text)


async def test_of_a_long_log_only_what_is_drawn_is_made_into_rows(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(entry: LogEntry, now: float) -> Row:
        made.append(entry.id)
        return entry_row(entry, now)

    monkeypatch.setattr("vqa_tui.tui.present.log_rows.entry_row", counted)
    entries = [LogEntry(n, 1_790_000_000.0 + n, "info", f"event {n}") for n in range(20_000, 0, -1)]
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        app.screen.query_one("#events").focus()
        await pilot.press("z")
        log = app.screen.query_one(EventLog)
        screen = app.screen
        assert isinstance(screen, DashboardScreen)
        await until(pilot, lambda: not screen.at_work("zoom"))
        made.clear()
        log.set_entries(entries, 1_790_030_000.0)
        await until(pilot, lambda: "event 20000" in screen_text(app))
        assert len(log.rows) == 20_000 and len(made) < 500


@pytest.mark.parametrize("was_read", [False, True])
async def test_a_zoomed_panel_shows_nothing_of_the_run_before(
    fake: Fake, make_view: Any, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, was_read: bool
) -> None:
    services = fake(make_view(name="first"), make_view(id=2, name="second"))
    go_on = {1: asyncio.Event(), 2: asyncio.Event()}
    asked: list[int] = []
    points = {1: steady(1_790_000_000, 300, per_second=5), 2: steady(1_790_000_000, 300, per_second=9)}

    async def course(run_id: int, *, since: int = 0) -> Any:
        asked.append(run_id)
        await go_on[run_id].wait()
        return [point for point in points[run_id] if point.at >= since]

    monkeypatch.setattr(services.history, "course", course)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("z")
        await until(pilot, lambda: asked == [1])
        if was_read:
            go_on[1].set()
            await until(pilot, lambda: "mean of the run 5.00/s" in screen_text(app))
        app.post_message(RunPicked(2))
        await until(pilot, lambda: (screen := dashboard(app)) and screen.seen and screen.seen.view.id == 2)
        await until(pilot, lambda: 2 in asked and "reading …" in screen_text(app))
        go_on[1].set()
        await pilot.pause()
        assert "mean of the run" not in screen_text(app)
        go_on[2].set()
        await until(pilot, lambda: "mean of the run 9.00/s" in screen_text(app))


async def test_what_could_not_be_read_is_read_again_soon(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.tui.screens.zooming._READ_EVERY_S", 0.05)
    asked: list[int] = []

    async def course(run_id: int, *, since: int = 0) -> Any:
        asked.append(run_id)
        if len(asked) == 1:
            raise VqaError("the workspace file is held by another program")
        return steady(1_790_000_000, 300)

    monkeypatch.setattr(running.history, "course", course)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("z")
        await until(pilot, lambda: "mean of the run 5.00/s" in screen_text(app))
        assert len(asked) == 2


async def test_the_zoomed_log_shows_nothing_of_the_run_before(
    fake: Fake, make_view: Any, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake(make_view(name="first"), make_view(id=2, name="second"))
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def log_page(run_id: int, **_asked: Any) -> LogPage:
        if run_id == 2:
            asked.set()
            await go_on.wait()
        return LogPage((LogEntry(run_id, 1_790_000_000.0, "info", f"of run {run_id}"),), None)

    monkeypatch.setattr(services.history, "log_page", log_page)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: dashboard(app))
        app.screen.query_one("#events").focus()
        await pilot.press("z")
        await until(pilot, lambda: "of run 1" in screen_text(app))
        app.post_message(RunPicked(2))
        await until(pilot, asked.is_set)
        await until(pilot, lambda: "of run 1" not in screen_text(app))
        go_on.set()
        await until(pilot, lambda: "of run 2" in screen_text(app))


class PagedHistory(FakeHistory):
    """Gives its events page by page."""

    async def log_page(
        self,
        run_id: int,
        *,
        most: int,
        older_than: LogCursor | None = None,
        levels: Collection[str] = (),
        until: float | None = None,
    ) -> LogPage:
        left = [entry for entry in self.log if older_than is None or entry.id < older_than.event_id]
        page = tuple(left[:most])
        return LogPage(page, LogCursor(page[-1].id, 1 << 62) if len(left) > most else None)


async def test_a_log_that_grows_keeps_its_newest_and_goes_back_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_reader, "MOST_ENTRIES", 500)
    history = PagedHistory()
    every = [LogEntry(n, 1_790_000_000.0 + n, "info", f"event {n}") for n in range(2_000, 0, -1)]
    reader = course_reader.LogReader(history)
    for newest in range(200, 2_001, 100):
        history.log = tuple(every[2_000 - newest :])
        await reader.read(1, (), None)
        assert reader.entries[0].id == newest and len(reader.entries) <= 500
    assert [entry.id for entry in reader.entries] == list(range(2_000, 1_500, -1))
    while await reader.read_older():
        pass
    assert [entry.id for entry in reader.entries] == list(range(2_000, 0, -1))
    await reader.read(1, (), None)
    assert len(reader.entries) == 2_000, "what was scrolled to stays"
