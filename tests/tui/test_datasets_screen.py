"""The datasets: list, detail, browser, problems, renaming, deleting, importing again, and where to begin."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import import_dataset, list_datasets
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens import datasets
from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen
from vqa_tui.tui.screens.dataset_problems import DatasetProblemsScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.choice_list import ChoiceTable
from vqa_tui.tui.widgets.path_field import PathField, PathInput

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


async def opened(app: VqaApp, pilot: Pilot[None], until: Wait, name: str | None = "bags") -> DatasetsScreen:
    """Open the screen and wait for its list."""
    app.action_open("datasets")
    await until(pilot, lambda: isinstance(app.screen, DatasetsScreen) and app.screen._version is not None)
    screen = app.screen
    assert isinstance(screen, DatasetsScreen)
    if name is not None:
        await until(pilot, lambda: screen.table.cursor_id == name)
    return screen


async def broken_pictures(workshop: Workshop, number: int, name: str = "mixed") -> Path:
    """Import a folder with one good picture and some broken ones."""
    folder = workshop.folder / name
    folder.mkdir()
    Image.new("RGB", (400, 30), (9, 9, 90)).save(folder / "good.png")
    for each in range(number):
        (folder / f"broken{each:03}.png").write_bytes(b"no picture")
    await import_dataset(workshop.workspace, "folder", folder)
    return folder


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_workspace_says_what_to_do(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(app, pilot, until, None)
        await until(pilot, lambda: "No dataset yet" in screen_text(app))
        await until(
            pilot,
            lambda: all(
                words in screen_text(app)
                for words in ("i brings your pictures in", "dataset import folder PATH", "vqa-tui demo")
            ),
        )
        await pilot.press("D")
        await until(pilot, lambda: "There is no dataset yet; i imports one." in screen_text(app))
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))


def unwrapped(text: Static) -> str:
    """What is said, with single spaces and without the breaks inside long paths."""
    return re.sub(r" +", " ", re.sub(r"(?<=\S)\n +(?=\S)", "", str(text.render())))


@pytest.mark.parametrize("size", SIZES)
async def test_list_and_detail_tell_what_is_there(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(12)
    await workshop.run([DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, until)
        detail = app.screen.query_one("#library-more", Static)
        await until(pilot, lambda: "up to 256 px" in str(detail.render()))
        await until(
            pilot, lambda: all(words in screen_text(app) for words in ("bags", "coco", "12", "runs        first"))
        )
        assert "instances.json" in unwrapped(app.screen.query_one("#library-facts", Static))
        for words in ("Battery", "100.0 %", "Categories (2)", "12 instances"):
            assert words in str(detail.render())


async def test_a_large_dataset_is_read_only_when_asked(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "READ_UNASKED", 5)
    await workshop.dataset(6)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await opened(app, pilot, until)
        await until(pilot, lambda: "s reads splits, sizes and categories: all 6 pictures" in screen_text(app))
        await pilot.press("t")
        await until(pilot, lambda: "Longest side" in screen_text(app))
        assert screen.why_not("contents") is not None


async def test_another_programs_import_comes_into_sight(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await opened(app, pilot, until)
        await workshop.dataset(3, "later")
        # Of what the fixture writes the screen is not told: it reads over the same connection. Of this it is.
        await workshop.services.library.rename_dataset("bags", "sacks")
        await until(pilot, lambda: {row.id for row in screen.table.rows} == {"later", "sacks"})


@pytest.mark.parametrize("size", SIZES)
async def test_problems_are_listed_with_the_one_under_the_cursor_in_full(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await broken_pictures(workshop, 60)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(app, pilot, until, "mixed")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, DatasetProblemsScreen))
        await until(pilot, lambda: screen_text(app).count("broken000.png") == 2)
        await pilot.press("G")
        await until(pilot, lambda: screen_text(app).count("broken059.png") == 2)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))


async def test_a_dataset_without_problems_has_none_to_show(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("p")
        await until(pilot, lambda: "Everything in this dataset could be imported." in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_renaming(workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    await workshop.dataset(2)
    await workshop.dataset(2, "other")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until, "other")
        await pilot.press("j", "N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        value = app.screen.query_one(Input)
        for wrong, words in (("a b", "cannot be the name"), ("other", "named other already")):
            value.value = wrong
            await pilot.press("enter")
            await until(pilot, lambda words=words: words in screen_text(app))
        value.value = "sacks"
        await pilot.press("enter")
        await until(pilot, lambda: screen.table.cursor_id == "sacks")
        assert {row.id for row in screen.table.rows} == {"sacks", "other"}


@pytest.mark.parametrize("size", SIZES)
async def test_deleting_asks_with_the_count_and_leaves_the_pictures(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(7)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Question))
        asked = " ".join(str(app.screen.query_one(".dialog-text", Static).render()).split())
        assert "The records of 7 pictures in bags go." in asked and "stay where they are" in asked
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
        assert len(await list_datasets(workshop.workspace)) == 1
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "No dataset yet" in screen_text(app))
    assert (workshop.folder / "bags" / "images" / "00000.png").is_file()


async def test_a_dataset_that_a_run_uses_is_not_deleted(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(2)
    await workshop.run(name="first")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("D")
        await until(pilot, lambda: "first uses this dataset" in screen_text(app))
        assert isinstance(app.screen, DatasetsScreen)


async def test_importing_goes_to_what_was_imported(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    folder = workshop.folder / "sacks"
    folder.mkdir()
    Image.new("RGB", (40, 30)).save(folder / "a.png")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.focused, PathInput))
        app.screen.query_one("#path", PathField).set_path(str(folder))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "imported into sacks" in str(app.screen.query_one("#import-state", Static).render()))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and screen.table.cursor_id == "sacks")


async def test_importing_again_fills_in_the_same_source(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    folder = await broken_pictures(workshop, 2)
    (folder / "broken000.png").unlink()
    Image.new("RGB", (40, 30)).save(folder / "broken001.png")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until, "mixed")
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog) and app.focused is not None)
        assert app.screen.query_one("#path", PathField).path == str(folder)
        assert app.screen.query_one("#name", Input).value == "mixed"
        await pilot.press("enter")
        await until(pilot, lambda: "1 added, 1 unchanged" in screen_text(app) and "no problem" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: screen._views["mixed"].problems == 0)


async def test_a_new_run_is_offered(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    await workshop.dataset(3, "newer")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until, "newer")
        await pilot.press("j", "n")
        await until(pilot, lambda: isinstance(app.screen, NewRunWizard))
        await until(pilot, lambda: app.screen.query_one("#datasets ChoiceTable", ChoiceTable).cursor_id == "bags")


async def test_a_screen_that_may_only_look_changes_nothing(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    monkeypatch.setattr(workshop.services, "read_only", True)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await opened(app, pilot, until)
        for key in "inedR":
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is screen
        await until(pilot, lambda: "may only look" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
@visits(DatasetItemsScreen, DatasetProblemsScreen, DatasetsScreen, ImportDialog, ValueDialog)
async def test_hostile_text_is_harmless_everywhere(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(3)
    await workshop.run()
    text = HOSTILE.replace("\ud800", "")
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE dataset SET name = ?, kind = ?, root = ?, source = ?", (text,) * 4)
        await transaction.execute("UPDATE run SET name = ?", (text,))
        await transaction.execute(
            "UPDATE item SET key = ? || id, path = ?, format = ?, split = ?, truth = json_object('categories', "
            "json_array(?), 'captions', json_array(?))",
            (text,) * 6,
        )
        await transaction.execute("INSERT INTO import_problem VALUES (1, ?, ?, ?, 0)", (text, text, text))
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until, None)
        await until(pilot, lambda: "[/nope]" in screen_text(app) and screen._contents)
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("D")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, DatasetProblemsScreen) and "evil" in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and "evil" in screen_text(app))
        check(app, screen_text)
        pictures = app.screen
        await pilot.press("enter")
        await until(pilot, lambda: pictures.has_class("-zoomed"))
        await pilot.press("pagedown", "y")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        check(app, screen_text)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        check(app, screen_text)
        await pilot.press("ctrl+s")
        await pilot.pause()
        check(app, screen_text)


@pytest.mark.parametrize(("key", "dialog"), [("i", ImportDialog), ("e", ValueDialog), ("d", Question)])
async def test_a_key_pressed_twice_opens_one_dialog(workshop: Workshop, until: Wait, key: str, dialog: type) -> None:
    await workshop.dataset(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)
        for _ in range(2):
            await screen.run_action({"i": "import_new", "e": "rename", "d": "delete"}[key])
        await until(pilot, lambda: isinstance(app.screen, dialog))
        await pilot.pause()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_a_workspace_that_goes_away_is_told_once_and_not_every_second(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until)

        async def gone() -> int:
            raise VqaError("the file is gone")

        monkeypatch.setattr(workshop.services, "data_version", gone)
        screen.look_for_changes()
        await until(pilot, lambda: screen._version is None)
        assert app.is_running


async def test_resizing_at_any_moment(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(30)
    await broken_pictures(workshop, 3)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(30, 8)) as pilot:
        await opened(app, pilot, until, "mixed")
        for key in (None, "enter", "escape", "p", "escape"):
            if key is not None:
                await pilot.press(key)
            for size in ((200, 50), (20, 5), (119, 30), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
        await until(pilot, lambda: "folder" in screen_text(app) and "good" not in screen_text(app))
        assert app.is_running
