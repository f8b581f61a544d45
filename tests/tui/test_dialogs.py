"""What all dialogs promise: one press acts once, Enter spends nothing, small terminals reach everything, help helps."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Select

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.export_result import ExportResult
from vqa_tui.tui.present.help_text import KeyHelp, help_text
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.new_run import NewRunDialog

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any
MakeView = Callable[..., RunView]


async def open_new_run(app: VqaApp, pilot: Any, until: Wait, screen_text: Text) -> None:
    """Open the dialog and choose what a run needs."""
    await until(pilot, lambda: app.watch_over.last_runs is not None)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewRunDialog) and "choose a recipe" in screen_text(app))
    app.screen.query_one("#recipe", Select).value = "caption"
    app.screen.query_one("#endpoint", Select).value = "gemini"
    await until(pilot, lambda: "tokens each" in screen_text(app))


async def open_export(app: VqaApp, pilot: Any, until: Wait) -> None:
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, ExportDialog))


async def test_a_second_press_starts_no_second_run(
    fake: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake()
    may_go_on = asyncio.Event()
    create = services.create

    async def slow(request: RunRequest) -> int:
        run_id: int = await create(request)
        await may_go_on.wait()
        return run_id

    monkeypatch.setattr(services, "create", slow)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_new_run(app, pilot, until, screen_text)
        await pilot.press("ctrl+s", "ctrl+s", "ctrl+s", "escape")
        await until(pilot, lambda: "starting the engine" in screen_text(app))
        assert isinstance(app.screen, NewRunDialog)
        assert all(button.disabled for button in app.screen.query(Button))
        may_go_on.set()
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert [wanted[0] for wanted in services.wanted] == ["create", "start_engine"]


async def test_after_a_refusal_the_run_can_be_started(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_new_run(app, pilot, until, screen_text)
        services.refusal = VqaError("there is already a run named r1")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "already a run named r1" in screen_text(app))
        services.refusal = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_enter_goes_through_the_fields_and_starts_nothing(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_new_run(app, pilot, until, screen_text)
        app.screen.query_one("#name").focus()
        for field in ("limit", "pilot", "budget", "concurrency", "max_side", "start"):
            await pilot.press("enter")
            await until(pilot, lambda field=field: app.focused is not None and app.focused.id == field)
        assert services.wanted == []


@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_the_buttons_are_in_sight_and_the_rest_is_scrolled_to(
    fake: Fake, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(fake())
    async with app.run_test(size=size) as pilot:
        await open_new_run(app, pilot, until, screen_text)
        assert "Start (ctrl+s)" in screen_text(app) and "Cancel (esc)" in screen_text(app)
        await pilot.press("pagedown", "pagedown", "pagedown")
        await until(pilot, lambda: "by its quotas" in screen_text(app))
        assert "Start (ctrl+s)" in screen_text(app)


async def test_long_choices_end_in_an_ellipsis(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    long = type(services.offered.recipes[0])("caption", "what is asked of the pictures in very many words " * 4)
    services.offered = type(services.offered)(services.offered.datasets, (long,), services.offered.endpoints)
    app = VqaApp(services)
    async with app.run_test(size=(60, 20)) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("n")
        await until(pilot, lambda: "caption  what is" in screen_text(app))
        assert "… ▼" in next(line for line in screen_text(app).splitlines() if "caption" in line)


async def test_f1_lists_the_keys_of_a_dialog(fake: Fake, until: Wait, screen_text: Text) -> None:
    app = VqaApp(fake())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_new_run(app, pilot, until, screen_text)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and "Create the run" in screen_text(app))
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, NewRunDialog))
        app.screen.query_one("#start").focus()
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))


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
    from vqa_tui.tui.commands import ScreenCommands

    app = VqaApp(fake(make_view()), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "tasks")
        titles = [hit.text or "" async for hit in ScreenCommands(app.screen).discover()]
        assert "Filter (/)" in titles and titles.index("Filter (/)") < titles.index("Mark (space)")
        assert titles.index("Mark (space)") < titles.index("Runs (1)")
        assert not [title for title in titles if title.startswith(("Up", "Down", "First", "Last", "Page"))]
        assert "Screenshot" not in [command.title for command in app.get_system_commands(app.screen)]


def test_long_help_wraps_beside_its_key() -> None:
    key = KeyHelp("This screen", "a", "approve", "Approve the pilot", "The pilot is still measuring; it asks later on.")
    lines = help_text([key], "", 30).plain.splitlines()[2:]
    assert len(lines) > 1 and all(line.startswith("   ") and len(line) <= 30 for line in lines)
