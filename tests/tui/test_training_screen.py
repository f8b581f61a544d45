"""Mode 6 over a real workspace: trainings and the log that one writes, followed as a terminal would show it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.made_trainings import make_training
from tests.tui.test_hostile_text import ESSENCE, HOSTILE, check, visits
from tests.tui.workshop import Workshop
from vqa_tui.process.lock import ProcessLock
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.training_rows import log_lines
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.log_pane import LogPane

Wait = Callable[..., Any]
Text = Callable[[Any], str]


def test_a_progress_bar_leaves_its_last_state() -> None:
    assert log_lines("a\n 10 %\r 50 %\r100 %\nb\r\nc\r") == ["a", "100 %", "b", "c"]
    assert log_lines("") == []
    assert log_lines("\n\nx") == ["", "", "x"]
    assert len(log_lines("x\n" * 7_000)) == 5_000


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_log_is_followed_until_one_scrolls_away(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    log = await make_training(workshop, 3, "".join(f"step {number}\n" for number in range(300)), phase="training")
    await make_training(workshop, 1, "older\n")
    async with ProcessLock(workshop.workspace.paths.training_lock(3)):
        app = VqaApp(workshop.services, open_run=None)
        async with app.run_test(size=size) as pilot:
            await pilot.press("6")
            await until(pilot, lambda: isinstance(app.screen, TrainingScreen) and "step 299" in screen_text(app))
            text = screen_text(app)
            assert "● training" in text and "✔ done" in text and "Log of training 3" in text
            with log.open("a") as stream:
                stream.write("step 300\n")
            await until(pilot, lambda: "step 300" in screen_text(app))
            await pilot.press("tab", "g")
            with log.open("a") as stream:
                stream.write("step 301\n")
            pane = app.screen.query_one(LogPane)
            await until(pilot, lambda: pane.row_count() == 302)
            assert "step 0 " in screen_text(app) and "step 301" not in screen_text(app)
            await pilot.press("f")
            await until(pilot, lambda: "step 301" in screen_text(app))
            app.screen.query_one("#trainings", LiveTable).focus()
            await pilot.press("j")
            await until(pilot, lambda: "older" in screen_text(app) and "Log of training 1" in screen_text(app))


async def test_without_a_training_it_says_what_to_do(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "No training yet" in screen_text(app))
        assert "export RUN qwen" in screen_text(app)
        await pilot.press("1")
        await until(pilot, lambda: not isinstance(app.screen, TrainingScreen))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@visits(TrainingScreen)
async def test_a_hostile_log_stays_text(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, f"{HOSTILE}\n{HOSTILE}")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: ESSENCE[:7] in screen_text(app))
        check(app, screen_text)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_line_that_is_too_long_for_the_pane_is_read_with_enter(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, "first\n" + "word " * 60 + "the-very-end\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "word word" in screen_text(app))
        assert "the-very-end" not in screen_text(app)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, FullText) and "the-very-end" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
