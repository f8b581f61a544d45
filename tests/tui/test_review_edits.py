"""Edits of pairs in the review screen: keys that move the pair wait, and no typed text is lost in silence."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.test_review_screen import number, opened, settled, stored
from tests.tui.workshop import DONE, Workshop
from vqa_tui.operations import reviewing
from vqa_tui.tui.app import VqaApp

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


async def test_a_key_for_the_shown_pair_waits_until_the_pair_asked_for_is_shown(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE] * 4)
    may_undo = asyncio.Event()
    undo = workshop.services.reviewing.undo

    async def slow_undo(run: int) -> Any:
        await may_undo.wait()
        return await undo(run)

    monkeypatch.setattr(workshop.services.reviewing, "undo", slow_undo)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        first = number(app)
        await pilot.press("a")
        await until(pilot, lambda: number(app) not in (0, first))
        second = number(app)
        await settled(app, pilot, until)
        await pilot.press("u", "e", "x")
        await until(pilot, lambda: "Another pair is being opened" in screen_text(app))
        assert not screen.editing
        may_undo.set()
        await until(pilot, lambda: screen.shown is not None and screen.shown.sample.id == first)
        assert (await stored(workshop, run_id))[second] is None
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        await pilot.press("o", "k", "f2")
        await settled(app, pilot, until)
        sample = (await reviewing.review_pairs(workshop.workspace, run_id, [first]))[first].sample
        assert sample.final_answer == "A coloured bag.ok"


async def test_an_edit_goes_to_its_own_pair_though_another_lies_open(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([DONE] * 3)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        first = number(app)
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        assert screen.desk is not None
        await screen.desk.step_slowly()
        screen.show_pair()
        assert screen.shown is not None and screen.shown.sample.id == first, "the picture stays with the text"
        await pilot.press("o", "k", "f2")
        await settled(app, pilot, until)
        found = await stored(workshop, run_id)
        assert {key for key, verdict in found.items() if verdict} == {first}
        assert screen.shown is not None and screen.shown.sample.id == number(app) != first


async def test_the_text_of_an_edit_that_another_run_cuts_off_is_not_lost_in_silence(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    run_id, other = await workshop.run([DONE] * 2), await workshop.run([DONE] * 2, name="other")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        app.action_mode("runs")
        await until(pilot, lambda: app.screen is not screen)
        app.watch_over.follow_run(other)
        app.action_mode("review")
        await until(pilot, lambda: "was not saved: another run is shown" in " ".join(screen_text(app).split()))
        assert not screen.editing
