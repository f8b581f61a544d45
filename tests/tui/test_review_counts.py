"""What the review screen says of the run follows it and the reviewers, and what it says of a pair is read in full."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.tui.test_review_screen import number, opened, stored
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.review import Judgement, ReviewPair, Verdict
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


async def test_a_long_truth_is_read_to_its_end_in_a_small_terminal(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    read = workshop.services.reviewing.pairs

    async def pairs(run: int, ids: Sequence[int]) -> dict[int, ReviewPair]:
        truth = GroundTruth(captions=("many words " * 60 + "end-of-one", "many words " * 60 + "end-of-two"))
        return {each: replace(pair, truth=truth) for each, pair in (await read(run, ids)).items()}

    monkeypatch.setattr(workshop.services.reviewing, "pairs", pairs)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        await until(pilot, lambda: screen.query_one("#review-text").max_scroll_y > 0)
        seen = ""
        for _ in range(40):
            await pilot.press("j")
            seen += screen_text(app)
        assert "end-of-one" in seen and "end-of-two" in seen
