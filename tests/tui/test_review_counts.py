"""What the review screen says of the whole run follows run and reviewers, whatever pair lies open."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.test_review_screen import number, opened, stored
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.review import Judgement, Verdict
from vqa_tui.operations import reviewing
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.store.db import StoreTrouble
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]


async def test_the_counts_follow_the_run_and_leave_the_pair(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(40)
    run_id = await workshop.run([DONE] * 20)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(app, pilot, until)
        await until(pilot, lambda: "0 of 20 pairs reviewed" in screen_text(app))
        before = number(app)
        await workshop.settle(run_id, [DONE] * 10)
        await until(pilot, lambda: "0 of 30 pairs reviewed" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await workshop.settle(run_id, [DONE] * 10)
        other = next(each for each in await stored(workshop, run_id) if each != before)
        await reviewing.judge(workshop.workspace, run_id, Judgement(other, Verdict.REJECTED))
        await pilot.press("5")
        await until(pilot, lambda: "1 of 40 pairs reviewed" in screen_text(app))
        assert number(app) == before


async def test_counts_that_cannot_be_read_are_told_by_the_line_of_trouble_alone(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE] * 4)
    asked: list[int] = []

    async def refuse(run: int, _target: float) -> ReviewStatus:
        asked.append(run)
        raise StoreTrouble("the disk is gone")

    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await opened(app, pilot, until)
        monkeypatch.setattr(workshop.services.reviewing, "status", refuse)
        await until(pilot, lambda: len(asked) > 1)
        assert "the disk is gone" not in screen_text(app) and "0 of 4 pairs reviewed" in screen_text(app)
