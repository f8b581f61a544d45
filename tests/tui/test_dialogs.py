"""What all dialogs promise: one press acts once, Enter spends nothing, small terminals reach everything, help helps."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.command import Command, CommandList
from textual.widgets import Input

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.domain.task import SortField
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.commands import Palette, ScreenCommands
from vqa_tui.tui.present.export_result import ExportResult
from vqa_tui.tui.present.help_text import KeyHelp, help_text
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.items import ItemsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


async def open_export(app: VqaApp, pilot: Any, until: Wait) -> None:
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, ExportDialog))


async def test_a_second_press_leaves_an_export_alone_and_leaving_tells_its_verdict(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = asyncio.Event()
    export, ended = running.export, []

    async def slow(*args: Any) -> ExportResult:
        written: ExportResult = await export(*args)
        await may_go_on.wait()
        ended.append(written)
        return written

    monkeypatch.setattr(running, "export", slow)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_export(app, pilot, until)
        await pilot.press("ctrl+s", "ctrl+s")
        await until(pilot, lambda: "writing and validating" in screen_text(app))
        await pilot.press("escape")
        await open_export(app, pilot, until)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Another export is still being written" in screen_text(app))
        await pilot.press("escape")
        may_go_on.set()
        await until(pilot, lambda: "not valid, 12 problems" in screen_text(app))
        assert len(ended) == 1 and len([w for w in running.wanted if w[0] == "export"]) == 1


async def test_the_verdict_is_scrolled_by_key_and_tells_first_what_is_wrong(
    app: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(60, 15)) as pilot:
        await open_export(app, pilot, until)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "result-box")
        await until(pilot, lambda: "✖ answers are long enough" in screen_text(app))
        await pilot.press("pagedown", "pagedown", "pagedown")
        await until(pilot, lambda: "✔ every picture opens" in screen_text(app))


async def test_what_a_field_takes_is_read_whole_in_a_small_terminal(
    app: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_export(app, pilot, until)
        for field in app.screen.query(Input):
            await until(pilot, lambda field=field: field.value or field.placeholder in screen_text(app))


async def test_a_value_that_stays_is_no_change(app: VqaApp, until: Wait) -> None:
    answers: list[str | None] = []

    def positive(text: str) -> None:
        if Decimal(text) <= 0:
            raise VqaError("must be above zero")

    async with app.run_test(size=(80, 24)) as pilot:
        for keys, answer in ((["enter"], None), (["7", "enter"], "7"), (["escape"], None)):
            app.push_screen(ValueDialog("Budget", "", value="5", check=positive), answers.append)
            await until(pilot, lambda: isinstance(app.screen, ValueDialog))
            await pilot.press(*keys)
            await until(pilot, lambda: not isinstance(app.screen, ValueDialog))
            assert answers.pop() == answer


async def test_the_palette_lists_what_the_screen_does_first_and_no_moves(
    fake: Fake, make_view: MakeView, until: Wait, tmp_path: Path
) -> None:
    app = VqaApp(fake(make_view()), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "tasks")
        titles = [hit.text or "" async for hit in ScreenCommands(app.screen).discover()]
        assert "Filter (/)" in titles and titles.index("Filter (/)") < titles.index("Mark (space)")
        assert titles.index("Mark (space)") < titles.index("Runs (1)") < titles.index("Datasets")
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        listed = app.screen.query_one(CommandList)
        await until(pilot, lambda: [each.hit.text for each in listed.options if isinstance(each, Command)] == titles)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Palette))
        assert not [title for title in titles if title.startswith(("Up", "Down", "First", "Last", "Page"))]
        assert "Screenshot" not in [command.title for command in app.get_system_commands(app.screen)]


def test_long_help_wraps_beside_its_key() -> None:
    key = KeyHelp("This screen", "a", "approve", "Approve the pilot", "The pilot is still measuring; it asks later on.")
    lines = help_text([key], "", 30).plain.splitlines()[2:]
    assert len(lines) > 1 and all(line.startswith("   ") and len(line) <= 30 for line in lines)


async def test_the_palette_offers_the_screen_while_a_text_field_has_the_focus(
    app: VqaApp, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
        assert isinstance(app.screen, ItemsScreen)
        items: ItemsScreen = app.screen
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Filter (/)" in screen_text(app))
        await pilot.press(*"sort (s)")
        await until(pilot, lambda: "Filter (/)" not in screen_text(app) and "Sort (s)" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is items and items.sort.by is not SortField.ID)
        assert items.query_one(Input).value == ""


async def _open_refused_export(app: VqaApp, pilot: Any, running: Fake, until: Wait, screen_text: Text) -> None:
    await open_export(app, pilot, until)
    running.refusal = VqaError("there is no such folder")
    await pilot.press("ctrl+s")
    await until(pilot, lambda: "there is no such folder" in screen_text(app))


async def test_what_is_wrong_is_said_until_a_field_is_another_one(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await _open_refused_export(app, pilot, running, until, screen_text)
        app.screen.query_one("#path", Input).focus()
        await pilot.press("x")
        await until(pilot, lambda: "What is finished by now is written" in screen_text(app))
        assert "there is no such folder" not in screen_text(app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "there is no such folder" in screen_text(app))


async def test_what_an_export_gave_stays_when_a_field_is_another_one(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await _open_refused_export(app, pilot, running, until, screen_text)
        running.refusal = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "not valid" in screen_text(app))
        app.screen.query_one("#path", Input).focus()
        await pilot.press("x")
        await until(pilot, lambda: "x" in app.screen.query_one("#path", Input).value[-1:])
        await pilot.pause()
        assert "not valid" in screen_text(app)
