"""Keys of the trainings mean the training under the cursor, also while the panels still show the one before."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.made_trainings import made_course, make_training
from tests.tui.test_training_screen import in_training
from tests.tui.workshop import Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.services.trainings import Followed
from vqa_tui.tui.widgets.course_panel import CoursePanel

Wait = Callable[..., Any]
Text = Callable[[Any], str]


async def test_nothing_of_the_training_before_is_copied_or_opened(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = await make_training(workshop, 2, "newer\n", told=made_course(40), step=40)
    older = await make_training(workshop, 1, "older\n", told=made_course(40), step=40)
    trainings = workshop.services.trainings
    follow, asked, go_on = trainings.follow, asyncio.Event(), asyncio.Event()

    async def follow_slowly(training_id: int) -> Followed:
        asked.set()
        await go_on.wait()
        return await follow(training_id)

    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "trainings")
        await until(pilot, lambda: "Log of training 2" in screen_text(app) and "newer" in screen_text(app))
        await pilot.press("y")
        assert app.clipboard == str(newer.parent)
        screen.query_one(CoursePanel).mark(20)
        monkeypatch.setattr(trainings, "follow", follow_slowly)
        await pilot.press("j")
        await until(pilot, asked.is_set)
        app.copy_to_clipboard("")
        for key in ("y", "o"):
            app.clear_notifications()
            await until(pilot, lambda: "do not show this training" not in screen_text(app))
            await pilot.press(key)
            await until(pilot, lambda: "do not show this training" in screen_text(app))
        assert app.clipboard == "" and app.screen is screen
        go_on.set()
        await until(pilot, lambda: "Log of training 1" in screen_text(app) and "older" in screen_text(app))
        await pilot.press("y")
        assert app.clipboard == str(older.parent)
