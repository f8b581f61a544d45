"""The list of runs over a real workspace: rename, archive, delete, filter, steer at rest, same but…."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml
from textual.widgets import Input

from tests.tui.test_hostile_text import HOSTILE, SIZES, check, visits
from tests.tui.test_parts import TWO
from tests.tui.workshop import BAD_REPLY, DONE, SERVER, Fate, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Phase
from vqa_tui.domain.run_contents import RunContents
from vqa_tui.operations import run_edits
from vqa_tui.operations.runs import list_runs
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store import run_deletion
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.pick_run import PickRun
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.run_table import RunTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]
FREE = Fate(cost_nano=0)


def names(app: VqaApp) -> list[str]:
    return [row.cells[0].plain for row in app.screen.query_one(RunTable).rows]


async def test_a_run_is_renamed_and_wrong_names_are_told_in_the_dialog(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset()
    await workshop.run([DONE], name="other")
    run_id = await workshop.run([DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["first", "other"])
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        for wrong, words in (("a b", "cannot be the name of a run"), ("other", "already a run named other")):
            app.screen.query_one(Input).value = wrong
            await pilot.press("enter")
            await until(pilot, lambda words=words: words in screen_text(app))
        app.screen.query_one(Input).value = "better"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and names(app) == ["better", "other"])
        assert app.screen.query_one(RunTable).cursor_id == run_id


@pytest.mark.parametrize("size", SIZES)
async def test_archived_runs_are_out_of_sight_until_they_are_wanted(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset()
    await workshop.run([DONE], name="old")
    await workshop.run([DONE], name="new")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["new", "old"])
        await pilot.press("H")
        await until(pilot, lambda: "No run is archived. h" in screen_text(app))
        await pilot.press("j", "h")
        await until(pilot, lambda: names(app) == ["new"])
        await until(pilot, lambda: "1 archived: H shows them" in screen_text(app))
        await pilot.press("H")
        await until(pilot, lambda: names(app) == ["new", "old"])
        await until(pilot, lambda: "▫ stopped · archived" in screen_text(app))
        await pilot.press("j", "h")
        await until(pilot, lambda: "· archived" not in screen_text(app))
        await pilot.press("H")
        assert names(app) == ["new", "old"]


async def test_a_workspace_whose_runs_are_all_archived_is_no_empty_one(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset()
    await workshop.run([DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        await pilot.press("h")
        await until(pilot, lambda: "every run is archived (1): H shows them" in screen_text(app))
        assert "No run yet" not in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_paid_for_is_deleted_by_its_name_only(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset()
    await workshop.run([DONE], name="other")
    await workshop.run([DONE, BAD_REPLY])
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["first", "other"])
        await pilot.press("D")
        await until(pilot, lambda: "12 pictures" in screen_text(app) and "$0.000274" in screen_text(app))
        app.screen.query_one(Input).value = "firs"
        await pilot.press("enter")
        await until(pilot, lambda: "that is not first" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert names(app) == ["first", "other"]
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        app.screen.query_one(Input).value = "first"
        await pilot.press("enter")
        await until(pilot, lambda: "$0.000274 by 1 deleted run" in screen_text(app))
        await until(pilot, lambda: names(app) == ["other"])
    assert [run.name for run in await list_runs(workshop.workspace)] == ["other"]


async def test_what_cost_nothing_takes_a_question(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset()
    await workshop.run([FREE, FREE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "No run yet" in screen_text(app))


async def test_a_run_at_work_is_neither_archived_nor_deleted(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset()
    run_id = await workshop.run([DONE], phase=Phase.RUNNING)
    async with ProcessLock(workshop.workspace.paths.run_lock(run_id)):
        app = VqaApp(workshop.services)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await until(pilot, lambda: names(app) == ["first"])
            for key in ("h", "D"):
                await pilot.press(key)
                await until(pilot, lambda: "Press x to stop it first" in screen_text(app))
                app.clear_notifications()
                await until(pilot, lambda: "Press x to stop it first" not in screen_text(app))
            assert isinstance(app.screen, RunsScreen)


async def test_a_deletion_that_was_broken_off_is_finished_when_the_list_opens(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset()
    run_id = await workshop.run([DONE])
    await run_deletion.mark_deleted(workshop.workspace.db, run_id, who="me", words="", flights=[])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        gone = False
        while not gone:
            await pilot.pause()
            gone = not await run_deletion.unfinished_deletions(workshop.workspace.db)
    assert not await workshop.workspace.db.read("SELECT 1 FROM run")


@pytest.mark.parametrize("unit", ["picture", "request"])
async def test_progress_of_a_deletion_is_told(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    (workshop.folder / "two.yaml").write_text(yaml.safe_dump(TWO))
    await workshop.dataset()
    recipe = "caption" if unit == "picture" else str(workshop.folder / "two.yaml")
    await workshop.run([FREE], recipe=recipe)
    told: list[str] = []
    delete = run_edits.delete_run

    async def slow(*arguments: Any, progress: Callable[[int, int], None], **more: Any) -> Any:
        progress(5_000, 12_000)
        told.append(screen.deleting_words())
        return await delete(*arguments, progress=progress, **more)

    monkeypatch.setattr(run_edits, "delete_run", slow)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        assert isinstance(app.screen, RunsScreen)
        screen = app.screen
        await pilot.press("D")
        await until(pilot, lambda: app.screen is not screen)
        await pilot.press("y")
        await until(pilot, lambda: "No run yet" in screen_text(app))
        assert told == [f"deleting first: 5 000 of 12 000 {unit}s"]
        await until(pilot, lambda: screen.deleting_words() == "")


@pytest.mark.parametrize("size", SIZES)
async def test_typing_narrows_the_list(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset()
    for name in ("train", "test", "probe"):
        await workshop.run([DONE], name=name)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(names(app)) == 3)
        await pilot.press("slash", *"t caption")
        await until(pilot, lambda: names(app) == ["probe", "test", "train"])
        await pilot.press(*" !probe")
        await until(pilot, lambda: names(app) == ["test", "train"])
        await pilot.press("enter")
        assert app.screen.query_one(RunTable).has_focus
        await until(pilot, lambda: "Runs matching t caption !probe" in screen_text(app))
        await pilot.press("slash", "z")
        await until(pilot, lambda: "no run matches" in screen_text(app))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(names(app)) == 3)


async def test_a_stopped_run_is_resumed_and_failed_ones_are_retried_from_the_list(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset()
    run_id = await workshop.run([DONE, SERVER])
    wanted: list[tuple[str, int]] = []

    async def resume(run: int) -> None:
        wanted.append(("resume", run))

    monkeypatch.setattr(workshop.services, "resume", resume)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        for key in ("p", "x"):
            await pilot.press(key)
            await until(pilot, lambda: "The run is stopped: no engine is at work" in screen_text(app))
            app.clear_notifications()
            await until(pilot, lambda: "no engine is at work" not in screen_text(app))
        await pilot.press("r")
        await until(pilot, lambda: wanted == [("resume", run_id)])
        await pilot.press("R")
        await until(pilot, lambda: "1 failed picture will be put back" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "1 picture put back" in screen_text(app))
    (run,) = await list_runs(workshop.workspace)
    assert run.counts.failed == 0 and run.counts.pending == 11


async def test_the_same_again_opens_the_wizard_with_all_of_it(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset()
    await workshop.run([DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, NewRunWizard))
        wizard = app.screen
        assert isinstance(wizard, NewRunWizard) and wizard.step is Step.PLAN
        assert (wizard.form.dataset, wizard.form.recipe, wizard.form.endpoint) == ("bags", "caption", "embedded")
        await pilot.press("escape")
        await until(pilot, lambda: wizard.step is not Step.PLAN)


async def test_with_readonly_nothing_can_be_changed(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset()
    await workshop.run([DONE, SERVER])
    workshop.services.read_only = True
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: names(app) == ["first"])
        for key in ("n", "c", "N", "h", "D", "r", "R"):
            await pilot.press(key)
            await until(pilot, lambda: "--readonly" in screen_text(app))
            assert isinstance(app.screen, RunsScreen)
            app.clear_notifications()
            await until(pilot, lambda: "--readonly" not in screen_text(app))
    assert [run.name for run in await list_runs(workshop.workspace)] == ["first"]


async def test_courses_of_runs_at_rest_are_read_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.dataset()
    run_ids = [await workshop.run([DONE], name=f"run{number}") for number in range(10)]
    read: list[int] = []
    original = run_edits.run_course

    async def counted(workspace: Any, run_id: int, cells: int) -> tuple[float, ...]:
        read.append(run_id)
        return await original(workspace, run_id, cells)

    monkeypatch.setattr(run_edits, "run_course", counted)
    await workshop.services.runs()
    assert read == run_ids[:1:-1]  # eight with the first look, and the rest with the next
    for _look in range(3):
        await workshop.services.runs()
    assert sorted(read) == run_ids
    await workshop.settle(run_ids[0], [DONE])
    await workshop.services.runs()
    assert read[len(run_ids) :] == [run_ids[0]]


@pytest.mark.parametrize("size", SIZES)
@visits(PickRun, Question, RunsScreen, ValueDialog)
async def test_hostile_text(fake: Any, make_view: Any, until: Wait, screen_text: Text, size: tuple[int, int],
                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    services = fake(make_view(name=HOSTILE, dataset=HOSTILE, phase=Phase.STOPPED), make_view(id=2, dataset=HOSTILE))

    spent = [Decimal("1.84"), Decimal(0)]

    async def contents(_run: int) -> RunContents:
        return RunContents(HOSTILE, 1, 1, 1, 1, spent.pop(0), Decimal(0))

    async def refuse(*_: Any, **__: Any) -> None:
        raise VqaError(HOSTILE, hint=HOSTILE)

    for name, function in (("contents", contents), ("rename", refuse), ("archive", refuse), ("delete", refuse)):
        monkeypatch.setattr(services.run_edits, name, function, raising=False)
    services.views[1] = replace(services.views[1], engine=replace(services.views[1].engine, state="none"))
    app = VqaApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        for kind in (ValueDialog, Question):
            await pilot.press("D")
            await until(pilot, lambda kind=kind: isinstance(app.screen, kind))
            check(app, screen_text)
            await pilot.press("escape")
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        check(app, screen_text)
        await pilot.press("escape", "h")
        await until(pilot, lambda: "That did not work" in screen_text(app))
        check(app, screen_text)
        await pilot.press("equals_sign")
        await until(pilot, lambda: "with which run" in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape", "slash")
        app.screen.query_one("#runs-filter", Input).value = HOSTILE
        await pilot.press("enter")
        await until(pilot, lambda: "matching" in screen_text(app))
        check(app, screen_text)
