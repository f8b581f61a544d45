"""The review screen over a real workspace: verdicts by key, the next pair at once, and nothing lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select, TextArea

from tests.tui.workshop import DONE, FLAGGED, Fate, Workshop
from vqa_tui.domain.review import Judgement, Order, ReviewFilter, ReviewPair
from vqa_tui.domain.run import Intent
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.operations import reviewing
from vqa_tui.store.db import StoreTrouble
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.review import ReviewScreen
from vqa_tui.tui.screens.review_choice import ReviewChoiceDialog
from vqa_tui.tui.widgets.tick_box import TickBox

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]
TWO = Fate(
    pairs=(
        Pair("Where is the battery?", "In the upper left.", "location"),
        Pair("How many?", "Two.", "count", (SampleFlag.SHORT_ANSWER,)),
    )
)


async def opened(app: VqaApp, pilot: Any, until: Wait) -> ReviewScreen:
    """Go to the review of the run and wait for its first pair."""
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and shown(app) is not None)
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    return screen


def shown(app: VqaApp) -> ReviewPair | None:
    desk = app.screen.desk if isinstance(app.screen, ReviewScreen) else None
    return desk.current if desk is not None else None


def number(app: VqaApp) -> int:
    """The number of the pair that is shown; 0 for none."""
    pair = shown(app)
    return pair.sample.id if pair is not None else 0


async def stored(workshop: Workshop, run_id: int) -> dict[int, str | None]:
    """Verdicts as they are in the file, by pair."""
    rows = await workshop.workspace.db.read("SELECT id, verdict FROM sample WHERE run_id = ?", (run_id,))
    return {row["id"]: row["verdict"] for row in rows}


async def settled(app: VqaApp, pilot: Any, until: Wait) -> None:
    """Wait until every verdict is written and the counts were read again."""
    screen = app.screen
    assert isinstance(screen, ReviewScreen) and screen._writer is not None
    writer = screen._writer
    await until(pilot, lambda: not writer.pending and not [w for w in app.workers if w.group == "status"])


@pytest.mark.parametrize("size", SIZES)
async def test_each_verdict_is_one_key_and_the_next_pair_follows(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([TWO] * 4)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, until)
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        wanted: dict[int, str] = {}
        for key, verdict in (("a", "accepted"), ("x", "rejected"), ("m", "unsure"), ("a", "accepted")):
            before = number(app)
            wanted[before] = verdict
            await pilot.press(key)
            await until(pilot, lambda before=before: number(app) not in (0, before))
            assert number(app) not in wanted
        await until(pilot, lambda: "4 of 8 pairs reviewed" in screen_text(app))
        await until(pilot, lambda: "2 accepted, 1 rejected, 1 unsure" in screen_text(app))
        await until(pilot, lambda: "after 3: about" in screen_text(app) and "defect rate" in screen_text(app))
        found = await stored(workshop, run_id)
        assert {key: value for key, value in found.items() if value} == wanted
        rows = await workshop.workspace.db.read("SELECT DISTINCT picked FROM sample WHERE verdict IS NOT NULL")
        assert [row["picked"] for row in rows] == ["stratified"]


async def test_question_answer_flags_and_truth_are_read_beside_the_picture(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([TWO])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(200, 50)) as pilot:
        await opened(app, pilot, until)
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        seen = screen_text(app)
        await pilot.press("right")
        await until(pilot, lambda: screen_text(app) != seen and number(app) != 0)
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        both = seen + screen_text(app)
        for words in ("Where is the battery?", "In the upper left.", "location", "⚑ short answer", "images/00000.png"):
            assert words in both
        assert "categories Battery, Knife" in both and "box Battery" in both
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "2 boxes" in screen_text(app) and "▀▀▀" in screen_text(app))


async def test_no_key_here_steers_the_run(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([TWO] * 3)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        before = (await workshop.services.run_view(run_id)).intent
        first = number(app)
        await pilot.press("x")
        await until(pilot, lambda: number(app) not in (0, first))
        await pilot.press("left")
        await until(pilot, lambda: number(app) == first)
        await settled(app, pilot, until)
        assert isinstance(app.screen, ReviewScreen)
        assert (await workshop.services.run_view(run_id)).intent is before is Intent.RUN
        actions = {active.binding.action for active in app.screen.active_bindings.values()}
        assert not actions & {"toggle_pause", "stop", "stop_and_leave"}


@pytest.mark.parametrize("size", SIZES)
async def test_an_edit_in_place_accepts_and_keeps_the_original(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE, DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, until)
        first = number(app)
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        await pilot.press("x", "escape")
        await until(pilot, lambda: not screen.editing)
        assert number(app) == first and (await stored(workshop, run_id))[first] is None
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        answer = screen.query_one("#edit-answer", TextArea)
        assert answer.text == "A coloured bag."
        answer.load_text("  ")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "The answer is empty" in " ".join(screen_text(app).split()))
        assert screen.editing
        await pilot.press(*"red", "space", "a", "x", "f2")
        await until(pilot, lambda: number(app) not in (0, first))
        await settled(app, pilot, until)
        sample = (await reviewing.review_pairs(workshop.workspace, run_id, [first]))[first].sample
        assert (sample.verdict, sample.answer, sample.edited_answer) == ("accepted", "A coloured bag.", "red ax")
        assert sample.edited_question is None
        await pilot.press("h")
        await until(pilot, lambda: "A as written" in screen_text(app))
        await until(pilot, lambda: "red ax" in screen_text(app) and "✎ accepted, edited" in screen_text(app))


async def test_saving_an_edit_without_a_change_is_a_plain_accept(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(1)
    odd = Fate(pairs=(Pair("What\tis it?", "A \x1b[31mred\x1b[0m bag.", "general"),))
    run_id = await workshop.run([odd])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        first = number(app)
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        assert "\x1b" not in screen.query_one("#edit-answer", TextArea).text
        await pilot.press("ctrl+s")
        await until(pilot, lambda: number(app) == 0)
        await settled(app, pilot, until)
        sample = (await reviewing.review_pairs(workshop.workspace, run_id, [first]))[first].sample
        assert sample.verdict == "accepted" and not sample.edited


async def test_undo_goes_back_in_order_also_after_a_restart(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([DONE] * 3)
    order = []
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        for key in "ax":
            order.append(number(app))
            await pilot.press(key)
            await until(pilot, lambda: number(app) not in (0, *order))
        await settled(app, pilot, until)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("u")
        await until(pilot, lambda: number(app) == order[1])
        await pilot.press("ctrl+z")
        await until(pilot, lambda: number(app) == order[0])
        await until(pilot, lambda: "0 of 3 pairs reviewed" in screen_text(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "You have judged nothing" in screen_text(app))
        assert set((await stored(workshop, run_id)).values()) == {None}


async def test_undo_pressed_twice_in_haste_takes_back_two(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE] * 4)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        for key in "aax":
            before = number(app)
            await pilot.press(key)
            await until(pilot, lambda before=before: number(app) not in (0, before))
        await until(pilot, lambda: "3 of 4 pairs reviewed" in screen_text(app))
        app.simulate_key("u")
        app.simulate_key("u")
        await until(pilot, lambda: "1 of 4 pairs reviewed" in screen_text(app))
        assert sorted(filter(None, (await stored(workshop, run_id)).values())) == ["accepted"]


async def test_skipped_pairs_come_back_at_the_end(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE, DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        first = number(app)
        await pilot.press("left")
        await until(pilot, lambda: "This is the first pair" in screen_text(app))
        await pilot.press("l")
        await until(pilot, lambda: number(app) not in (0, first))
        await pilot.press("a")
        await until(pilot, lambda: "1 pair was passed over" in " ".join(screen_text(app).split()))
        await pilot.press("space")
        await until(pilot, lambda: number(app) == first)
        await pilot.press("a")
        await until(pilot, lambda: "Every pair has a verdict" in " ".join(screen_text(app).split()))
        await until(pilot, lambda: "2 of 2 pairs reviewed" in screen_text(app))
        await pilot.press("left")
        await until(pilot, lambda: number(app) != 0)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_a_write_that_fails_is_told_kept_and_tried_again(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE] * 4)
    full = asyncio.Event()
    write = workshop.services.reviewing.judge

    async def judge(run: int, judgement: Judgement) -> None:
        if not full.is_set():
            raise StoreTrouble("the disk is full")
        await write(run, judgement)

    monkeypatch.setattr(workshop.services.reviewing, "judge", judge)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        first = number(app)
        await pilot.press("a")
        await until(pilot, lambda: "the disk is full" in screen_text(app))
        await until(pilot, lambda: "not written yet" in screen_text(app))
        await until(pilot, lambda: number(app) not in (0, first))
        await pilot.press("x")
        await until(pilot, lambda: "2 verdicts not written yet" in screen_text(app))
        assert set((await stored(workshop, run_id)).values()) == {None}
        full.set()
        await pilot.press("m")
        await settled(app, pilot, until)
        found = await stored(workshop, run_id)
        assert sorted(filter(None, found.values())) == ["accepted", "rejected", "unsure"]
        assert found[first] == "accepted"


async def test_leaving_writes_what_is_on_its_way(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE, DONE])
    leaving = asyncio.Event()
    write = workshop.services.reviewing.judge

    async def judge(run: int, judgement: Judgement) -> None:
        await leaving.wait()
        await write(run, judgement)

    monkeypatch.setattr(workshop.services.reviewing, "judge", judge)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        first = number(app)
        await pilot.press("a")
        assert app.watch_over.wishes.unwritten == ("verdicts of the review",)
        app.action_detach()
        leaving.set()
        await until(pilot, lambda: app._exit)
    assert (await stored(workshop, run_id))[first] == "accepted"
    assert "Not done" not in str(app._exit_renderables)


async def test_a_pair_that_was_replaced_meanwhile_is_told(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([DONE] * 3)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        async with workshop.workspace.db.write() as transaction:
            await transaction.execute("DELETE FROM sample WHERE id = ?", (number(app),))
        await pilot.press("a")
        await until(pilot, lambda: "This verdict is void" in screen_text(app))
        await until(pilot, lambda: number(app) != 0)


@pytest.mark.parametrize("size", SIZES)
async def test_order_filter_and_exactness_are_chosen(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(6)
    run_id = await workshop.run([DONE, DONE, FLAGGED, DONE, FLAGGED, TWO])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, ReviewChoiceDialog))
        dialog = app.screen
        dialog.query_one("#target", Input).value = "none"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "no exactness" in screen_text(app))
        dialog.query_one("#target", Input).value = "5"
        dialog.query_one("#flagged", TickBox).value = True
        dialog.query_one("#order", Select).value = "random"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen and shown(app) is not None)
        assert screen.choice.chosen == ReviewFilter(flagged=True) and screen.choice.order is Order.RANDOM
        flagged = set()
        for _ in range(3):
            flagged.add(number(app))
            await pilot.press("a")
            await until(pilot, lambda: number(app) not in flagged)
        assert number(app) == 0 and len(flagged) == 3
        await until(pilot, lambda: "No pair of this choice is left" in " ".join(screen_text(app).split()))
        await until(pilot, lambda: "only flagged" in screen_text(app) or size[0] == 80)
        await settled(app, pilot, until)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, ReviewChoiceDialog))
        dialog = app.screen
        dialog.query_one("#verdict", Select).value = "accepted"
        await until(pilot, lambda: "say nothing of the other pairs" in " ".join(screen_text(app).split()))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen and number(app) == min(flagged))
        await pilot.press("x")
        await until(pilot, lambda: number(app) == sorted(flagged)[1])
        await settled(app, pilot, until)
        assert (await stored(workshop, run_id))[min(flagged)] == "rejected"
        assert screen.status is not None and screen.status.estimate is not None
        assert screen.status.estimate.target == 0.05


async def test_note_yank_and_open(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    opened_paths: list[str] = []

    async def open_externally(path: str) -> None:
        opened_paths.append(path)

    monkeypatch.setattr(workshop.services, "open_externally", open_externally)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        await pilot.press(*"odd", "enter")
        await until(pilot, lambda: "note  odd" in screen_text(app))
        assert (await stored(workshop, run_id))[number(app)] is None
        await pilot.press("y", "o")
        await until(pilot, lambda: opened_paths)
        assert app.clipboard == "Q: What is shown?\nA: A coloured bag."
        assert Path(opened_paths[0]).name == "00000.png"
