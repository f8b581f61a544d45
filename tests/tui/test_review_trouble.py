"""The review screen where things are missing, small, forbidden or hostile."""

import pytest
from textual.widgets import Select, Static, TextArea

from tests.tui.test_hostile_text import HOSTILE, RAW, check, visits
from tests.tui.test_review_screen import SIZES, TWO, Text, Wait, number, opened, settled, stored
from tests.tui.workshop import DONE, Fate, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import Edit, Judgement, Verdict
from vqa_tui.domain.sample import Pair
from vqa_tui.operations import reviewing
from vqa_tui.store import reviewing as store_reviewing
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.review import ReviewScreen
from vqa_tui.tui.screens.review_choice import ReviewChoiceDialog


async def test_a_run_without_pairs_says_so_and_shows_the_first_that_comes(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run()
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("5")
        await until(pilot, lambda: "No pair is stored yet" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: "No pair is shown." in screen_text(app))
        await workshop.settle(run_id, [DONE])
        app.watch_over.look_now()
        await until(pilot, lambda: "What is shown?" in screen_text(app))


async def test_a_screen_that_may_only_look_writes_nothing(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE, DONE])
    workshop.services.read_only = True
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("5")
        await until(pilot, lambda: "Nobody has reviewed this run yet" in " ".join(screen_text(app).split()))
        await reviewing.place_pairs(workshop.workspace, run_id)
        await pilot.press("1", "2", "5")
        await until(pilot, lambda: number(app) != 0)
        for key in ("a", "x", "m", "e", "w", "u"):
            await pilot.press(key)
        await until(pilot, lambda: "may only look" in screen_text(app))
        assert set((await stored(workshop, run_id)).values()) == {None}


async def test_a_picture_that_is_gone_is_told_and_the_pair_can_be_judged(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    next((workshop.folder / "bags" / "images").iterdir()).unlink()
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        await until(pilot, lambda: "not there any more" in screen_text(app))
        await pilot.press("x")
        await until(pilot, lambda: "1 of 1 pair reviewed" in screen_text(app))


async def test_a_tiny_terminal_and_a_resize_while_editing_break_nothing(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([TWO])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("e")
        await until(pilot, lambda: screen.query_one("#edit-answer").has_focus)
        for size in ((20, 6), (200, 50), (1, 1), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert screen.editing and screen.query_one("#edit-answer", TextArea).text


@pytest.mark.parametrize("size", SIZES)
@visits(ReviewChoiceDialog, ReviewScreen, ValueDialog)
async def test_hostile_text(workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    storable = HOSTILE.replace("\ud800", "")
    await workshop.dataset(1)
    run_id = await workshop.run([Fate(pairs=(Pair(storable, storable, storable), Pair("q?", "a", "t")))])
    await workshop.services.reviewing.place_pairs(run_id, lambda _left: None)
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE item SET key = ?", (storable[:59],))
        await transaction.execute(
            "UPDATE sample SET edited_answer = ?, review_note = ? WHERE ordinal = 0", (storable, storable)
        )
        await transaction.execute("UPDATE run SET name = ?", (storable,))
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        if number(app) != 1:
            await pilot.press("l")
        await until(pilot, lambda: number(app) == 1 and "[/nope]" in screen_text(app))
        check(app, screen_text)
        await pilot.press("y", "j", "j", "k", "o")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, ReviewChoiceDialog))
        app.screen.query_one("#type", Select).expanded = True
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("escape", "e")
        await until(pilot, lambda: screen.editing and screen.query_one("#edit-answer").has_focus)
        await pilot.pause()
        check(app, screen_text)
        assert RAW.search(screen.query_one("#edit-answer", TextArea).text.replace("\n", "")) is None
        await pilot.press("escape")
        await pilot.press("a")
        await settled(app, pilot, until)
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
async def test_two_reviewers_of_one_pair_are_told_and_neither_is_written_over(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE] * 2)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        seen = number(app)
        theirs = Judgement(seen, Verdict.REJECTED, Edit("What is shown?", "Another text."))
        await store_reviewing.judge(workshop.workspace.db, run_id, theirs, who="bob")
        await pilot.press("a")
        await until(pilot, lambda: "This verdict is void" in screen_text(app) and "rejected by bob" in screen_text(app))
        assert (await stored(workshop, run_id))[seen] == "rejected"
        await until(pilot, lambda: number(app) not in (0, seen))
        assert screen.last == f"pair {seen}: not written"
        # What stands there now is seen on going back, and judged as that.
        await pilot.press("left")
        await until(pilot, lambda: number(app) == seen and "Another text." in screen_text(app))
        await pilot.press("a")
        await settled(app, pilot, until)
    assert (await stored(workshop, run_id))[seen] == "accepted"


async def test_a_pair_that_was_read_ahead_is_passed_over_once_somebody_else_has_judged_it(
    workshop: Workshop, until: Wait
) -> None:
    await workshop.dataset(6)
    run_id = await workshop.run([DONE] * 6)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        desk = (await opened(app, pilot, until)).desk
        assert desk is not None
        await until(pilot, lambda: len(desk._read) > 2 and not [w for w in app.workers if w.group == "ahead"])
        following, theirs, after = desk._ahead[:3]
        assert theirs in desk._read
        await store_reviewing.judge(workshop.workspace.db, run_id, Judgement(theirs, Verdict.REJECTED), who="bob")
        await pilot.press("a")
        await until(pilot, lambda: number(app) == following and theirs not in desk._ahead)
        await pilot.press("a")
        await until(pilot, lambda: number(app) == after)


async def test_keys_lead_on_once_pairs_can_be_read_again(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(12)
    run_id = await workshop.run([DONE] * 12)
    app = VqaApp(workshop.services, open_run=run_id)

    async def fail(*_asked: object) -> None:
        raise VqaError("the workspace file is held by another program")

    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        await until(pilot, lambda: not screen.at_work("first", "ahead"))
        with monkeypatch.context() as broken:
            for name in ("place_pairs", "pairs"):
                broken.setattr(workshop.services.reviewing, name, fail)
            last = 0
            while (judged := number(app)) != last:
                last = judged
                await pilot.press("a")
                await until(pilot, lambda: not screen.at_work("first", "ahead"))
            await until(pilot, lambda: "held by another program" in " ".join(screen_text(app).split()))
            assert screen.shown is not None and screen.shown.sample.id == last
        await pilot.press("a")
        await until(pilot, lambda: number(app) not in (0, last) and screen.shown is not None)
        await settled(app, pilot, until)
    assert (await stored(workshop, run_id))[last] == "accepted"


async def test_a_hostile_refusal_is_told_safely(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])

    async def judge(run: int, judgement: Judgement) -> None:
        raise VqaError(HOSTILE, hint=HOSTILE)

    monkeypatch.setattr(workshop.services.reviewing, "judge", judge)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("a")
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        check(app, screen_text)
        assert "not written yet" in str(screen.query_one("#review-estimate", Static).content)
        monkeypatch.undo()
        assert screen._writer is not None
        screen._writer._line.clear()
