"""Looking at the past of a run: stepping over what was recorded, what it shows, and that nothing is steered by it."""

import asyncio
import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.course_points import point, steady
from tests.tui.test_zoom import dashboard
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.course import FailuresUntil, LogEntry, MomentFacts
from vqa_tui.domain.run import EngineState, EngineView, Phase
from vqa_tui.operations.limits import set_limits
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import RunPicked
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.time_travel import STEERING
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
START = int(time.time()) - 3_600
BACK, ON = "left_square_bracket", "right_square_bracket"
EVENT_BACK, EVENT_ON = "left_curly_bracket", "right_curly_bracket"


@pytest.fixture
def recorded(running: Fake) -> Fake:
    """A run with five minutes of records an hour ago, and three events in them."""
    running.history.points = steady(START, 300)
    running.history.log = tuple(LogEntry(n, START + 100.0 * n, "info", f"event {n}") for n in (2, 1, 0))
    running.history.facts = MomentFacts(
        running.history.log[1:], FailuresUntil({"server": 6}, {"bad_reply": 2}), Decimal("2.50")
    )
    return running


def seconds(app: VqaApp) -> int | None:
    """Seconds after the start that are looked at; None is the present."""
    screen = dashboard(app)
    return None if screen is None or screen.moment is None else screen.moment.at - START


def arrived(app: VqaApp) -> bool:
    """Tell whether nothing is on its way to another moment."""
    return all(worker.is_finished for worker in app.workers if worker.group.startswith("travel"))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_moment_shows_what_held_and_says_what_is_not_recorded(
    app: VqaApp, recorded: Fake, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("home")
        await until(pilot, lambda: seconds(app) == 0)
        await pilot.press(EVENT_ON)
        await until(pilot, lambda: seconds(app) == 100)
        clock = time.strftime("%H:%M:%S", time.localtime(START + 100))
        # An hour ago was yesterday for one hour of the day: the words then begin with the date.
        moment = re.compile(rf"◷ (\d+ \w{{3}} )?{clock}, ")
        await until(pilot, lambda: moment.search(screen_text(app)) and "event 1" in screen_text(app))
        shown = screen_text(app)
        for words in (
            "ago — End for now (● running)", "500 / 30 044", "5.00/s", "p50 800 ms",
            "in flight 8 of 16", "$0.50", "cap $2.50", "2 failed", "6 asked again", "event 1",
            "why idle: not recorded", f"◷ at {clock}",
        ):  # fmt: skip
            assert words in shown, words
        assert "event 2" not in shown and "scan_13.jpg" not in shown and "cooling" not in shown
        assert shown.count("not recorded") >= 3
        assert shown.count("not recorded for the past") == 3, "whole also in the narrow panels"
        await pilot.press("end")
        await until(pilot, lambda: "scan_13.jpg" in screen_text(app) and "cooling" in screen_text(app))
        await until(pilot, lambda: seconds(app) is None and "End for now" not in screen_text(app))


async def test_steps_go_over_what_was_recorded_and_grow_while_the_key_repeats(
    app: VqaApp, recorded: Fake, until: Wait
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: seconds(app) == 300)
        await pilot.press(ON)
        await until(pilot, lambda: seconds(app) is None)
        screen = dashboard(app)
        assert screen is not None
        for _ in range(12):
            screen.action_step_back()
        await until(pilot, lambda: seconds(app) == 300 - (4 + 4 * 2 + 4 * 4) + 1)
        for _ in range(200):
            screen.action_step_back()
        await until(pilot, lambda: seconds(app) == 0)
        await pilot.press(ON)
        await until(pilot, lambda: seconds(app) == 1)


async def test_event_keys_go_to_the_seconds_in_which_something_happened(
    app: VqaApp, recorded: Fake, until: Wait
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        for expected in (200, 100, 0, 0):
            await pilot.press(EVENT_BACK)
            await until(pilot, lambda expected=expected: seconds(app) == expected)
        for later in (100, 200, None):
            await pilot.press(EVENT_ON)
            await until(pilot, lambda later=later: seconds(app) == later)


async def test_many_events_in_one_second_keep_nobody_there(app: VqaApp, recorded: Fake, until: Wait) -> None:
    burst = tuple(LogEntry(100 + n, START + 150 + n / 1000, "info", "burst") for n in range(200))
    recorded.history.log = (*burst, *recorded.history.log)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        for expected in (200, 150, 100):
            await pilot.press(EVENT_BACK)
            await until(pilot, lambda expected=expected: seconds(app) == expected)
        for expected in (150, 200):
            await pilot.press(EVENT_ON)
            await until(pilot, lambda expected=expected: seconds(app) == expected)


async def test_end_is_not_undone_by_what_was_still_being_read(
    app: VqaApp, recorded: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(run_id: int, at: float) -> MomentFacts:
        asked.set()
        await answered.wait()
        return MomentFacts()

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        monkeypatch.setattr(recorded.history, "moment_facts", slow)
        screen = dashboard(app)
        assert screen is not None
        screen.action_step_back()
        await until(pilot, asked.is_set)
        screen.action_now()
        answered.set()
        await until(pilot, lambda: arrived(app))
        assert seconds(app) is None


async def test_end_is_not_undone_by_the_search_for_an_event(
    app: VqaApp, recorded: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(run_id: int, at: float, *, later: bool) -> float:
        asked.set()
        await answered.wait()
        return START + 100.0

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: seconds(app) == 300)
        monkeypatch.setattr(recorded.history, "event_time", slow)
        await pilot.press(EVENT_BACK)
        await until(pilot, asked.is_set)
        await pilot.press("end")
        await until(pilot, lambda: seconds(app) is None)
        answered.set()
        await until(pilot, lambda: arrived(app))
        assert seconds(app) is None


async def test_home_is_not_undone_by_a_step_before_it_and_a_step_after_it_comes_last(
    app: VqaApp, recorded: Fake, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, answered = recorded.history.moment_facts, asyncio.Event()
    asked: list[float] = []

    async def first_slowly(run_id: int, at: float) -> MomentFacts:
        asked.append(at)
        if len(asked) == 1:
            await answered.wait()
        facts: MomentFacts = await read(run_id, at)
        return facts

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        monkeypatch.setattr(recorded.history, "moment_facts", first_slowly)
        screen = dashboard(app)
        assert screen is not None
        screen.action_step_back()
        await until(pilot, lambda: asked)
        screen.action_run_start()
        await until(pilot, lambda: seconds(app) == 0)
        answered.set()
        await until(pilot, lambda: arrived(app))
        assert seconds(app) == 0
        screen.action_event_forward()
        screen.action_step_forward()
        await until(pilot, lambda: seconds(app) == 101)


@pytest.mark.parametrize("key", ["home", BACK])
async def test_a_journey_ends_where_another_run_is_shown(
    fake: Fake, make_view: Any, until: Wait, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    services = fake(make_view(name="first"), make_view(id=2, name="second"))
    services.history.points = steady(START, 300)
    read, asked, answered = services.history.course, asyncio.Event(), asyncio.Event()

    async def slow_for_the_first(run_id: int, *, since: int = 0) -> Any:
        if run_id == 1:
            asked.set()
            await answered.wait()
        return await read(run_id, since=since)

    monkeypatch.setattr(services.history, "course", slow_for_the_first)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(key)
        await until(pilot, asked.is_set)
        app.post_message(RunPicked(2))
        await until(pilot, lambda: (screen := dashboard(app)) and screen.seen and screen.seen.view.id == 2)
        answered.set()
        await until(pilot, lambda: arrived(app))
        assert seconds(app) is None


async def test_the_past_is_left_where_another_run_takes_the_screen(fake: Fake, make_view: Any, until: Wait) -> None:
    services = fake(make_view(name="first"), make_view(id=2, name="second"))
    services.history.points = steady(START, 300)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("home")
        await until(pilot, lambda: seconds(app) == 0)
        app.post_message(RunPicked(2))
        await until(pilot, lambda: (screen := dashboard(app)) and screen.seen and screen.seen.view.id == 2)
        assert seconds(app) is None


async def test_keys_that_steer_are_grey_in_the_past_and_say_why(
    app: VqaApp, recorded: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: seconds(app) is not None)
        screen = dashboard(app)
        assert screen is not None
        for action in STEERING:
            assert hasattr(screen, f"action_{action}")
            assert screen.check_action(action, ()) is None
        for key in ("p", "x", "b", "l", "plus", "minus", "R", "Q"):
            await pilot.press(key)
        await until(pilot, lambda: "press End to be back in the present" in screen_text(app))
        assert recorded.wanted == [] and dashboard(app) is screen
        await pilot.press("end", "p")
        await until(pilot, lambda: ("pause", 1, False) in recorded.wanted)


async def test_escape_leads_out_of_the_zoom_then_of_the_past_then_back(
    app: VqaApp, recorded: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: seconds(app) is not None)
        await pilot.press("z")
        await until(pilot, lambda: "then 5.00/s" in screen_text(app) and "▲" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "then" not in screen_text(app) and "End for now" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: seconds(app) is None)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_home_and_end_are_those_of_a_list_in_the_present(app: VqaApp, recorded: Fake, until: Wait) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: dashboard(app) and app.screen.query_one("#slots", LiveTable).rows)
        slots: Any = app.screen.query_one("#slots")
        slots.focus()
        await pilot.press("end")
        await until(pilot, lambda: slots.cursor == 13)
        await pilot.press("home")
        await until(pilot, lambda: slots.cursor == 0)
        assert seconds(app) is None
        await pilot.press(BACK)
        await until(pilot, lambda: seconds(app) is not None)
        await pilot.press("end")
        await until(pilot, lambda: seconds(app) is None)


async def test_the_present_goes_on_behind_the_past(app: VqaApp, recorded: Fake, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: "(● running)" in screen_text(app))
        recorded.change(phase=Phase.DONE, engine=EngineView(EngineState.NONE))
        await until(pilot, lambda: "(✔ done)" in screen_text(app))
        await until(pilot, lambda: seconds(app) == 300 and "scan_13.jpg" not in screen_text(app))


async def test_a_run_without_records_says_so(running: Fake, app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press(BACK)
        await until(pilot, lambda: "Nothing of this run was recorded" in screen_text(app))
        assert seconds(app) is None
        running.change(started_at=None)
        await until(pilot, lambda: (d := dashboard(app)) and d.view and d.view.started_at is None)
        await pilot.press(BACK)
        await until(pilot, lambda: "the run has not started" in screen_text(app))


async def test_a_real_run_is_followed_back(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    database = workshop.workspace.db
    (session,) = await database.read("SELECT max(id) AS id FROM session")
    first = int(time.time()) - 100
    async with database.write() as transaction:
        await transaction.execute_many(
            f"INSERT INTO metric VALUES ({', '.join('?' * 17)})",
            [(run_id, *point(first + n, n, session_id=session["id"])) for n in range(0, 200, 20)],
        )
    await set_limits(workshop.workspace, run_id, {"budget": "7"})
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: dashboard(app))
        await pilot.press("home")
        await until(pilot, lambda: "0 / 4" in screen_text(app) and "no cap" in screen_text(app))
        await pilot.press(ON)
        await until(pilot, lambda: "20 / 4" in screen_text(app))
        await pilot.press("end", BACK)
        await until(pilot, lambda: "cap $7.00" in screen_text(app) and "set budget none → 7" in screen_text(app))
