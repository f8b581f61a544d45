"""Items over a real workspace: sorting, chips, completion, edits with their question, and undo."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.workshop import BAD_REPLY, DONE, FLAGGED, SERVER, Fate, Workshop
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import SortField, TaskSort
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.widgets.attempt_list import AttemptList
from vqa_tui.tui.widgets.chip_bar import ChipBar
from vqa_tui.tui.widgets.task_list import TaskList

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]
DEAR = Fate(cost_nano=9_000_000, latency_ms=7_000.0, key_name="second")


@pytest.fixture
async def run_id(workshop: Workshop) -> int:
    """Tasks 1 to 3 are done (the second dear and slow, the third flagged), 4 and 5 failed, 6 to 8 wait."""
    await workshop.dataset(8)
    return await workshop.run([DONE, DEAR, FLAGGED, BAD_REPLY, SERVER])


async def opened(app: VqaApp, pilot: "Pilot[None]", until: Wait) -> TaskList:
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(app.screen.tasks.ids) == 8)
    found = app.screen.query_one(TaskList)
    await until(pilot, lambda: found.row(1) is not None)
    return found


def said(app: VqaApp, screen_text: Text) -> str:
    return " ".join(screen_text(app).replace("│", " ").replace("▌", " ").split())


async def statuses(workshop: Workshop, run_id: int) -> list[str]:
    rows = await workshop.services.task_rows(run_id, range(1, 9))
    return [rows[i].status.value for i in sorted(rows)]


@pytest.mark.parametrize("size", SIZES)
async def test_sorting_by_key_and_by_heading(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        found = await opened(app, pilot, until)
        await pilot.press("j", "s")
        await until(pilot, lambda: list(found.ids)[:2] == [2, 1])
        assert found.sort == TaskSort(SortField.COST, descending=True)
        assert found.current == 2, "the cursor stays on its item"
        await until(pilot, lambda: "▼ Cost" in screen_text(app) and "by cost, highest first" in screen_text(app))
        await pilot.press("S")
        await until(pilot, lambda: found.ids[0] == 5)
        await until(pilot, lambda: "▲ Cost" in screen_text(app) and found.current == 2)
        heading = screen_text(app).splitlines()[2]
        await pilot.click(TaskList, offset=(heading.index("Tries") + 1, 1))
        await until(pilot, lambda: found.sort == TaskSort(SortField.ATTEMPTS, descending=True))
        await pilot.press("s", "s")
        await until(pilot, lambda: found.sort.by is SortField.FINISHED and found.ids[0] == 5)
        await pilot.press("s")
        await until(pilot, lambda: list(found.ids) == list(range(1, 9)))


@pytest.mark.parametrize("size", SIZES)
async def test_chips_are_removed_by_key_and_mouse(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        found = await opened(app, pilot, until)
        assert isinstance(app.screen, ItemsScreen)
        app.screen.show_filtered("status:done cost>0.001 !flag:any 0000")
        await until(pilot, lambda: list(found.ids) == [2])
        shown = "[status:done ×] [cost>0.001 ×] [!flag:any ×] [text:0000 ×]"
        await until(pilot, lambda: shown in screen_text(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "text:" not in screen_text(app))
        app.screen.query_one(ChipBar).focus()
        await pilot.press("left", "x")
        await until(pilot, lambda: "[status:done ×] [!flag:any ×]" in screen_text(app))
        await until(pilot, lambda: list(found.ids) == [1, 2])
        await pilot.click(ChipBar, offset=(3, 0))
        await until(pilot, lambda: len(found.ids) == 7)
        await pilot.click(ChipBar, offset=(3, 0))
        await until(pilot, lambda: len(found.ids) == 8 and not app.screen.query_one(ChipBar).display)


async def test_a_filter_is_completed_with_what_the_run_holds(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        found = await opened(app, pilot, until)
        assert isinstance(app.screen, ItemsScreen)
        await pilot.press("slash", "k", "e", "tab")
        line = app.screen.filter_line.line
        assert line.value == "key:"
        await until(pilot, lambda: "main  second" in screen_text(app))
        await pilot.press("down", "right")
        assert line.value == "key:second "
        await until(pilot, lambda: list(found.ids) == [2])
        await pilot.press(*"cat", "tab", *"kni", "tab")
        assert line.value == "key:second category:Knife "
        await pilot.press("enter")
        await until(pilot, lambda: "[key:second ×] [category:Knife ×]" in screen_text(app))
        assert found.has_focus


@pytest.mark.parametrize("size", SIZES)
async def test_retry_of_one_and_its_undo(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        found = await opened(app, pilot, until)
        await pilot.press("R")
        await until(pilot, lambda: "only failed ones can be asked again with R" in said(app, screen_text))
        found.cursor = 3
        await pilot.press("R")
        await until(pilot, lambda: "images/00003.png put back into the queue. u takes" in said(app, screen_text))
        assert (await statuses(workshop, run_id))[3] == "pending"
        await pilot.press("u")
        await until(pilot, lambda: "retry: 1 of 1 taken back." in said(app, screen_text))
        assert (await statuses(workshop, run_id))[3] == "failed"
        await pilot.press("u")
        await until(pilot, lambda: "there is nothing to take back" in said(app, screen_text))


@pytest.mark.parametrize("size", SIZES)
async def test_requeue_of_many_tells_the_consequence_and_undo_what_was_asked_already(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE task_id = 1")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        found = await opened(app, pilot, until)
        await pilot.press("asterisk", "B")
        await until(pilot, lambda: isinstance(app.screen, Question))
        words = f"{app.screen.query_one('.dialog-text', Static).visual} {said(app, screen_text)}"
        for part in ("Of 8 items 3 are done and 2 failed.", "These 5 are put back", "3 pairs", "1 verdict will be lost",
                     "3 stay as they are: 3 wait.", "Requeue 5"):  # fmt: skip
            assert part in words, words
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        assert found.marked_number == 8 and (await statuses(workshop, run_id)).count("pending") == 3
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "5 items put back into the queue" in said(app, screen_text))
        await until(pilot, lambda: found.marked_number == 0)
        await workshop.settle(run_id, [DONE])
        await pilot.press("u")
        await until(pilot, lambda: "requeue: 4 of 5 taken back; 1 was asked already." in said(app, screen_text))
        assert await statuses(workshop, run_id) == ["done"] * 3 + ["failed"] * 2 + ["pending"] * 3


async def test_skip_of_a_range(workshop: Workshop, run_id: int, until: Wait, screen_text: Text) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        found = await opened(app, pilot, until)
        found.cursor = 4
        await pilot.press("v", "j", "j", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "Of 3 items 2 wait and 1 failed. These 3 will not be asked." in said(app, screen_text)
        await pilot.press("y")
        await until(pilot, lambda: "3 items taken out of the queue" in said(app, screen_text))
        assert await statuses(workshop, run_id) == ["done"] * 3 + ["failed"] + ["skipped"] * 3 + ["pending"]
        actions = await workshop.workspace.db.read("SELECT verb, new_value FROM action WHERE verb = 'skip'")
        assert [tuple(row) for row in actions] == [("skip", "3 tasks")]


async def test_marked_items_of_which_none_can_be_moved(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("space", "space", "R")
        await until(pilot, lambda: "Of 2 items 2 are done." in said(app, screen_text))
        assert isinstance(app.screen, ItemsScreen)


async def test_where_one_may_only_look_edits_are_grey(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    workshop.services.read_only = True
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        for key in ("R", "d", "B", "u"):
            await pilot.press(key)
        await until(pilot, lambda: "This screen may only look" in said(app, screen_text))
        assert await statuses(workshop, run_id) == ["done"] * 3 + ["failed"] * 2 + ["pending"] * 3


@pytest.mark.parametrize("size", SIZES)
async def test_one_item_is_moved_looked_through_and_yanked(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        found = await opened(app, pilot, until)
        found.cursor = 3
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and "▀▀▀" in screen_text(app))
        await pilot.press("R")
        await until(
            pilot, lambda: "images/00003.png put back" in said(app, screen_text) and "pending" in screen_text(app)
        )
        await pilot.press("u")
        await until(pilot, lambda: "✖ failed" in screen_text(app))
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard.startswith("{"))
        assert '"raw_reply": "Sorry, I cannot."' in app.clipboard and '"status": "failed"' in app.clipboard
        app.screen.query_one(AttemptList).focus()
        await until(pilot, lambda: "▶" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))
        await until(
            pilot, lambda: "Sorry, I cannot." in screen_text(app) and "no JSON list in the reply" in screen_text(app)
        )
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen))


async def test_two_attempts_stand_newest_first_and_are_chosen_by_key(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        found = await opened(app, pilot, until)
        found.cursor = 4
        await pilot.press("R")
        await until(pilot, lambda: "put back" in said(app, screen_text))
        await workshop.settle(run_id, [DONE])
        await until(pilot, lambda: (row := found.row(5)) is not None and row.status is TaskStatus.DONE)
        await until(pilot, lambda: "Attempts (2)" in screen_text(app))
        text = screen_text(app)
        assert text.index("✔ 2  ") < text.index("✖ 1  ")
        app.screen.query_one(AttemptList).focus()
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))
        await until(pilot, lambda: "503: upstream 17 overloaded" in screen_text(app))


async def test_a_question_that_comes_late_is_asked_only_where_it_belongs(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, counting = asyncio.Event(), asyncio.Event()
    stock = workshop.services.queue_edits.stock

    async def slow_stock(*arguments: Any) -> Any:
        counting.set()
        await counted.wait()
        return await stock(*arguments)

    monkeypatch.setattr(workshop.services.queue_edits, "stock", slow_stock)
    monkeypatch.setattr("vqa_tui.tui.screens.editing._MANY", 2)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("asterisk", "B")
        await until(pilot, lambda: counting.is_set() and "Counting 8 items" in said(app, screen_text))
        await pilot.press("B")
        await until(pilot, lambda: "still under way" in said(app, screen_text))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        counted.set()
        await until(pilot, lambda: "nothing was done: Ask all of them again?" in said(app, screen_text))
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        monkeypatch.setattr("vqa_tui.tui.screens.dialogs.READ_S", 3_600.0)
        await pilot.press("B", "y")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "has only just come" in said(app, screen_text))
        assert isinstance(app.screen, Question)
        assert (await statuses(workshop, run_id)).count("pending") == 3
        assert "(y)" not in screen_text(app)
        app.screen._name_key()
        await until(pilot, lambda: "(y)" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "5 items put back" in said(app, screen_text))


async def test_leaving_them_leaves_an_open_range_as_it_is(workshop: Workshop, run_id: int, until: Wait) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        found = await opened(app, pilot, until)
        found.cursor = 4
        await pilot.press("v", "j", "j", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        assert found.range_begun and not found.marked_number


async def test_marks_outlast_the_typing_of_a_filter_and_are_dropped_aloud_by_it(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        found = await opened(app, pilot, until)
        await pilot.press("space", "space", "space")
        await pilot.press("slash", *"00002")
        await until(pilot, lambda: list(found.ids) == [3])
        assert found.marked == {1, 2, 3} and found.meant_ids() == [3], "what is not seen is not meant"
        await pilot.press(*["backspace"] * 5)
        await until(pilot, lambda: len(found.ids) == 8)
        assert found.marked == {1, 2, 3}
        await pilot.press(*"00002", "enter")
        await until(pilot, lambda: found.marked == {3})
        await until(pilot, lambda: "2 marks dropped" in said(app, screen_text))


async def test_marks_whose_items_leave_the_list_by_themselves_are_told_until_others_are_set(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        found = await opened(app, pilot, until)
        await pilot.press("slash", *"status:pending", "enter")
        await until(pilot, lambda: list(found.ids) == [6, 7, 8])
        await pilot.press("asterisk")
        await until(pilot, lambda: "✓ 3 marked" in screen_text(app))
        await workshop.settle(run_id, [DONE, DONE])
        await until(pilot, lambda: list(found.ids) == [8])
        await until(pilot, lambda: "✓ 1 marked, 2 of 3 left the list" in screen_text(app))
        await workshop.settle(run_id, [DONE])
        await until(pilot, lambda: "✓ 0 marked, 3 of 3 left the list" in screen_text(app))
        # What a person marks, or chooses to see, makes it a thing of the past.
        await pilot.press("slash", "ctrl+u", "enter")
        await until(pilot, lambda: len(found.ids) == 8)
        await pilot.press("space")
        await until(pilot, lambda: "✓ 1 marked " in screen_text(app) and "left the list" not in screen_text(app))


async def test_a_key_is_meant_for_the_item_that_was_there_before_the_list_moved(
    workshop: Workshop, run_id: int, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.tui.widgets.id_list.SLIDE_S", 3_600.0)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        found = await opened(app, pilot, until)
        screen = app.screen
        assert isinstance(screen, ItemsScreen)
        screen.show_filtered("status:pending")
        await until(pilot, lambda: list(found.ids) == [6, 7, 8])
        found.action_move_to_start()
        await pilot.press("j", "k")
        assert found.current == found.target == 6
        await workshop.settle(run_id, [BAD_REPLY])
        screen.read_ids()
        await until(pilot, lambda: list(found.ids) == [7, 8])
        assert (found.current, found.target) == (7, 6)
        await pilot.press("d")
        await until(pilot, lambda: "images/00005.png taken out of the queue" in said(app, screen_text))
        assert (await statuses(workshop, run_id))[5:] == ["skipped", "pending", "pending"]
        await pilot.press("j")
        assert found.target == found.current == 8
