"""The dialog of limits: what holds is shown, one is changed in place, and what is wrong is said before it is left."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.limits import LimitsDialog

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any


async def opened(app: VqaApp, pilot: Any, until: Wait, screen_text: Text) -> None:
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
    await pilot.press("l")
    await until(pilot, lambda: isinstance(app.screen, LimitsDialog))
    await until(pilot, lambda: "tpm.a" in screen_text(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 50)])
async def test_all_limits_are_listed_with_what_holds(
    app: VqaApp, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, until, screen_text)
        shown = screen_text(app)
        for words in ("Limits of stcray-train", "concurrency", "16", "hedge", "off", "rpm.a", "60", "tpm.a", "none"):
            assert words in shown
        assert "budget: dollars that the run may spend." in " ".join(shown.replace("│", " ").split())


async def test_a_limit_is_changed_in_place_by_the_call_of_run_set(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until, screen_text)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        assert app.screen.query_one("#value", Input).value == "16"
        await pilot.press("2", "4", "enter")
        await until(pilot, lambda: ("set_limits", 1, {"concurrency": "24"}) in running.wanted)
        await until(pilot, lambda: "24" in screen_text(app) and not isinstance(app.focused, Input))
        assert isinstance(app.screen, LimitsDialog)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: app.screen.query_one("#value", Input).value == "60")
        await pilot.press("9", "enter")
        await until(pilot, lambda: ("set_limits", 1, {"rpm.a": "9"}) in running.wanted)


async def test_what_is_wrong_is_said_inside_and_the_value_stays_to_be_mended(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until, screen_text)
        running.refusal = VqaError("budget: 'x' is not an amount [/red]")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("x", "enter")
        await until(pilot, lambda: "is not an amount [/red]" in screen_text(app))
        assert isinstance(app.screen, LimitsDialog) and app.screen.query_one("#value", Input).value == "x"
        running.refusal = None
        await pilot.press("backspace", "5", "enter")
        await until(pilot, lambda: ("set_limits", 1, {"budget": "5"}) in running.wanted)
        await until(pilot, lambda: "is not an amount" not in screen_text(app))


async def test_esc_leaves_the_value_first_and_then_the_dialog(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until, screen_text)
        await pilot.press("enter", "7", "escape")
        await until(pilot, lambda: not isinstance(app.focused, Input))
        assert isinstance(app.screen, LimitsDialog)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert running.wanted == []


async def test_the_dialog_helps(app: VqaApp, until: Wait, screen_text: Text) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await opened(app, pilot, until, screen_text)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Leave the value as it is" in screen_text(app))
