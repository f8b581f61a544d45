"""What ends late takes nothing away from a person who does something else by then: the demo, and the newest run."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.command import Command, CommandList, CommandPalette

from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.run import RunSummary
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.messages import DemoWanted, RunPicked
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.widgets.path_field import PathField

Wait = Callable[..., Any]


def told(app: VqaApp) -> str:
    return " ".join(" ".join(toast.message.split()) for toast in app._notifications)


def first_found(app: VqaApp) -> str | None:
    """Return the command that Enter in the palette would do, once it has searched."""
    found = app.screen.query_one(CommandList)
    if not found.option_count or found.highlighted != 0:
        return None
    first = found.get_option_at_index(0)
    return first.hit.text if isinstance(first, Command) else None


class SlowDemo:
    """Makes the demo once it may, and remembers how often it was begun and broken off."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch, run_id: int) -> None:
        self.begun = self.broken_off = 0
        self.may_end, self._run_id = asyncio.Event(), run_id
        monkeypatch.setattr(services, "start_demo", self._start)

    async def _start(self) -> int:
        self.begun += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        return self._run_id


async def test_a_demo_that_is_wanted_twice_is_made_once_and_shown(
    fake: Any, make_view: Any, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake(make_view())
    demo = SlowDemo(services, monkeypatch, 1)
    app = VqaApp(services)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette) and app.focused is not None)
        await pilot.press(*"demo")
        await until(pilot, lambda: first_found(app) == "Demo")
        await pilot.press("enter")
        await until(pilot, lambda: demo.begun == 1 and isinstance(app.screen, RunsScreen))
        app.post_message(DemoWanted())
        await until(pilot, lambda: "being made already" in told(app))
        assert (demo.begun, demo.broken_off) == (1, 0)
        demo.may_end.set()
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.run_id == 1)


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_demo_that_is_ready_breaks_off_no_import(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch, is_open: bool
) -> None:
    """Be the dialog opened after the demo was asked for, or before."""
    await workshop.dataset(2)
    run_id = await workshop.run([DONE])
    demo = SlowDemo(workshop.services, monkeypatch, run_id)
    importing, imported = asyncio.Event(), asyncio.Event()

    async def import_dataset(*_given: Any, **_named: Any) -> None:
        importing.set()
        await imported.wait()

    monkeypatch.setattr(workshop.services.library, "import_dataset", import_dataset)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        if not is_open:
            app.post_message(DemoWanted())
            await until(pilot, lambda: demo.begun)
        app.action_open("datasets")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen) and app.screen._views)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        dialog = app.screen
        dialog.query_one("#path", PathField).set_path(str(workshop.folder / "bags"))
        await pilot.press("ctrl+s")
        await until(pilot, importing.is_set)
        if is_open:
            app.post_message(DemoWanted())
            await until(pilot, lambda: demo.begun)
        demo.may_end.set()
        await until(pilot, lambda: "The demo is ready: 1 goes to the runs" in told(app))
        assert app.screen is dialog
        assert any(each.group == "import" and each.is_running for each in app.workers if each.node is dialog)


@pytest.mark.parametrize("run_is_picked", [True, False])
async def test_the_newest_run_takes_the_place_of_nothing_that_was_chosen_meanwhile(
    fake: Any, make_view: Any, until: Wait, monkeypatch: pytest.MonkeyPatch, run_is_picked: bool
) -> None:
    services = fake(make_view(), make_view(id=2, name="second"))
    summaries = services.summaries
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly() -> list[RunSummary]:
        asked.set()
        await may_answer.wait()
        found: list[RunSummary] = await summaries()
        return found

    app = VqaApp(services)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        monkeypatch.setattr(services, "summaries", slowly)
        await pilot.press("2")
        await until(pilot, asked.is_set)
        if run_is_picked:
            app.post_message(RunPicked(2))
            await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        else:
            await pilot.press("f1")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        chosen = app.screen
        may_answer.set()
        await until(pilot, lambda: not [each for each in app.workers if each.group == "mode" and each.is_running])
        await pilot.pause()
        assert app.screen is chosen
        assert app.watch_over.run_id == (2 if run_is_picked else None)
