"""Which keys the key bar shows where not all of them fit."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.wizard_driver import wizard_of
from tests.tui.workshop import DONE, SERVER, Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.key_bar import KeyBar

Wait = Callable[..., Any]


@pytest.fixture
async def run_id(workshop: Workshop) -> int:
    """Task 1 is done, task 2 failed."""
    await workshop.dataset(2)
    return await workshop.run([DONE, SERVER])


async def bar_of_item(app: VqaApp, pilot: "Pilot[None]", until: Wait, task: int) -> KeyBar:
    """Open the item in full screen and return its key bar once the item has been read."""
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(app.screen.tasks.ids) == 2)
    await pilot.press(*["j"] * (task - 1), "enter")
    await until(pilot, lambda: isinstance(app.screen, ItemScreen) and app.screen.inspector.detail is not None)
    bar = app.screen.query_one(KeyBar)
    await until(pilot, lambda: " yank" in bar.render_line(0).text)
    return bar


@pytest.mark.parametrize("task", [1, 2])
async def test_at_eighty_columns_an_item_can_be_asked_again_opened_and_copied(
    workshop: Workshop, run_id: int, until: Wait, task: int
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        bar = await bar_of_item(app, pilot, until, task)
        await until(pilot, lambda: ("retry" in bar.render_line(0).text) == (task == 2))
        words = bar.render_line(0).text
        for each in ("next", "requeue", "A again", "o open", "y yank", "esc back"):
            assert f"{each} " in words
        assert words.rstrip().endswith("? help")


async def test_what_stands_last_goes_first_and_the_help_stays(workshop: Workshop, run_id: int, until: Wait) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(200, 50)) as pilot:
        bar = await bar_of_item(app, pilot, until, 1)
        await until(pilot, lambda: "picture mode" in bar.render_line(0).text)
        assert bar.render_line(0).text.index("yank") < bar.render_line(0).text.index("boxes")
        for width, gone in ((100, "picture mode"), (60, "boxes"), (30, "yank"), (10, "next")):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda width=width: bar.size.width == width)
            words = bar.render_line(0).text
            assert gone not in words and "? help" in words and len(words) == width


async def test_a_key_whose_words_stand_at_the_next_is_not_shown_without_it(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(1)
    app = VqaApp(workshop.services, open_run=await workshop.run([DONE]))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.view is not None)
        bar = app.screen.query_one(KeyBar)
        await until(pilot, lambda: " + - workers " in bar.render_line(0).text)
        seen = set()
        for width in range(56, 40, -1):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda width=width: bar.size.width == width)
            words = bar.render_line(0).text
            assert ("workers" in words) == (" + " in words), words
            seen.add("workers" in words)
        assert seen == {True, False}


async def test_a_click_on_the_last_entry_is_its_key(workshop: Workshop, run_id: int, until: Wait) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        bar = await bar_of_item(app, pilot, until, 2)
        item = app.screen
        await pilot.click(KeyBar, offset=(bar.render_line(0).text.index("? help"), 0))
        await until(pilot, lambda: app.screen is not item)


async def test_in_a_text_field_the_bar_names_f1_and_no_key_that_is_typed(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.at(Step.RECIPE)
        bar = driver.wizard.query_one(KeyBar)
        await until(driver.pilot, lambda: "/ narrow" in bar.render_line(0).text and "? help" in bar.render_line(0).text)
        await driver.press("tab")
        await until(driver.pilot, lambda: isinstance(driver.app.focused, Input))
        await until(driver.pilot, lambda: "f1 help" in driver.text and "/ narrow" not in driver.text)
        await driver.press("slash", "question_mark", "f1")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, HelpScreen))
        await until(driver.pilot, lambda: "All runs" in driver.text or "This screen" in driver.text)
        await driver.press("escape")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, NewRunWizard))
        assert isinstance(driver.app.focused, Input) and driver.app.focused.value == "/?"


async def test_f1_opens_the_help_of_the_sizes(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        for name in ("bags", "caption", "embedded"):
            await driver.take(name)
        await driver.at(Step.SIZE)
        await driver.see("f1 help")
        await driver.press("f1")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.press("f1")
        await driver.at(Step.SIZE)
