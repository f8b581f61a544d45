"""Steering by key: wishes that wait for the file, haste, stops that stand, and the end of the app."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EventView, Intent, KeyView, Phase, RunView
from vqa_tui.operations.workspace import open_workspace, patient_connection
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.key_quotas import KeyQuotasDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.dashboard_body import DashboardBody, keys_height
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.wishes import Wishes

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


async def test_reading_goes_on_while_a_write_waits_and_the_write_comes_in_the_end(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace, patient_connection(workspace) as writing:
        services = Services(workspace, writing)
        holder = sqlite3.connect(workspace.paths.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with writing.db.write() as transaction:
                await transaction.execute("PRAGMA user_version = 7")

        waiting = asyncio.create_task(write())
        async with asyncio.timeout(5):
            assert await services.runs() == ()
            assert not waiting.done()
        holder.execute("ROLLBACK")
        async with asyncio.timeout(5):
            await waiting
        holder.execute("BEGIN IMMEDIATE")
        given_up = asyncio.create_task(write())
        await asyncio.sleep(0)
        given_up.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([given_up])
        assert given_up.cancelled()
        holder.close()


async def test_a_workspace_that_is_gone_or_replaced_is_noticed(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        services = Services(workspace, workspace)
        services.require_workspace()
        file = workspace.paths.database
        file.rename(file.with_suffix(".moved"))
        with pytest.raises(VqaError, match="gone or was replaced"):
            services.require_workspace()
        file.touch()
        with pytest.raises(VqaError, match="gone or was replaced"):
            services.require_workspace()


async def test_a_pause_that_waits_says_so_and_leaving_names_it(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(run_id: int, *, cancel_in_flight: bool = False) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(running, "pause", never)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        await pilot.press("p")
        await until(pilot, lambda: "Pausing …" in screen_text(app))
        await until(pilot, lambda: "Waiting for the workspace file" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "pause of this run is on its way" in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
        assert "pause of stcray-train" in str(app._exit_renderables[0])


async def test_a_retry_that_starts_an_engine_says_that_it_waits_for_it(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(run_id: int) -> int:
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(running, "retry_failed", never)
    running.change(phase=Phase.DONE)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "Put back …: waiting for the engine to be at work." in screen_text(app))
        assert "Waiting for the workspace file" not in screen_text(app)


async def test_leaving_does_not_wait_for_a_workspace_that_cannot_be_read(
    app: VqaApp, running: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> tuple[()]:
        await asyncio.Event().wait()
        return ()

    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown(app))
        monkeypatch.setattr(running, "runs", never)
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
        assert "Engines that were at work go on" in str(app._exit_renderables[0])


async def test_two_presses_start_one_engine(
    fake: Fake, make_lost: MakeView, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, started, release = fake(make_lost()), list[int](), asyncio.Event()

    async def slow(run_id: int) -> None:
        started.append(run_id)
        await release.wait()

    monkeypatch.setattr(services, "resume", slow)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown(app))
        await pilot.press("r", "r", "r")
        await until(pilot, lambda: started)
        release.set()
        await until(pilot, lambda: not app.watch_over.wishes.unwritten)
        assert started == [1]


async def test_pause_after_a_confirmed_stop_changes_nothing(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        running.views[1] = replace(running.views[1], intent=Intent.STOP)
        await pilot.press("y")
        await until(pilot, lambda: ("stop", 1) in running.wanted and "Stopping …" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "to stop" in screen_text(app))
        assert not [wish for wish in running.wanted if wish[0] == "pause"]


async def test_the_key_does_what_it_said_and_not_what_became_of_it(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        running.views[1] = replace(running.views[1], phase=Phase.PAUSED)
        await pilot.press("p")
        await until(pilot, lambda: "press p again to resume" in screen_text(app))
        assert running.wanted == []


def test_haste_is_over_after_a_while_or_once_told() -> None:
    now = [0.0]
    wishes = Wishes(lambda: now[0])
    wishes.note_pause(1)
    now[0] = 1.0
    assert wishes.too_hasty(1) and not wishes.too_hasty(1)
    wishes.note_pause(1)
    now[0] = 4.0
    assert not wishes.too_hasty(1)


async def test_the_run_under_the_cursor_is_steered_from_the_list(fake: Fake, make_view: MakeView, until: Wait) -> None:
    services = fake(make_view(), make_view(id=2, name="second"))
    app = VqaApp(services)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(LiveTable).rows)
        await pilot.press("j", "p")
        await until(pilot, lambda: ("pause", 2, False) in services.wanted)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: ("stop", 2) in services.wanted)


async def test_an_unexpected_end_is_no_success_and_shows_no_values(running: Fake, tmp_path: Path) -> None:
    running.crashes = tmp_path / "crashes"
    app = VqaApp(running, open_run=1)

    def broken() -> None:
        secret = "sk-very-" + "secret"
        raise LookupError(f"no {len(secret)}")

    async def break_it(_pilot: object) -> None:
        app.call_later(broken)

    await app.run_async(headless=True, auto_pilot=break_it, size=(80, 24))
    assert app.return_code == 1
    (path,) = running.crashes.iterdir()
    written = path.read_text("utf-8")
    assert "LookupError" in written and "sk-very-secret" not in written
    assert path.stat().st_mode & 0o777 == 0o600
    (said,) = app._exit_renderables or ("",)
    assert "sk-very" not in str(said)


async def test_trouble_stays_on_screen_until_it_is_over(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        running.gone = VqaError("the workspace file /data is gone")
        await until(pilot, lambda: "✖ cannot read the workspace: the workspace file /data is gone" in screen_text(app))
        assert isinstance(app.screen, DashboardScreen)
        running.gone = None
        await until(pilot, lambda: "cannot read the workspace" not in screen_text(app))


async def test_toasts_never_cover_why_idle_and_are_two_at_most(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: shown(app))
        for number in range(5):
            tell(app, f"toast {number} " + "long " * 40, severity="warning")
        await until(pilot, lambda: "toast 4" in screen_text(app))
        lines = screen_text(app).split("\n")
        assert "why idle: 2 of 16 slots wait for key b" in lines[-2] and "toast" not in lines[-1]
        first, second = (number for number, line in enumerate(lines) if "toast" in line)
        assert (first, second) == (len(lines) - 8, len(lines) - 5), "three lines each, above the last two"
        assert "long …" in lines[-3] and "long …" in lines[-6]


async def test_a_reason_is_read_to_its_end(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        reason = "It cannot be done now because the engine of this run is at work on what was asked before. "
        tell(app, f"{reason}Press x to stop it, and then d once more to delete it.", severity="warning")
        await until(pilot, lambda: "delete it." in screen_text(app))
        await until(
            pilot, lambda: all(words in screen_text(app) for words in ("It cannot be done now", "Press x to stop it"))
        )


@pytest.mark.parametrize("word", ["a", "aa", "aaa", "aaaa"])
@pytest.mark.parametrize("width", [60, 79, 80, 81, 120, 200])
async def test_a_long_toast_is_broken_where_it_ends(
    app: VqaApp, until: Wait, screen_text: Text, width: int, word: str
) -> None:
    """A line that were longer than the toast would take two, and the last would be out of sight."""
    async with app.run_test(size=(width, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        tell(app, f"{word} " * 599, severity="warning")
        await until(pilot, lambda: f"{word} {word} …" in screen_text(app))


@pytest.mark.parametrize(("keys", "room", "height"), [(3, 14, 6), (12, 14, 9), (0, 14, 4), (12, 6, 4)])
def test_the_keys_get_the_rows_that_there_are(keys: int, room: int, height: int) -> None:
    assert keys_height(keys, room) == height


async def test_many_keys_show_the_dead_one_and_its_whole_story(
    fake: Fake, make_view: MakeView, until: Wait, screen_text: Text
) -> None:
    keys = (*tuple(KeyView(f"k{n}", "g", "ok") for n in range(11)), KeyView("dead", "g", "off", "401 " + "why " * 40))
    app = VqaApp(fake(make_view(keys=keys)), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "dead" in screen_text(app) and "k4" in screen_text(app))
        app.screen.query_one("#keys").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, KeyQuotasDialog))
        await until(pilot, lambda: screen_text(app).count("why ") >= 40)


async def test_an_event_opens_in_full(fake: Fake, make_view: MakeView, until: Wait, screen_text: Text) -> None:
    event = EventView(1, 0.0, "warning", "long " * 60 + "the end")
    app = VqaApp(fake(make_view(events=(event,))), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown(app))
        app.screen.query_one("#events").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "the end" in screen_text(app))


async def test_on_a_short_screen_every_table_can_be_reached_by_key(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, lambda: shown(app))
        for table in ("keys", "slots", "events"):
            for _ in range(6):
                await pilot.press("tab")
                if app.focused is not None and app.focused.id == table:
                    break
            assert app.focused is not None and app.focused.id == table
            await until(pilot, lambda: app.screen.query_one(DashboardBody).region.overlaps(app.focused.region))


async def test_the_key_bar_names_what_p_does_and_every_click_is_its_key(
    fake: Fake, make_view: MakeView, until: Wait
) -> None:
    services = fake(make_view(phase=Phase.PAUSED))
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(220, 30)) as pilot:
        await until(pilot, lambda: shown(app))
        bar = app.screen.query_one(KeyBar)
        await until(pilot, lambda: "p resume" in bar.render_line(0).text)
        text = bar.render_line(0).text
        assert "+ - workers" in text and "1 runs" in text
        await pilot.click(KeyBar, offset=(text.index("- workers"), 0))
        await until(pilot, lambda: ("set_limits", 1, {"concurrency": "15"}) in services.wanted)


async def test_with_sixteen_colours_grey_keys_leave_no_gap(
    app: VqaApp, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(200, 30)) as pilot:
        await until(pilot, lambda: shown(app))
        bar = app.screen.query_one(KeyBar)
        monkeypatch.setattr(type(app.console), "color_system", "truecolor")
        assert "a approve" in bar.render_line(0).text
        monkeypatch.setattr(type(app.console), "color_system", "standard")
        assert "a approve" not in bar.render_line(0).text


def shown(app: VqaApp) -> Any:
    """The view on the dashboard, or nothing."""
    screen = app.screen
    return screen.view if isinstance(screen, DashboardScreen) else None
