"""Screens are left once and alone: a key pressed twice, and an answer that comes while something lies over them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.conftest import FakeServices, until
from tests.tui.made_views import make_view
from tests.tui.wizard_driver import wizard_of
from tests.tui.workshop import Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.keymap import key_ids
from vqa_tui.tui.screens.dialogs import Dialog, ValueDialog
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.key_capture import KeyCapture
from vqa_tui.tui.screens.model_choice import ModelDialog
from vqa_tui.tui.screens.pick_run import PickRun
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard


def app_with_runs() -> VqaApp:
    return VqaApp(FakeServices(*(make_view(id=number, name=f"run-{number}") for number in (1, 2, 3))))


async def started(app: VqaApp, pilot: Pilot[None]) -> RunsScreen:
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.focused is not None)
    screen = app.screen
    assert isinstance(screen, RunsScreen)
    return screen


def value_dialog(_app: VqaApp) -> Dialog[Any]:
    used: set[str] = set()

    def check(value: str) -> None:
        if value in used:
            raise VqaError(f"{value} is taken")
        used.add(value)

    return ValueDialog("Rename", "What is it called?", value="x", check=check)


def free_value_dialog(_app: VqaApp) -> Dialog[Any]:
    return ValueDialog("Note", "Anything.", value="x", check=lambda value: None)


def model_dialog(_app: VqaApp) -> Dialog[Any]:
    async def read() -> tuple[str, ...]:
        return ("m1", "m2")

    return ModelDialog("here", current="m1", in_file="m1", read=read)


def key_capture(_app: VqaApp) -> Dialog[Any]:
    return KeyCapture(next(iter(key_ids().values())), {})


def pick_run(app: VqaApp) -> Dialog[Any]:
    seen = app.watch_over.last_runs
    assert seen is not None
    return PickRun("run-1", seen.lines, 0.0)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (value_dialog, "enter"),
        (free_value_dialog, "enter"),
        (model_dialog, "enter"),
        (key_capture, "f7"),
        (pick_run, "enter"),
    ],
)
async def test_a_key_that_comes_twice_leaves_one_screen(make: Callable[[VqaApp], Dialog[Any]], key: str) -> None:
    app = app_with_runs()
    answers: list[object] = []
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        runs = await started(app, pilot)
        beneath = Dialog[None]()
        app.push_screen(beneath)
        dialog = make(app)
        app.push_screen(dialog, answers.append)
        await until(pilot, lambda: app.screen is dialog and (app.focused is not None or make is key_capture))
        await pilot.pause()
        if isinstance(dialog, ValueDialog):
            dialog.query_one(Input).value = "another"
        for _ in range(3):
            app.post_message(events.Key(key, None))
        await until(pilot, lambda: answers and not dialog.is_attached)
        await pilot.pause()
        assert app.screen_stack == [runs, beneath] and len(answers) == 1 and app.is_running


async def test_an_answer_waits_until_what_lies_over_its_dialog_is_gone() -> None:
    app = app_with_runs()
    answers: list[object] = []
    async with app.run_test(size=(80, 24)) as pilot:
        runs = await started(app, pilot)
        dialog = value_dialog(app)
        app.push_screen(dialog, answers.append)
        await until(pilot, lambda: app.screen is dialog and app.focused is not None)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        dialog.dismiss("first")
        dialog.dismiss("second")
        await pilot.pause()
        assert isinstance(app.screen_stack[-1], HelpScreen) and not answers
        await pilot.press("escape")
        await until(pilot, lambda: answers == ["first"] and app.screen == runs)
        dialog.dismiss("third")
        await pilot.pause()
        assert answers == ["first"] and app.screen is runs


async def test_an_answer_takes_nothing_of_another_mode() -> None:
    app = app_with_runs()
    async with app.run_test(size=(80, 24)) as pilot:
        runs = await started(app, pilot)
        dialog = value_dialog(app)
        app.push_screen(dialog)
        await until(pilot, lambda: app.screen is dialog and app.focused is not None)
        app.show_mode("training")
        await until(pilot, lambda: app.screen not in (runs, dialog))
        there = value_dialog(app)
        app.push_screen(there)
        await until(pilot, lambda: app.screen is there)
        dialog.dismiss("late")
        await pilot.pause()
        assert app.screen is there
        app.show_mode("runs")
        await until(pilot, lambda: app.screen is runs)


async def test_a_run_that_is_to_be_shown_while_the_app_is_left_is_no_error() -> None:
    app = app_with_runs()
    async with app.run_test(size=(80, 24)) as pilot:
        await started(app, pilot)
    for mode in ("run", "items"):
        app.show_mode(mode)


async def test_a_start_that_ends_under_the_help_is_shown_after_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def start_engine(run_id: int) -> None:
        begun.set()
        await go_on.wait()

    monkeypatch.setattr(workshop.services, "start_engine", start_engine)
    async with wizard_of(workshop) as driver:
        wizard, app = driver.wizard, driver.app
        await driver.to_the_plan()
        await driver.start()
        await begun.wait()
        await driver.press("f1")
        await until(driver.pilot, lambda: isinstance(app.screen, HelpScreen))
        go_on.set()
        await until(driver.pilot, lambda: wizard._late_answer is not None)
        assert isinstance(app.screen, HelpScreen)
        await driver.press("escape")
        await until(driver.pilot, lambda: wizard.is_left and app.current_mode == "run")


async def test_two_keys_that_leave_the_wizard_leave_the_wizard(workshop: Workshop) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        app = driver.app
        assert isinstance(app.screen, NewRunWizard)
        for _ in range(2):
            app.post_message(events.Key("q", "q"))
        await until(driver.pilot, lambda: isinstance(app.screen, RunsScreen))
        await driver.pilot.pause()
        assert app.is_running and "unexpected" not in driver.text
