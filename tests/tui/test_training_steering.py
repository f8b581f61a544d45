"""Keys on a training: each asks with its consequence, says why it is grey, and does what it said."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Static

from tests.tui.made_trainings import made_course, make_training
from tests.tui.test_training_screen import in_training
from tests.tui.workshop import Workshop
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.operations import training_start
from vqa_tui.operations.trainings import training_summary
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store import trainings as store
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.services import Services

Wait = Callable[..., Any]
Text = Callable[[Any], str]


def chosen(app: VqaApp) -> TrainingSummary | None:
    """Return the training under the cursor, while the mode itself is on screen."""
    return app.screen.chosen if isinstance(app.screen, TrainingScreen) else None


async def wish_of(workshop: Workshop, number: int) -> TrainingWish | None:
    return await store.current_wish(workshop.workspace.db, number)


async def test_stopping_asks_and_is_wished_for(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(27), phase="training", step=27)
    async with ProcessLock(workshop.workspace.paths.training_lock(1)):
        app = VqaApp(workshop.services)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            screen = await in_training(pilot, until, app)
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, Question))
            await until(pilot, lambda: "writes a checkpoint and ends" in screen_text(app))
            await pilot.press("n")
            await until(pilot, lambda: app.screen is screen)
            assert await wish_of(workshop, 1) is TrainingWish.RUN
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, Question))
            await pilot.press("y")
            await until(
                pilot, lambda: "stop wanted" in screen_text(app) or "It is to end" in (screen.reason("stop") or "")
            )
            assert await wish_of(workshop, 1) is TrainingWish.STOP
            assert screen.reason("stop") == "It is to end already. X ends it at once."
            assert screen.reason("cancel") is None


async def test_cancelling_names_the_steps_that_are_lost(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(27), phase="training", step=27)
    async with ProcessLock(workshop.workspace.paths.training_lock(1)):
        app = VqaApp(workshop.services)
        async with app.run_test(size=(80, 24)) as pilot:
            await in_training(pilot, until, app)
            await until(pilot, lambda: "step 27" in screen_text(app))
            await pilot.press("X")
            await until(pilot, lambda: isinstance(app.screen, Question))
            words = str(app.screen.query_one(".dialog-text", Static).content)
            assert "The 7 steps since its checkpoint at step 20 are lost" in words
            await pilot.press("y")
            await until(pilot, lambda: (now := chosen(app)) is not None and now.wish is TrainingWish.CANCEL)


async def test_resuming_starts_it_and_a_done_one_says_why_not(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed: list[int] = []

    async def spawn(_workspace: Any, training_id: int, *, resume: bool) -> None:
        assert resume
        resumed.append(training_id)

    monkeypatch.setattr(training_start, "_spawn", spawn)
    await make_training(workshop, 2, "x\n", phase="stopped", step=10)
    await make_training(workshop, 1, "x\n", phase="done", step=60)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app)
        await pilot.press("r")
        await until(pilot, lambda: resumed == [2])
        await pilot.press("j")
        await until(pilot, lambda: screen.chosen is not None and screen.chosen.id == 1)
        assert "press n" in (screen.reason("resume") or "")


async def test_renaming_and_deleting(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 2, "x\n", phase="stopped")
    await make_training(workshop, 1, "x\n", phase="stopped")
    folder = workshop.workspace.paths.training_folder(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await in_training(pilot, until, app)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        await pilot.press(*"12", "enter")
        await until(pilot, lambda: "cannot be the name of a training" in screen_text(app))
        await pilot.press("backspace", "backspace", *"bags", "enter")
        await until(pilot, lambda: (now := chosen(app)) is not None and now.name == "bags")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Question) and "(y)" in screen_text(app))
        assert folder.exists()
        await pilot.press("y")
        await until(pilot, lambda: not folder.exists())
        await until(pilot, lambda: (now := chosen(app)) is not None and now.id == 1)


async def test_one_that_only_looks_changes_nothing(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", phase="stopped")
    looking = Services(workshop.workspace, workshop.workspace, read_only=True)
    app = VqaApp(looking)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await in_training(pilot, until, app)
        for key, action in {
            "n": "new_training",
            "r": "resume",
            "D": "delete",
            "N": "rename",
            "t": "evaluate",
            "plus": "priority",
            "P": "set_priority",
        }.items():
            assert "--readonly" in (screen.reason(action) or "")
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is screen
        found = await training_summary(workshop.workspace, 1)
        assert found.phase is TrainingPhase.STOPPED and found.name == "tiny-1"


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_one_that_waits_goes_earlier_or_later_in_place(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    for number, phase in ((1, "training"), (2, "queued"), (3, "queued")):
        await make_training(workshop, number, "x\n", told=made_course(5), phase=phase, step=5)
    paths = workshop.workspace.paths
    locks = [ProcessLock(paths.training_lock(number)) for number in (1, 2, 3)]
    async with locks[0], locks[1], locks[2]:
        app = VqaApp(workshop.services)
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = await in_training(pilot, until, app, "facts")
            await until(pilot, lambda: "○ queued 2/2" in screen_text(app) and "In line for cpu" in screen_text(app))
            await until(pilot, lambda: "▸ 2. tiny-3" in screen_text(app) and "● training  tiny-1" in screen_text(app))
            await pilot.press("plus", "plus")
            await until(pilot, lambda: "▸ 1. tiny-3  priority 2" in screen_text(app))
            await until(pilot, lambda: "number 1 of 2 that wait for cpu" in " ".join(screen_text(app).split()))
            await pilot.press("minus", "minus", "minus")
            await until(pilot, lambda: "▸ 2. tiny-3  priority -1" in screen_text(app))
            await pilot.press("P")
            await until(pilot, lambda: isinstance(app.screen, ValueDialog))
            await pilot.press("x", "enter")
            await until(pilot, lambda: "is no priority" in screen_text(app))
            await pilot.press("backspace", "7", "enter")
            await until(pilot, lambda: "▸ 1. tiny-3  priority 7" in screen_text(app))
            found = await training_summary(workshop.workspace, 3)
            assert (found.priority, found.waits) == (7, True)
            screen.query_one("#trainings").focus()
            await pilot.press("G")
            await until(pilot, lambda: "has its device already" in (screen.reason("priority") or ""))
            await until(pilot, lambda: "▸ ● training  tiny-1" in screen_text(app))
            await until(
                pilot, lambda: "1. tiny-3  priority 7" in screen_text(app) and "+ and - let" not in screen_text(app)
            )
