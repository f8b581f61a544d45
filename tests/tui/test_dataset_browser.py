"""The browser of a dataset: its pictures one by one, with their truth, boxes, search, and what is missing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from textual.widgets import Static

from tests.tui.test_datasets_screen import opened, unwrapped
from tests.tui.test_dialogs import open_export
from tests.tui.workshop import DONE, Workshop
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.widgets.picture import Picture

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_browser_shows_pictures_with_their_truth(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(150)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and "▀▀▀" in screen_text(app))
        await until(pilot, lambda: "1 of 150" in screen_text(app))
        text = app.screen.query_one("#pictures-text", Static)
        for words in ("00000.png", "160×120 PNG", "box Battery", "categories Battery, Knife"):
            assert words in unwrapped(text)
        await pilot.press("G")
        await until(pilot, lambda: "00149.png" in unwrapped(text) and "150 of 150" in screen_text(app))
        await pilot.press("y")
        assert app.clipboard.endswith("images/00149.png")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.has_class("-zoomed"))
        assert not app.screen.query_one("#pictures-left").display
        await pilot.press("escape", "slash")
        await pilot.press(*"4999", "backspace", "backspace", "enter")
        await until(pilot, lambda: "2 of 2  keys that hold '49'" in screen_text(app))
        await until(pilot, lambda: "00149.png" in unwrapped(text) and "00049.png" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "of 150" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))


@pytest.mark.parametrize("size", SIZES)
async def test_the_browser_draws_the_boxes_or_leaves_them(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and "▀▀▀" in screen_text(app))

        def labels() -> str:
            picture = app.screen.query_one(Picture)
            return "".join(picture.render_line(y).text for y in range(picture.size.height))

        assert "Battery" in labels() and "Knife" in labels()
        await pilot.press("b")
        await until(pilot, lambda: "▀▀▀" in labels() and "Battery" not in labels())
        await pilot.press("j")
        await until(pilot, lambda: "2 of 2" in screen_text(app) and "▀▀▀" in labels())
        assert "Battery" not in labels(), "a choice holds for the next picture"
        await pilot.press("b")
        await until(pilot, lambda: "Battery" in labels())


async def test_without_boxes_the_key_says_so(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    folder = workshop.folder / "plain"
    folder.mkdir()
    Image.new("RGB", (40, 30)).save(folder / "a.png")
    await import_dataset(workshop.workspace, "folder", folder)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until, "plain")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and "▀" in screen_text(app))
        await pilot.press("b")
        await until(pilot, lambda: "has no boxes" in screen_text(app))


async def test_a_picture_that_is_gone_is_said_and_a_search_may_find_nothing(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(3)
    (workshop.folder / "bags" / "images" / "00000.png").unlink()
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: "is not there any more" in screen_text(app))
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: "no key holds 'zzz'" in screen_text(app))
        await pilot.press("o")
        await until(pilot, lambda: "No picture is shown." in screen_text(app))


async def test_a_picture_that_a_search_took_away_is_not_shown_any_more(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(3)
    read, reading, go_on = workshop.services.thumbnail, asyncio.Event(), asyncio.Event()

    async def read_slowly(path: str) -> Image.Image:
        reading.set()
        await go_on.wait()
        return await read(path)

    monkeypatch.setattr(workshop.services, "thumbnail", read_slowly)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, reading.is_set)
        browser = app.screen
        assert isinstance(browser, DatasetItemsScreen)
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: "no key holds 'zzz'" in screen_text(app))
        go_on.set()
        await until(pilot, lambda: not browser.at_work("picture"))
        assert browser.query_one(Picture).image is None


async def test_a_dialog_looks_the_same_after_a_look_at_the_pictures(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    """The list of pictures here and the field for pictures of an export have one name."""
    await workshop.dataset(3)
    app = VqaApp(workshop.services, open_run=await workshop.run([DONE]))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_export(app, pilot, until)
        await until(pilot, lambda: "What is finished by now" in screen_text(app))
        before = screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await opened(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and "1 of 3" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
        await pilot.press("escape")
        await open_export(app, pilot, until)
        await until(pilot, lambda: dialog_lines(screen_text(app)) == dialog_lines(before))


def dialog_lines(screen: str) -> list[str]:
    """Return the lines of a dialog without what stands beside it: that may go on."""
    return [line[line.index("│") : line.rindex("│") + 1] for line in screen.splitlines() if line.count("│") > 1]
