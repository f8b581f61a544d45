"""What is newest stays in sight, and the sentence about idle slots is never cut."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.content import Content

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EventView, RunView
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.dashboard import DashboardScreen, check_budget
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
MakeView = Callable[..., RunView]


def events(newest: int) -> tuple[EventView, ...]:
    return tuple(EventView(each, time.time(), "info", f"happening {each}") for each in range(newest, 0, -1))


@pytest.fixture
def running(fake: Any, make_view: MakeView) -> Any:
    return fake(make_view(events=events(5)))


async def ready(app: VqaApp, pilot: Any, until: Wait) -> LiveTable:
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.view is not None)
    table = app.screen.query_one("#events", LiveTable)
    await until(pilot, lambda: table.rows)
    return table


async def test_new_events_come_into_sight_at_eighty_columns(running: Any, until: Wait, screen_text: Text) -> None:
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        table = await ready(app, pilot, until)
        for newest in (6, 9, 30):
            running.change(events=events(newest))
            await until(pilot, lambda newest=newest: f"happening {newest}" in screen_text(app))
        table.focus()
        running.change(events=events(31))
        await until(pilot, lambda: "happening 31" in screen_text(app))


async def test_whoever_reads_an_older_event_stays_with_it(running: Any, until: Wait, screen_text: Text) -> None:
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        table = await ready(app, pilot, until)
        table.focus()
        await pilot.press("j", "j")
        chosen = table.cursor_id
        running.change(events=events(9))
        await until(pilot, lambda: len(table.rows) == 9)
        assert table.cursor_id == chosen and table.cursor == 6
        app.screen.query_one("#slots").focus()
        running.change(events=events(10))
        await until(pilot, lambda: "happening 10" in screen_text(app))


async def test_a_row_that_changes_after_its_styles_did_is_drawn(running: Any, until: Wait, screen_text: Text) -> None:
    """A dialog that opens and closes lets styles be matched anew, and nothing of the table has to be drawn for that."""
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        table = await ready(app, pilot, until)
        await until(pilot, lambda: "happening 5" in screen_text(app))
        first, *others = table.rows
        table.notify_style_update()
        table.set_rows([Row(first.id, (*first.cells[:2], Content("quite another"))), *others])
        await until(pilot, lambda: "quite another" in screen_text(app))


LONG = "16 of 16 slots idle: key main, input tokens/min of group some-project, until 15:33:44"


@pytest.mark.parametrize("width", [80, 200])
async def test_the_time_at_the_end_of_why_idle_is_never_cut(
    running: Any, until: Wait, screen_text: Text, width: int
) -> None:
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(width, 24)) as pilot:
        await ready(app, pilot, until)
        assert app.screen.query_one("#why-idle").size.height == 1
        running.change(why_idle=LONG)
        await until(pilot, lambda: "until 15:33:44" in screen_text(app))
        assert app.screen.query_one("#why-idle").size.height == (2 if width == 80 else 1)
        await until(pilot, lambda: all(words in screen_text(app) for words in ("p pause", "? help", "happening 5")))


@pytest.mark.parametrize("typed", ["0.00000001", "1e30", "ten"])
def test_the_budget_dialog_refuses_what_cannot_be_a_budget(typed: str) -> None:
    check_budget("")
    with pytest.raises(VqaError, match=r"from 0\.000001 to 1,000,000,000"):
        check_budget(typed)
