"""Settings and keys: changed on the screen, in force at once, kept in the person's own files."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from string import punctuation
from typing import Any

import pytest
from textual.keys import _character_to_key
from textual.screen import Screen

from tests.tui.test_hostile_text import HOSTILE, check, visits
from vqa_tui.config.app_settings import AppSettings, load_keys, load_settings, store_keys, store_settings
from vqa_tui.config.key_names import why_no_key
from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.keymap import clashes, key_ids
from vqa_tui.tui.preferences import Preferences
from vqa_tui.tui.present.setting_rows import SETTINGS
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.key_capture import KeyCapture
from vqa_tui.tui.screens.settings import SettingsScreen
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
PLANTED = HOSTILE.replace("\ud800", "")
"""A file of UTF-8 text holds no lone surrogate."""
KNOWN = {"run.pause": "Pause", "run.resume": "Resume"}


@pytest.fixture
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VQA_CONFIG", str(tmp_path / "own"))
    return tmp_path / "own"


def test_settings_come_back_as_they_were_written(own_files: Path) -> None:
    assert load_settings() == AppSettings()
    store_settings({"theme": "nord", "bell": "false"})
    assert load_settings() == AppSettings(theme="nord", bell=False)
    store_settings({"theme": "textual-dark", "bell": "true"})
    assert list(own_files.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bel: false", r"settings.yaml:1: bel: unknown key, did you mean `bell`"),
        ("theme: nord\npictures: big", r"settings.yaml:2: pictures: must be 'auto'"),
        ("bell: sometimes", r"settings.yaml:1: bell: must be true or false"),
    ],
)
def test_a_wrong_settings_file_names_file_line_and_key(own_files: Path, text: str, words: str) -> None:
    own_files.mkdir()
    (own_files / "settings.yaml").write_text(text)
    with pytest.raises(VqaError, match=words):
        load_settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run.pauze: f5", r"keys.yaml:1: run.pauze: no key has this id, did you mean `run.pause`"),
        ("run.pause: 5", r"keys.yaml:1: run.pause: must be a key"),
        ("run.pause: ctrl+b", r"belong to screen and tmux"),
    ],
)
def test_a_wrong_keys_file_names_file_line_and_id(own_files: Path, text: str, words: str) -> None:
    own_files.mkdir()
    (own_files / "keys.yaml").write_text(text)
    with pytest.raises(VqaError, match=words):
        load_keys(KNOWN)


def test_keys_come_back_as_they_were_written(own_files: Path) -> None:
    store_keys({"run.pause": "f5,space"}, KNOWN)
    assert load_keys(KNOWN) == {"run.pause": "f5,space"}


def test_every_key_has_an_id_that_a_file_can_name() -> None:
    known = key_ids()
    assert {"run.pause", "app.help", "items.filter", "settings.reset"} <= set(known)
    assert all(each.tooltip for each in known.values())


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_enter_changes_a_setting_at_once(
    fake: Any, make_view: Any, until: Wait, own_files: Path, size: tuple[int, int]
) -> None:
    services = fake(make_view())
    services._preferences = Preferences(stored=True)
    app = VqaApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.focused is not None)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: not services.preferences.settings.bell)
        assert load_settings().bell is False
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "value")
        await pilot.press(*"notify", "enter")
        await until(pilot, lambda: load_settings().command == "notify")


@pytest.mark.parametrize(
    ("table", "row", "dialog"), [("settings", "command", ValueDialog), ("keys", "run.pause", KeyCapture)]
)
async def test_a_row_that_is_picked_again_while_its_question_is_open_loses_no_answer(
    fake: Any, make_view: Any, until: Wait, own_files: Path, table: str, row: str, dialog: type[Screen[Any]]
) -> None:
    services = fake(make_view())
    services._preferences = Preferences(stored=True)
    app = VqaApp(services)
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.focused is not None)
        settings = app.screen
        rows = settings.query_one(f"#{table}", LiveTable)
        rows.cursor = [each.id for each in rows.rows].index(row)
        rows.pick()
        await until(pilot, lambda: isinstance(app.screen, dialog))
        rows.pick()
        await pilot.pause()
        await pilot.press(*(["f7"] if table == "keys" else ["x", "enter"]))
        await until(pilot, lambda: app.screen is settings)
        if table == "keys":
            await until(pilot, lambda: services.preferences.keys.get(row) == "f7")
        else:
            await until(pilot, lambda: load_settings().command == "x")


async def test_what_a_row_is_for_is_read_whole_in_a_small_terminal(
    fake: Any, make_view: Any, until: Wait, own_files: Path, screen_text: Text
) -> None:
    app = VqaApp(fake(make_view()))
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.focused is not None)

        def shows(words: str) -> bool:
            return words in " ".join(screen_text(app).split())

        for about in SETTINGS:
            await until(pilot, lambda about=about: shows(f"{about.name}: {about.words}"))
            await pilot.press("j")
        longest = max(key_ids().values(), key=lambda each: len(each.tooltip))
        await pilot.press("slash", *longest.id, "enter")
        await until(pilot, lambda: shows(f"{longest.id}: {longest.tooltip}"))


async def test_a_theme_chosen_anywhere_is_kept(fake: Any, make_view: Any, until: Wait, own_files: Path) -> None:
    services = fake(make_view())
    store_settings({"theme": "nord"})
    services._preferences = Preferences.load()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.theme == "nord")
        app.theme = "textual-light"
        await until(pilot, lambda: load_settings().theme == "textual-light")


async def test_a_key_is_captured_works_and_can_be_given_back(
    fake: Any, make_view: Any, until: Wait, own_files: Path, screen_text: Text
) -> None:
    services = fake(make_view())
    services._preferences = Preferences(stored=True)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("slash", *"run.pause", "enter")
        await until(pilot, lambda: len(app.screen.query_one("#keys", LiveTable).rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, KeyCapture))
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "belongs to tmux" in screen_text(app))
        await pilot.press("b")
        await until(pilot, lambda: "b belongs to run.budget" in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: load_keys({"run.pause": ""}) == {"run.pause": "f5"})
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, SettingsScreen))
        await pilot.press("p")
        assert not [wanted for wanted in services.wanted if wanted[0] == "pause"]
        await pilot.press("f5")
        await until(pilot, lambda: ("pause", 1, False) in services.wanted)
        app.action_open("settings")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("slash", *"run.pause", "enter")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "keys")
        await pilot.press("backspace")
        await until(pilot, lambda: not (own_files / "keys.yaml").exists())


def test_only_keys_that_meet_on_a_screen_clash() -> None:
    assert clashes({}) == []
    assert ("p", "run.budget", "run.pause") in clashes({"run.budget": "p"})
    assert clashes({"run.budget": "f9"}) == []
    for name, key, other in (("failures.retry", "space", "failures.mark"), ("items.skip", "v", "items.mark-range")):
        assert (key, name, other) in clashes({name: key})
    assert ("x", "list.down", "run.stop") in clashes({"list.down": "x"})
    assert any(loser == "app.help" for _key, _name, loser in clashes({"items.filter": "question_mark"}))


async def test_two_things_on_one_key_are_told_of(fake: Any, make_view: Any, until: Wait, screen_text: Text) -> None:
    services = fake(make_view())
    services._preferences = Preferences(keys={"run.budget": "p"})
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await until(pilot, lambda: "p is both run.budget and run.pause on one screen" in screen_text(app))
        app.action_open("settings")
        await until(pilot, lambda: "▲ p is both run.budget and run.pause" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@visits(KeyCapture, SettingsScreen)
async def test_hostile_settings_stay_text(
    fake: Any, make_view: Any, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    services = fake(make_view())
    services._preferences = Preferences(AppSettings(command=PLANTED[:900], theme=PLANTED[:70]))
    app = VqaApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.action_open("settings")
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        check(app, screen_text)
        known = key_ids()["run.pause"]
        app.push_screen(KeyCapture(replace(known, id=PLANTED, tooltip=PLANTED), {"run.resume": PLANTED}))
        await until(pilot, lambda: isinstance(app.screen, KeyCapture) and "[/nope]" in screen_text(app))
        await pilot.press("tab")
        await pilot.pause()
        check(app, screen_text)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("Ctrl+S", "`Ctrl+S` is written ctrl+s"),
        ("ctrl+S", "`ctrl+S` is written ctrl+s"),
        ("?", "`?` is written question_mark"),
        ("shift+a", "`shift+a` is written A"),
        ("f5,pgdown", "no key is called `pgdown`"),
        ("page_down", "no key is called `page_down`"),
    ],
)
def test_what_is_no_key_is_refused_with_what_was_meant(own_files: Path, keys: str, words: str) -> None:
    own_files.mkdir(parents=True, exist_ok=True)
    (own_files / "keys.yaml").write_text(f"run.pause: '{keys}'\n")
    with pytest.raises(VqaError, match=re.escape(words)):
        load_keys({"run.pause": ""})


def test_every_name_that_a_key_press_has_can_be_kept() -> None:
    names = {_character_to_key(chr(code)) for code in range(0xA1, 0x250)} | {_character_to_key(c) for c in punctuation}
    assert "slash" in names and "section_sign" in names
    assert not [words for name in names if (words := why_no_key(name))]


def test_every_usual_key_is_one() -> None:
    assert not [why_no_key(key) for each in key_ids().values() for key in each.keys.split(",") if why_no_key(key)]


def test_an_app_that_was_opened_earlier_overwrites_nothing(own_files: Path) -> None:
    earlier = Preferences.load()
    store_settings({"theme": "nord", "command": "notify"})
    store_keys({"run.pause": "f5"}, KNOWN)
    earlier.change("bell", "false")
    earlier.set_keys("run.resume", "f6")
    assert load_settings() == AppSettings(theme="nord", command="notify", bell=False) == earlier.settings
    assert load_keys(KNOWN) == {"run.pause": "f5", "run.resume": "f6"} == earlier.keys


def test_comments_in_own_files_stay(own_files: Path) -> None:
    own_files.mkdir()
    (own_files / "keys.yaml").write_text("# as in vim\nrun.pause: f5  # far from p\n")
    (own_files / "settings.yaml").write_text("# nothing yet\n")
    preferences = Preferences.load()
    preferences.set_keys("run.pause", "f7")
    preferences.change("theme", "nord")
    preferences.change("theme", "textual-dark")
    assert (own_files / "keys.yaml").read_text() == "# as in vim\nrun.pause: f7  # far from p\n"
    assert (own_files / "settings.yaml").read_text() == "# nothing yet\n"
    assert load_settings() == AppSettings()


async def test_the_screen_opens_on_what_another_app_has_set(
    fake: Any, make_view: Any, until: Wait, own_files: Path
) -> None:
    services = fake(make_view())
    services._preferences = Preferences(stored=True)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.theme == "textual-dark")
        store_settings({"theme": "nord", "bell": "false"})
        app.action_open("settings")
        await until(pilot, lambda: app.theme == "nord" and not services.preferences.settings.bell)
