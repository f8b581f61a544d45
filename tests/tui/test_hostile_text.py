"""One hostile string in every field of text: no screen crashes, and nothing raw reaches the terminal."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.dom import DOMNode
from textual.screen import Screen

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Box, GroundTruth, ReferenceQuestion
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.domain.task import TaskDetail, TaskRow
from vqa_tui.operations.limits import LimitInForce
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.commands import Palette
from vqa_tui.tui.present.export_result import ExportResult
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.limits import LimitsDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.welcome import WelcomeScreen

HOSTILE = (
    "[/nope] [@click=app.quit]x[/] [b]\\[ $error \x1b]0;title\x07 \x1b[31mred \x1b]52;c;eA==\x07 \x9b31m \x90q\x9c "
    "\u202eevil\u2066 \ud800 漢字かな 👩‍👩‍👧 é\u0301 \x00\x08\x7f\r\nsecond\tline \u2028 " + "long" * 500
)
ESSENCE = "[/nope] [@click=app.quit]x[/]"
RAW = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\ud800-\udfff]")
_OURS = {"state", "level"}
"""Fields that hold words of ours; they are made hostile as well, since another version may have written them."""

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


def spoil(value: Any) -> Any:
    """Return `value` with every text in it replaced by the hostile one."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return HOSTILE
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: spoil(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, tuple):
        return tuple(spoil(each) for each in value)
    if isinstance(value, dict):
        return {HOSTILE + str(key): spoil(each) for key, each in value.items()}
    if isinstance(value, GroundTruth):
        return GroundTruth(
            categories=(HOSTILE,),
            boxes=(Box(label=HOSTILE, x=1, y=2, width=3, height=4),),
            captions=(HOSTILE,),
            questions=(ReferenceQuestion(question=HOSTILE, answer=HOSTILE),),
        )
    return value


def test_the_string_reaches_every_text_field(make_view: MakeView) -> None:
    spoiled = spoil(make_view(phase_reason="x"))
    assert spoiled.name == spoiled.why_idle == spoiled.keys[0].reason == spoiled.events[0].message == HOSTILE
    assert spoiled.in_flight[0].item_key == spoiled.keys[0].state == HOSTILE
    assert spoiled.keys[0].gauges[0].name == spoiled.throttles[0].group == spoiled.throttles[0].state == HOSTILE
    assert all(kind.startswith(HOSTILE) for kind in spoiled.failures)


@pytest.fixture
def spoiled(fake: Fake, make_view: MakeView, make_row: Any, make_detail: Any, picture: str) -> Fake:
    """Services that answer with hostile text wherever there is text."""
    services = fake(spoil(make_view(phase_reason="x")), picture=picture)
    services.remade_row = lambda task_id: spoil(make_row(task_id))

    def detail(row: TaskRow, path: str) -> TaskDetail:
        spoiled_detail: TaskDetail = spoil(make_detail(row, path))
        return replace(spoiled_detail, picture=path)

    services.remade_detail = detail
    services.plan_answer = replace(services.plan_answer, warnings=(HOSTILE,))
    return services


_checked: set[type[DOMNode]] = set()
"""Classes of the screens that `check` has looked at."""
_Test = TypeVar("_Test", bound=Callable[..., Coroutine[Any, Any, None]])


def visits(*screens: type[Screen[Any]]) -> Callable[[_Test], _Test]:
    """Say of a test that it checks these screens with hostile text; it fails when it did not."""

    def claimed(test: _Test) -> _Test:
        @wraps(test)
        async def visiting(*arguments: Any, **named: Any) -> None:
            _checked.clear()
            await test(*arguments, **named)
            assert set(screens) <= _checked, f"never checked: {set(screens) - _checked}"

        visiting.visited = screens  # type: ignore[attr-defined]
        return visiting  # type: ignore[return-value]

    return claimed


def check(app: VqaApp, screen_text: Text) -> None:
    """Nothing raw on the screen, and a picture of it can be made."""
    _checked.add(type(app.screen))
    text = screen_text(app).replace("\n", "")
    assert RAW.search(text) is None
    assert "\x1b" not in app.export_screenshot()


SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
@visits(RunsScreen)
async def test_runs(spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    app = VqaApp(spoiled)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        check(app, screen_text)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("size", SIZES)
@visits(DashboardScreen)
async def test_dashboard(spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int], phase: Phase) -> None:
    spoiled.change(phase=phase)
    app = VqaApp(spoiled, open_run=1)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: screen_text(app).count("[/nope]") > 3)
        check(app, screen_text)
        await pilot.press("x")
        await pilot.pause()
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
@visits(ItemScreen, ItemsScreen)
async def test_items_and_inspector(spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    app = VqaApp(spoiled, open_run=1)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: "longlong" in screen_text(app))
        check(app, screen_text)
        await pilot.press("enter")
        await until(pilot, lambda: "▀▀▀" in screen_text(app) and "1 try" in screen_text(app))
        inspector = app.screen.query_one("#inspector")
        for y in range(0, int(inspector.max_scroll_y) + 20, 15):
            inspector.scroll_to(y=y, animate=False, immediate=True)
            await pilot.pause()
            check(app, screen_text)
        await pilot.press("y", "j", "o")
        await pilot.pause()
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
@visits(LimitsDialog)
async def test_limits_dialog(spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    spoiled.in_force = (LimitInForce(HOSTILE, HOSTILE, HOSTILE, True, HOSTILE, HOSTILE),)
    app = VqaApp(spoiled, open_run=1)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("l")
        await until(pilot, lambda: "It takes [/nope]" in screen_text(app))
        check(app, screen_text)
        spoiled.refusal = VqaError(HOSTILE, hint=HOSTILE)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.screen.query_one("#problem").display)
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
@visits(DashboardScreen, ExportDialog, HelpScreen, Palette)
async def test_toasts_help_palette_and_export(
    spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = VqaApp(spoiled, open_run=1)

    async def export(*_: Any) -> ExportResult:
        return ExportResult(1, 1, (HOSTILE,), HOSTILE, (HOSTILE,), False, ((False, HOSTILE),), (HOSTILE,), 3)

    monkeypatch.setattr(spoiled, "export", export)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: screen_text(app).count("[/nope]") > 3)
        await pilot.press("question_mark")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("escape", "colon")
        await until(pilot, lambda: isinstance(app.screen, Palette) and "Pause (p)" in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape", "e")
        await until(pilot, lambda: "qwen" in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "not valid" in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape")
        spoiled.refusal = VqaError(HOSTILE, hint=HOSTILE)
        await pilot.press("p")
        await until(pilot, lambda: "That did not work" in screen_text(app))
        await until(pilot, lambda: ESSENCE in " ".join(screen_text(app).split()) or "[/nope]" in screen_text(app))
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
@visits(WelcomeScreen)
async def test_welcome(spoiled: Fake, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    spoiled.new, spoiled.command = True, lambda _words: HOSTILE
    app = VqaApp(spoiled)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen) and "[/nope]" in screen_text(app))
        check(app, screen_text)


def _modules(package: str) -> Iterator[Any]:
    folder = importlib.import_module(package).__path__
    return (importlib.import_module(info.name) for info in pkgutil.walk_packages(folder, f"{package}."))


def test_every_screen_and_dialog_is_visited() -> None:
    screens = {
        value
        for module in _modules("vqa_tui.tui")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Screen) and value.__module__ == module.__name__
    }
    visited: set[type[Screen[Any]]] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for value in vars(importlib.import_module(f"tests.tui.{path.stem}")).values():
            visited.update(getattr(value, "visited", ()))
    # What others are made of is looked at in them.
    parts = {screen for screen in screens if screen.__subclasses__()}
    assert screens - parts <= visited, f"no hostile text in {screens - parts - visited}"
    assert len(visited) > 25
