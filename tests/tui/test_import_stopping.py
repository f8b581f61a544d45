"""An import that is stopped, outlived by a question, or left: what came in stays, and keys are answered meanwhile."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.import_driver import Opened, draw
from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import Workshop
from vqa_tui.domain.item import SourceItem
from vqa_tui.operations import dataset_import, import_facts
from vqa_tui.operations.datasets import import_dataset, list_datasets
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import LeaveQuestion, Question
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard

Wait = Callable[..., Any]
Text = Callable[[Any], str]


class Gate:
    """Holds every batch back until a test lets it go on."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waiting = threading.Event()

    def probe(self, root: Path, items: Sequence[SourceItem], makes: Any) -> Any:
        if any(item.path >= "00256" for item in items):
            self.waiting.set()
            assert self.open.wait(30)
        return _REAL(root, items, makes)


_REAL = import_facts.opened_facts


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate()
    monkeypatch.setattr(dataset_import, "opened_facts", made.probe)
    return made


async def importing(app: VqaApp, pilot: "Pilot[None]", until: Wait, workshop: Workshop) -> Opened:
    """Open the dialog and start the import of 300 pictures; the gate lets 256 through."""
    opened = await Opened(app, pilot, until).open(workshop)
    opened.path.set_path(str(draw(workshop.folder / "sacks", 300)))
    await opened.press("ctrl+s")
    return opened


async def test_stopping_asks_and_what_came_in_stays(workshop: Workshop, until: Wait, gate: Gate) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await importing(app, pilot, until, workshop)
        await until(pilot, lambda: "256 pictures so far" in opened.said and gate.waiting.is_set())
        await opened.press("ctrl+s")  # once more does nothing
        await opened.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "256 pictures are imported by now and stay" in str(app.screen.query_one(".dialog-text", Static).render())
        await opened.press("n")
        await until(pilot, lambda: app.screen is opened.dialog)
        await opened.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await opened.press("y")
        await opened.over()
        gate.open.set()
        assert "256 pictures came in and stay in sacks" in opened.said
        await opened.press("enter")
        await until(pilot, lambda: opened.answer == "sacks")
    (view,) = await list_datasets(workshop.workspace)
    assert view.items == 256
    assert (await import_dataset(workshop.workspace, "folder", workshop.folder / "sacks")).added == 44


async def test_an_import_that_ends_while_the_question_stands_is_told_all_the_same(
    workshop: Workshop, until: Wait, gate: Gate
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await importing(app, pilot, until, workshop)
        await until(pilot, lambda: gate.waiting.is_set() and "256" in opened.said)
        await opened.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Question))
        gate.open.set()
        await opened.over()
        await opened.press("y")
        await until(pilot, lambda: app.screen is opened.dialog)
        assert "300 added" in opened.said
        await opened.press("enter")
        await until(pilot, lambda: opened.answer == "sacks")


async def test_keys_are_answered_while_an_import_works(workshop: Workshop, until: Wait, gate: Gate) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await importing(app, pilot, until, workshop)
        await until(pilot, gate.waiting.is_set)
        # Pictures are being opened and nothing has come back: the loop is free all the same.
        await asyncio.wait_for(opened.press("f1"), 20)
        await until(pilot, lambda: type(app.screen).__name__ == "HelpScreen")
        gate.open.set()
        await opened.over()


async def test_leaving_the_app_asks_first_and_the_dataset_says_that_it_is_not_whole(
    workshop: Workshop, until: Wait, screen_text: Text, gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = draw(workshop.folder / "sacks", 300)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.set_path(str(folder))
        await opened.press("ctrl+s")
        await until(pilot, lambda: "256 pictures so far" in opened.said and gate.waiting.is_set())
        await opened.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, LeaveQuestion))
        await opened.press("ctrl+q")  # once more asks no second time
        await opened.press("n")
        await until(pilot, lambda: app.screen is opened.dialog)
        assert app._exit is False
        await opened.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, LeaveQuestion))
        await opened.press("y")
        await until(pilot, lambda: app._exit)
        gate.open.set()
    assert "Not done when this screen closed: import of" in capfd.readouterr().err
    (view,) = await list_datasets(workshop.workspace)
    assert (view.items, view.unfinished) == (256, str(folder))
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        app.action_open("datasets")
        await until(pilot, lambda: "sacks ▲ not finished" in screen_text(app))
        await until(pilot, lambda: "again goes on from there" in " ".join(screen_text(app).replace("│", " ").split()))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunWizard) and "▲ not finished" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@visits(LeaveQuestion)
async def test_the_question_before_leaving_shows_hostile_names_harmlessly(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    workshop.services.library._importing.append(HOSTILE)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, LeaveQuestion))
        check(app, screen_text)
