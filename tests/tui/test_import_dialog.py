"""The import dialog: completion, options, problems, and the name that it answers."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.widgets import Button, Input, Select

from tests.tui.import_driver import NOTHING, Opened, draw
from tests.tui.test_hostile_text import check
from tests.tui.workshop import Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import list_datasets
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.import_dataset import parse_limit
from vqa_tui.tui.widgets.path_field import PathField
from vqa_tui.tui.widgets.problem_pane import ProblemPane
from vqa_tui.tui.widgets.tick_box import TickBox

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_is_imported_and_its_name_answered(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    folder = draw(workshop.folder / "sacks", 5, broken=2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.value = str(folder.parent) + "/sa"
        await until(pilot, lambda: opened.path.names.option_count == 1)
        await opened.press("tab")
        assert opened.path.path == f"{folder}/"
        name = opened.dialog.query_one("#name", Input)
        await until(pilot, lambda: name.placeholder == "sacks")
        await opened.press("ctrl+s")
        await opened.over()
        for words in ("imported into sacks", "5 added", "2 problems"):
            assert words in opened.said
        await until(pilot, lambda: "broken000.png" in screen_text(app) and "Not imported (2)" in screen_text(app))
        await opened.press("enter")
        await until(pilot, lambda: opened.answer is not NOTHING)
        assert opened.answer == "sacks"
    (view,) = await list_datasets(workshop.workspace)
    assert (view.name, view.items, view.problems) == ("sacks", 5, 2)


async def test_tab_completes_like_a_shell(workshop: Workshop, until: Wait) -> None:
    for name in ("train", "trial", "test"):
        (workshop.folder / "data" / name).mkdir(parents=True)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        base = f"{workshop.folder}/data/"

        async def typed(text: str) -> None:
            opened.path.line.value = base + text
            await until(pilot, lambda: (now := opened.path._completion) is not None and now.typed == base + text)

        await typed("tr")
        assert opened.path.names.display and opened.path.names.option_count == 2
        # Nothing more is sure: Tab goes through the names, Enter takes one.
        await opened.press("tab")
        assert opened.path.names.highlighted == 0
        await opened.press("tab")
        assert opened.path.names.highlighted == 1
        await opened.press("enter")
        assert opened.path.path == f"{base}trial/"
        await typed("t")
        await opened.press("down", "down", "up", "enter")
        assert opened.path.path == f"{base}test/"
        # Tab before the names are there completes as soon as they are.
        opened.path.line.value = base + "tra"
        await opened.press("tab")
        await until(pilot, lambda: opened.path.path == f"{base}train/")
        await until(pilot, lambda: opened.path._completion is not None and opened.path._completion.total == 0)
        # With nothing to complete it goes on to the next field.
        await opened.press("tab")
        await until(pilot, lambda: not opened.path.line.has_focus)
        assert not opened.path.names.display


async def test_a_name_of_the_path_before_is_not_taken(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "trial"):
        (workshop.folder / "data" / name).mkdir(parents=True)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        base = f"{workshop.folder}/data/"
        opened.path.line.value = base + "tr"
        await until(pilot, lambda: opened.path.names.option_count == 2)
        await opened.press("down")
        assert opened.path.names.highlighted == 0

        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(workshop.services.library, "complete_path", never)
        await opened.press("x", "down", "enter")
        await until(pilot, lambda: not opened.path.line.has_focus)
        assert opened.path.path == f"{base}trx"


async def test_a_hostile_name_is_harmless_on_screen_and_imported_as_it_is(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    folder = draw(workshop.folder / "x\x1b]0;owned\x07[/b]\u202ey".replace("/", "_"), 2)
    os.mkdir(os.fsencode(workshop.folder) + b"/x\xff\xfe")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.value = f"{workshop.folder}/x"
        await until(pilot, lambda: opened.path.names.option_count == 2)
        check(app, screen_text)
        await opened.press("down", "enter")
        assert Path(opened.path.path) == folder
        check(app, screen_text)
        await opened.press("ctrl+s")
        await opened.over()
        check(app, screen_text)
        await opened.press("enter")
        await until(pilot, lambda: opened.answer is not NOTHING)
    (view,) = await list_datasets(workshop.workspace)
    assert (view.root, view.items) == (str(folder.resolve()), 2)


async def test_what_is_pasted_is_made_harmless_and_means_the_same(workshop: Workshop, until: Wait) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.insert_text_at_cursor("/a\x1b[31m b\\c")
        assert "\x1b" not in opened.path.line.value
        assert opened.path.path == "/a\x1b[31m b\\c"


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_wrong_is_said_in_the_form_which_stays(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    folder = draw(workshop.folder / "sacks", 2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        await opened.press("ctrl+s")
        await until(pilot, lambda: "needs a path" in opened.problem)
        opened.path.set_path(str(workshop.folder / "nowhere"))
        await opened.press("ctrl+s")
        await until(pilot, lambda: "does not exist" in opened.problem)
        opened.path.set_path(str(folder))
        opened.dialog.query_one("#name", Input).value = "a b"
        await opened.press("ctrl+s")
        await until(pilot, lambda: "cannot be the name" in opened.problem)
        opened.dialog.query_one("#name", Input).value = ""
        opened.dialog.query_one("#limit", Input).value = "many"
        await opened.press("ctrl+s")
        await until(pilot, lambda: "not a whole number" in opened.problem)
        await until(pilot, lambda: "not a whole number" in screen_text(app))
        await opened.press("escape")
        await until(pilot, lambda: opened.answer is None)


async def test_a_problem_goes_away_as_the_path_is_typed_anew(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.value = f"{workshop.folder}/nope"
        await opened.press("ctrl+s")
        await until(pilot, lambda: "does not exist" in " ".join(screen_text(app).split()))
        await opened.press("x")
        await until(pilot, lambda: "does not exist" not in " ".join(screen_text(app).split()))
        await opened.press("ctrl+s")
        await until(pilot, lambda: "does not exist" in " ".join(screen_text(app).split()))


async def test_every_option_of_the_command_is_used(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(6)
    notes = workshop.folder / "notes"
    notes.mkdir()
    (workshop.folder / "bags" / "instances.json").rename(notes / "instances.json")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 30)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        images = opened.dialog.query_one("#images-row")
        assert not images.display
        opened.dialog.query_one("#kind", Select).value = "coco"
        await until(pilot, lambda: images.display)
        opened.path.set_path(str(notes / "instances.json"))
        opened.dialog.query_one("#images", PathField).set_path(str(workshop.folder / "bags"))
        opened.dialog.query_one("#name", Input).value = "few"
        opened.dialog.query_one("#limit", Input).value = "4"
        await opened.press("ctrl+s")
        await opened.over()
    few = next(each for each in await list_datasets(workshop.workspace) if each.name == "few")
    assert (few.kind, few.items, few.root) == ("coco", 4, str((workshop.folder / "bags").resolve()))


@pytest.mark.parametrize("size", SIZES)
async def test_no_usable_picture_makes_no_dataset_and_shows_why(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    folder = draw(workshop.folder / "sacks", 0, broken=30)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.set_path(str(folder))
        await opened.press("ctrl+s")
        await opened.over()
        assert "No picture could be used" in opened.said
        await until(pilot, lambda: "the first of 30" in screen_text(app) and "broken000.png" in screen_text(app))
        await opened.press("escape")
        await until(pilot, lambda: opened.answer is None)
    assert await list_datasets(workshop.workspace) == []


async def test_a_hundred_thousand_problems_are_read_by_page(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(2)
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO import_problem (dataset_id, key, place, reason, seen_at) VALUES (1, ?, ?, 'is broken', 0)",
            [(f"{n:06}", f"place {n:06}") for n in range(100_000)],
        )
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.dialog._show_end(Content(""))
        opened.dialog.read_problems("bags")
        await until(pilot, lambda: "place 000000" in screen_text(app) and "100 000" in screen_text(app))
        problems = opened.dialog.query_one(ProblemPane).list
        problems.focus()
        await opened.press("G")
        await until(pilot, lambda: screen_text(app).count("place 099999") == 2)
        assert len(problems._rows) < 200
        await opened.press("enter")
        await until(pilot, lambda: opened.answer is None)


async def test_enter_goes_through_the_fields_to_the_button(workshop: Workshop, until: Wait) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        await opened.press("enter")
        await until(pilot, lambda: opened.dialog.query_one("#name").has_focus)
        await opened.press("enter", "enter")
        await until(pilot, lambda: opened.dialog.query_one("#start", Button).has_focus)


@pytest.mark.parametrize(("typed", "means"), [("", None), (" 12 ", 12), ("1 000", 1000), ("1_000", 1000)])
def test_a_limit_is_a_whole_number_or_nothing(typed: str, means: int | None) -> None:
    assert parse_limit(typed) == means


@pytest.mark.parametrize("typed", ["0", "-1", "1.5", "x", "²", "9" * 13])
def test_another_limit_is_refused(typed: str) -> None:
    with pytest.raises(VqaError, match="not a whole number"):
        parse_limit(typed)


async def test_what_nobody_expected_leaves_the_form_usable(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = draw(workshop.folder / "sacks", 2)
    app = VqaApp(workshop.services)

    async def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    async with app.run_test(size=(80, 24)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.set_path(str(folder))
        with monkeypatch.context() as patched:
            patched.setattr(workshop.services.library, "import_dataset", broken)
            await opened.press("ctrl+s")
            await until(pilot, lambda: "Input/output error" in opened.problem)
        await opened.press("ctrl+s")
        await opened.over()
        assert "2 added" in opened.said


async def test_it_fits_tiny_terminals_and_survives_resizing(workshop: Workshop, until: Wait) -> None:
    folder = draw(workshop.folder / "sacks", 2, broken=3)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(30, 8)) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.value = str(workshop.folder) + "/"
        for size in ((200, 50), (20, 5), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        opened.path.set_path(str(folder))
        await opened.press("ctrl+s")
        await opened.over()
        for size in ((30, 8), (200, 50)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await opened.press("enter")
        await until(pilot, lambda: opened.answer == "sacks")


@pytest.mark.parametrize("size", SIZES)
async def test_a_link_that_leads_out_is_read_only_where_that_is_ticked(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    elsewhere, folder = draw(workshop.folder / "elsewhere", 1), draw(workshop.folder / "sacks", 1)
    (folder / "linked.png").symlink_to(elsewhere / "00000.png")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.path.line.value = str(folder)
        await opened.press("ctrl+s")
        await opened.over()
        assert "1 added" in opened.said and "1 problem" in opened.said
        await until(pilot, lambda: "--allow-outside" in screen_text(app))
        await opened.press("enter")
        await until(pilot, lambda: opened.answer is not NOTHING)
        again = await Opened(app, pilot, until).open(workshop)
        again.path.line.value = str(folder)
        tick = again.dialog.query_one("#outside", TickBox)
        tick.focus()
        await again.press("space")
        await until(pilot, lambda: tick.value and "[x]" in screen_text(app))
        await again.press("ctrl+s")
        await again.over()
        assert "1 added" in again.said
    (view,) = await list_datasets(workshop.workspace)
    assert (view.items, view.problems) == (2, 0)
