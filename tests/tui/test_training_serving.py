"""Serving from mode 6: begun and ended by key, seen with its endpoint, and why it cannot be or did not come up."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from tests.tui.made_trainings import made_course, make_training
from tests.tui.test_hostile_text import ESSENCE, HOSTILE, check
from tests.tui.test_training_screen import SIZES, in_training
from tests.tui.workshop import Workshop
from vqa_tui.operations import training_serve
from vqa_tui.process import serving, spawn
from vqa_tui.process.lock import ProcessLock
from vqa_tui.process.serving import Wanted
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import Question

Wait = Callable[..., Any]
Text = Callable[[Any], str]
_SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


@dataclass
class Starter:
    """Starts a process that sleeps as the server of a training, as far as its merge."""

    workshop: Workshop
    asked: list[list[str]] = field(default_factory=list)
    tasks: list[asyncio.Task[int]] = field(default_factory=list)

    def spawn(self, arguments: list[str], *, log: Path, environment: dict[str, str]) -> Any:
        self.asked.append(arguments)
        self.tasks.append(asyncio.create_task(self._begin(log.parent)))
        return self

    def poll(self) -> int | None:
        return None

    async def _begin(self, place: Path) -> int:
        held = ProcessLock(place / "lock")
        await held.acquire()
        try:
            return await serving.run_to_end(_SLEEPS, place, held, Wanted(8123, "transformers", "merged", "bags-tuned"))
        finally:
            held.release()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def starter(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starter]:
    made = Starter(workshop)
    monkeypatch.setattr(spawn, "spawn_detached", made.spawn)
    monkeypatch.setattr(training_serve, "missing_packages", lambda: [])
    yield made
    await made.end()


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_served_seen_and_ended(
    workshop: Workshop, until: Wait, screen_text: Text, starter: Starter, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60, name="Bags.1")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "facts")
        await until(pilot, lambda: screen.followed is not None and screen.reason("serve") is None)
        await pilot.press("V")
        await until(pilot, lambda: isinstance(app.screen, Question))
        words = str(app.screen.query_one(".dialog-text", Static).content)
        assert "as the endpoint bags-1" in words and "V ends it" in words
        await pilot.press("y")
        await until(pilot, lambda: "◐ merging" in screen_text(app) and "bags-tuned" in screen_text(app))
        assert starter.asked == [["server", "1", "--workspace", str(workshop.workspace.paths.root)]]
        words = " ".join(str(screen.query_one("#facts Static", Static).content).split())
        assert "http://127.0.0.1:8123/v1" in words and "with transformers, no answer yet" in words
        await until(pilot, lambda: screen.key_words("serve") == "end server")
        (workshop.workspace.paths.training_serving(1) / "starter.log").write_text("it was ended")
        await pilot.press("V")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "◐ merging" not in screen_text(app) and screen.key_words("serve") is None)
        await starter.tasks[0]
        assert "it was ended" not in screen_text(app)


async def test_why_it_cannot_be_served(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch, screen_text: Text
) -> None:
    monkeypatch.setattr(training_serve, "missing_packages", lambda: [])
    await make_training(workshop, 1, "x\n", told=made_course(40), step=40, phase="stopped")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app)
        await until(pilot, lambda: "It has left no adapter yet" in (screen.reason("serve") or ""))


async def test_packages_that_are_missing_are_named(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_serve, "missing_packages", lambda: ["fastapi"])
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app)
        await until(pilot, lambda: (screen.reason("serve") or "").startswith("It needs fastapi: `pip install"))


async def test_one_that_did_not_come_up_says_why(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    place = workshop.workspace.paths.training_serving(1)
    place.mkdir()
    (place / "starter.log").write_bytes(b"Error: the server ended (exit 1)\n" + HOSTILE.encode("utf-8", "replace"))
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_training(pilot, until, app, "facts")
        await until(pilot, lambda: "the server ended (exit 1)" in screen_text(app) and ESSENCE[:7] in screen_text(app))
        check(app, screen_text)
