"""Opened with --readonly, the app shows everything; each key that changes something is grey and says why."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette

from tests.tui.test_bindings import OWNERS
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.cli.ui import in_browser
from vqa_tui.config.app_settings import AppSettings, load_settings
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Intent
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import KeysWanted, SettingWanted
from vqa_tui.tui.preferences import Preferences
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.screens.settings import SettingsScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
MODES = {"1": "Runs", "2": "Dashboard", "3": "Items", "4": "Failures", "5": "Review", "6": "Training"}


def writing_actions() -> Iterator[tuple[type[LiveScreen], str]]:
    for owner in OWNERS:
        if issubclass(owner, LiveScreen):
            yield from ((owner, action) for each in owner.__mro__ for action in vars(each).get("WRITES", ()))


def test_what_is_said_to_write_is_an_action() -> None:
    found = list(writing_actions())
    assert found
    for owner, action in found:
        assert hasattr(owner, f"action_{action}"), f"{owner.__name__} has no action {action}"


@pytest.mark.parametrize("mode", MODES)
async def test_no_key_of_a_mode_that_writes_is_enabled(workshop: Workshop, until: Wait, mode: str) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    looking = Services(workshop.workspace, workshop.workspace, read_only=True)
    app = VqaApp(looking, open_run=run_id)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press(mode)
        await until(pilot, lambda: type(app.screen).__name__ == f"{MODES[mode]}Screen")
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        written = {action for owner, action in writing_actions() if owner is type(screen)}
        for active in screen.active_bindings.values():
            action = active.binding.action.partition("(")[0].rpartition(".")[2]
            if active.node is screen and action in written:
                assert not active.enabled, action
                assert "--readonly" in (screen.reason(action) or "")


async def test_a_grey_key_says_that_the_app_may_only_look(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    app = VqaApp(Services(workshop.workspace, workshop.workspace, read_only=True), open_run=run_id)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("R")
        await until(pilot, lambda: "may only look" in screen_text(app))
        assert (await workshop.services.run_view(run_id)).counts.failed == 1
        assert (await workshop.services.run_view(run_id)).intent is Intent.RUN


async def on_every_row(pilot: Any, until: Wait, settings: Any, *tables: str) -> None:
    """Press Enter on the rows of each table, a few of the many keys, and leave the palette where that opens."""
    for name in tables:
        table = settings.query_one(name, LiveTable)
        table.focus()
        await pilot.pause()
        for row in range(min(len(table.rows), 6)):
            table.cursor = row
            await pilot.press("enter")
            await pilot.pause()
            if pilot.app.screen is not settings:
                assert isinstance(pilot.app.screen, CommandPalette), f"row {row} of {name} opens a dialog"
                await pilot.press("escape")
                await until(pilot, lambda: pilot.app.screen is settings)


async def test_settings_and_keys_cannot_be_changed(
    workshop: Workshop, until: Wait, screen_text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    monkeypatch.setenv("VQA_CONFIG", str(own))
    await workshop.dataset(2)
    preferences = Preferences(AppSettings(command="mine"), {"run.budget": "f9"}, stored=True)
    services = Services(workshop.workspace, workshop.workspace, preferences=preferences, read_only=True)
    app = VqaApp(services)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.focused is not None)
        settings = app.screen
        assert isinstance(settings, SettingsScreen)
        await on_every_row(pilot, until, settings, "#settings", "#keys")
        await until(pilot, lambda: "may only look" in screen_text(app))
        settings.post_message(SettingWanted("command", "touch /tmp/x"))
        settings.post_message(KeysWanted("run.budget", None))
        app.theme = "textual-light"
        await until(pilot, lambda: preferences.settings.theme == "textual-light")
        assert preferences.settings == AppSettings(command="mine", theme="textual-light")
        assert preferences.keys == {"run.budget": "f9"}
        assert not own.exists()


async def test_a_page_in_a_browser_neither_sets_nor_starts_a_command(
    fake: Any, make_view: Any, until: Wait, screen_text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQA_CONFIG", str(tmp_path))
    (tmp_path / "settings.yaml").write_text("command: mine\n")
    preferences = Preferences.load(in_browser=True)
    assert not preferences.settings.command
    services = fake(make_view())
    services._preferences = preferences
    app = VqaApp(services)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.focused is not None)
        await on_every_row(pilot, until, app.screen, "#settings")
        await until(pilot, lambda: "neither sets nor starts a command" in screen_text(app))
        with pytest.raises(VqaError, match="neither sets"):
            preferences.change("command", "theirs")
        assert preferences.settings.command == ""
        assert load_settings().command == "mine"


async def test_a_page_in_a_browser_opens_no_viewer(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("vqa_tui.tui.services.open_externally", opened.append)
    workshop.services._preferences = Preferences(in_browser=True)
    with pytest.raises(VqaError, match="opens no viewer"):
        await workshop.services.open_externally("/scans/a.png")
    assert opened == []
    workshop.services._preferences = Preferences()
    await workshop.services.open_externally("/scans/a.png")
    assert opened == ["/scans/a.png"]


def test_an_app_in_a_browser_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    assert not in_browser()
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    assert in_browser()
