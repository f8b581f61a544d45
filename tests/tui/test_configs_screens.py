"""Recipes and endpoints: lists, details, copying, editing, and asking an endpoint."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.endpoint_trial import EndpointTrial, TrialStep
from vqa_tui.tui import edit_file as editing
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.configs import ConfigsScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.endpoints import EndpointsScreen
from vqa_tui.tui.screens.recipes import RecipesScreen
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]
QUICK = """\
name: quick
description: answers at once
kind: embedded
model: vqa-embedded-1
keys: [{name: a}, {name: b, group: shared}]
quota: {requests_per_minute: 600}
embedded: {latency_ms: 1}
"""
REMOTE = """\
name: remote
model: some-model
base_url: https://user.example:8443/v1
keys: [{name: main, env: REMOTE_KEY}, {name: spare, env: SPARE_KEY}]
"""


async def opened(app: VqaApp, pilot: Pilot[None], until: Wait, word: str, name: str) -> ConfigsScreen[Any]:
    """Open a screen and put the cursor on one of its files."""
    app.action_open(f"{word}s")
    await until(pilot, lambda: isinstance(app.screen, ConfigsScreen) and app.screen._entries)
    screen = app.screen
    assert isinstance(screen, ConfigsScreen)
    screen.table.cursor = [row.id for row in screen.table.rows].index(name)
    await until(pilot, lambda: screen.chosen is not None and name in detail(screen))
    return screen


def detail(screen: ConfigsScreen[Any]) -> str:
    return str(screen.query_one("#library-facts", Static).render())


def answer(screen: ConfigsScreen[Any]) -> str:
    return " ".join(str(screen.query_one("#library-answer", Static).render()).split())


def own(workshop: Workshop, word: str, name: str, text: str) -> Path:
    folder = workshop.folder / f"{word}s"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("size", SIZES)
async def test_recipes_show_their_prompts_and_their_file(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, until, "recipe", "stcray")
        await until(pilot, lambda: all(words in screen_text(app) for words in ("stcray", "shipped")))
        await pilot.press("g")
        await until(pilot, lambda: "caption" in screen_text(app) and "general-vqa" in screen_text(app))
        await pilot.press("G")
        await until(pilot, lambda: "stcray-text" in screen_text(app))
        await pilot.press("k", "enter")
        await until(pilot, lambda: screen.query_one("#library-detail").has_focus)
        await pilot.press("escape")
        assert screen.table.has_focus
        parts = ("System prompt", "User prompt", "After a bad reply", "{%", "The file", "name: stcray")
        await until(pilot, lambda: all(words in detail(screen) for words in parts))


@pytest.mark.parametrize("size", SIZES)
async def test_a_broken_recipe_says_where(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    own(workshop, "recipe", "mine", "name: mine\nprompt: {user: hello}\nreplyy: {kind: text, question: q}\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until, "recipe", "mine")
        await until(pilot, lambda: "✖" in screen_text(app))
        await until(pilot, lambda: "mine.yaml:3: replyy: unknown key" in " ".join(detail(screen).split()))
        assert "did you mean `reply`" in detail(screen)
        await pilot.press("c")
        await until(pilot, lambda: "so it cannot be copied" in screen_text(app))


class Lent:
    """Stands for the terminal that is lent to an editor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, edit: Callable[[Path], int]) -> None:
        self.edited: list[Path] = []

        def run(command: list[str], **_: Any) -> Any:
            self.command = command
            self.edited.append(Path(command[-1]))
            return type("Ended", (), {"returncode": edit(Path(command[-1]))})

        monkeypatch.setenv("VISUAL", "my-editor --wait 'a b'")
        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr(VqaApp, "suspend", lambda _app: _Nothing())


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


async def test_editing_lends_the_terminal_and_reads_again(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own(workshop, "endpoint", "quick", QUICK)

    def edit(file: Path) -> int:
        file.write_text(QUICK.replace("vqa-embedded-1", "another").replace("quota", "quotta"))
        return 0

    lent = Lent(monkeypatch, edit)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press("o")
        await until(pilot, lambda: "quotta: unknown key" in detail(screen))
        assert lent.command == ["my-editor", "--wait", "a b", str(path)]
        await until(pilot, lambda: "cannot be used" in screen_text(app))


async def test_a_shipped_file_is_not_edited(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = Lent(monkeypatch, lambda _path: 0)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await opened(app, pilot, until, "recipe", "caption")
        await pilot.press("o")
        await until(pilot, lambda: "copy it under a name of your own first" in screen_text(app))
        assert lent.edited == []


async def test_an_editor_that_fails_is_said(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(workshop, "endpoint", "quick", QUICK)
    Lent(monkeypatch, lambda _path: 3)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press("o")
        await until(pilot, lambda: "my-editor ended with 3" in screen_text(app))


async def test_where_the_terminal_cannot_be_lent_that_is_said(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    own(workshop, "endpoint", "quick", QUICK)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press("o")
        await until(pilot, lambda: "cannot be lent to an editor here" in screen_text(app))


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"VISUAL": "code -w", "EDITOR": "vi"}, ["code", "-w"]),
        ({"VISUAL": " ", "EDITOR": "emacs '-n w'"}, ["emacs", "-n w"]),
    ],
)
def test_the_editor_is_the_persons_own(environ: dict[str, str], command: list[str]) -> None:
    assert editing.editor_command(environ) == command


def test_an_editor_that_cannot_be_read_or_found_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VqaError, match=r"\$EDITOR cannot be read"):
        editing.editor_command({"EDITOR": "vi 'x"})
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(VqaError, match="no editor"):
        editing.editor_command({})


@pytest.mark.parametrize("size", SIZES)
async def test_endpoints_show_keys_by_name_and_never_a_value(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    own(workshop, "endpoint", "remote", REMOTE)
    monkeypatch.setenv("REMOTE_KEY", "sk-planted-value")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "remote")
        await until(pilot, lambda: "✖ 1 of 2" in screen_text(app) and "some-model" in screen_text(app))
        for words in ("user.example:8443", "✔ main  $REMOTE_KEY", "✖ spare", "SPARE_KEY is not set", "unknown"):
            assert words in detail(screen)
        if size[0] == 200:
            await until(
                pilot, lambda: "user.example:8443" in screen_text(app) and "openai-compatible" in screen_text(app)
            )
        assert "sk-planted-value" not in app.export_screenshot() + detail(screen)


async def test_an_endpoint_is_checked_in_another_process(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    own(workshop, "endpoint", "quick", QUICK)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press("t")
        await until(pilot, lambda: "asking quick about one tiny picture" in answer(screen))
        await pilot.press("m")  # one at a time
        await until(pilot, lambda: "wait for its answer" in screen_text(app))
        await until(pilot, lambda: "✔ it works" in answer(screen))
        assert "usage (b)" in answer(screen)
        # The answer belongs to its endpoint.
        await pilot.press("j")
        await until(pilot, lambda: not screen.query_one("#library-answer").display)
        await pilot.press("k")
        await until(pilot, lambda: screen.query_one("#library-answer").display)
        await pilot.press("m")
        await until(pilot, lambda: "▸ vqa-embedded-1" in answer(screen))


@pytest.mark.parametrize("size", SIZES)
@visits(EndpointsScreen, RecipesScreen, ValueDialog)
async def test_what_an_endpoint_says_is_harmless(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted = json.dumps(f"about {HOSTILE}".replace("\ud800", ""))
    own(workshop, "endpoint", "quick", f"{QUICK.replace('answers at once', quoted)}# {HOSTILE!r}\n")
    own(workshop, "endpoint", "bad", f"name: bad\n{quoted}: 1\n")
    own(workshop, "recipe", "mine", f"name: mine\ndescription: {quoted}\nprompt: {{user: {quoted}}}\n"
        f"reply: {{kind: text, question: {quoted}}}\n")  # fmt: skip
    (workshop.folder / "recipes" / "raw.yaml").write_bytes(b"name: raw\n\x1b]0;owned\x07\x9b31m\xff")
    (workshop.folder / "recipes" / "a\x1b[31m[b]\u202e.yaml").write_text("name: x\n")
    library = workshop.services.library

    async def tried(_name: str) -> EndpointTrial:
        return EndpointTrial(False, HOSTILE, HOSTILE, (TrialStep(HOSTILE, False, HOSTILE, HOSTILE, "k"),))

    async def models(_name: str) -> list[str]:
        raise VqaError(HOSTILE, hint=HOSTILE)

    monkeypatch.setattr(library, "try_endpoint", tried)
    monkeypatch.setattr(library, "offered_models", models)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "quick")
        check(app, screen_text)
        await pilot.press("t")
        await until(pilot, lambda: "it does not work with every key" in answer(screen))
        check(app, screen_text)
        await pilot.press("m")
        await until(pilot, lambda: "Models" in answer(screen))
        check(app, screen_text)
        await opened(app, pilot, until, "endpoint", "bad")
        check(app, screen_text)
        await pilot.press("escape")
        await opened(app, pilot, until, "recipe", "mine")
        check(app, screen_text)
        for _ in app.screen.query_one(LiveTable).rows:
            await pilot.press("g", "j", "k", "j")
            await pilot.pause()
            check(app, screen_text)
        await pilot.press("c")
        await pilot.pause()
        check(app, screen_text)


@pytest.mark.parametrize("word", ["recipe", "endpoint"])
async def test_a_file_that_comes_or_goes_is_seen(workshop: Workshop, until: Wait, word: str) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot, until, word, "caption" if word == "recipe" else "embedded")
        path = own(workshop, word, "zz", "name: zz\n")
        await pilot.press("f5")
        await until(pilot, lambda: screen.table.rows[-1].id == "zz")
        path.unlink()
        await pilot.press("f5")
        await until(pilot, lambda: screen.table.rows[-1].id != "zz")


async def test_leaving_ends_what_is_being_asked(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(workshop, "endpoint", "quick", QUICK)
    ended = asyncio.Event()

    async def tried(_name: str) -> EndpointTrial:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    monkeypatch.setattr(workshop.services.library, "try_endpoint", tried)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press("t")
        await until(pilot, lambda: "asking quick" in answer(screen))
        await pilot.press("escape")
        await until(pilot, ended.is_set)


@pytest.mark.parametrize(("key", "name"), [("t", "try_endpoint"), ("m", "offered_models")])
async def test_an_endpoint_can_be_asked_again_after_any_trouble(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, key: str, name: str
) -> None:
    own(workshop, "endpoint", "quick", QUICK)
    asked: list[str] = []

    async def fail(endpoint: str) -> None:
        asked.append(endpoint)
        raise OSError("cannot start a process") if len(asked) == 1 else VqaError("no answer")

    monkeypatch.setattr(workshop.services.library, name, fail)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "quick")
        await pilot.press(key)
        await until(pilot, lambda: "cannot start a process" in screen_text(app))
        assert not screen.query_one("#library-answer").display
        await pilot.press(key)
        await until(pilot, lambda: "no answer" in answer(screen))
    assert asked == ["quick", "quick"]


@pytest.mark.parametrize("word", ["recipe", "endpoint"])
async def test_resizing_at_any_moment(workshop: Workshop, until: Wait, word: str) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(30, 8)) as pilot:
        screen = await opened(app, pilot, until, word, "caption" if word == "recipe" else "embedded")
        for size in ((200, 50), (20, 5), (119, 30), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert app.screen is screen and "The file" in detail(screen)
