"""Stepping through the pictures of an item: in the inspector, in review and among the pictures of a dataset."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.tui.workshop import DONE, Workshop
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.picture_steps import stepped
from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.review import ReviewScreen
from vqa_tui.tui.widgets.inspector import Inspector

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


def test_behind_the_last_picture_is_the_first() -> None:
    assert [stepped(0, 1, 3), stepped(2, 1, 3), stepped(0, -1, 3), stepped(0, 1, 1)] == [1, 0, 2, 0]


@pytest.fixture
async def sets(workshop: Workshop) -> int:
    """A run over an item of three pictures, of which only the first lies within boxes, and one of one."""
    root = workshop.folder / "sets"
    root.mkdir()
    for number in range(4):
        Image.new("RGB", (40 + number, 30), (60 * number, 120, 9)).save(root / f"{number}.png")
    turns = [{"from": "human", "value": "?"}, {"from": "gpt", "value": "Yes, it is."}]
    rows = [{"images": [f"{n}.png" for n in numbers], "conversations": turns} for numbers in ((0, 1, 2), (3,))]
    (root / "x.json").write_text(json.dumps(rows))
    await import_dataset(workshop.workspace, "llava", root / "x.json", name="sets")
    return await workshop.run([DONE, DONE], dataset="sets")


def shown(app: VqaApp) -> str:
    path = app.screen.query_one(Inspector).shown_picture
    return Path(path).name if path else ""


@pytest.mark.parametrize("size", SIZES)
async def test_the_inspector_steps_through_the_pictures(
    workshop: Workshop,
    sets: int,
    until: Wait,
    screen_text: Text,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []

    async def note(path: str) -> None:
        opened.append(Path(path).name)

    monkeypatch.setattr(workshop.services, "open_externally", note)
    app = VqaApp(workshop.services, open_run=sets)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(app.screen.tasks.ids) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and "picture 1 of 3" in screen_text(app))
        await until(pilot, lambda: "40×30" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "picture 2 of 3" in screen_text(app) and "41×30" in screen_text(app))
        picture = app.screen.query_one(Inspector).picture
        await until(pilot, lambda: picture.image is not None and picture.image.getpixel((0, 0)) == (60, 120, 9))
        await pilot.press("o")
        await until(pilot, lambda: opened == ["1.png"])
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: "picture 3 of 3" in screen_text(app) and shown(app) == "2.png")
        await pilot.press("j")
        await until(pilot, lambda: shown(app) == "3.png" and "picture 1 of" not in screen_text(app))
        await pilot.press("right_square_bracket")
        await pilot.press("k")
        await until(pilot, lambda: "picture 1 of 3" in screen_text(app) and shown(app) == "0.png")


@pytest.mark.parametrize("size", SIZES)
async def test_review_steps_through_the_pictures_of_the_pair(
    workshop: Workshop, sets: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=sets)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen.shown is not None)
        screen = app.screen
        assert isinstance(screen, ReviewScreen)
        if screen.shown is not None and len(screen.shown.pictures) == 1:
            await pilot.press("right")
        await until(pilot, lambda: "picture 1 of 3" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "picture 2 of 3" in screen_text(app))
        assert screen.shown is not None and [Path(path).name for path in screen.shown.pictures] == [
            "0.png", "1.png", "2.png",
        ]  # fmt: skip
        await until(
            pilot, lambda: screen.desk is not None and screen.desk.picture(screen.shown.pictures[1]) is not None
        )
        await pilot.press("a")
        await until(pilot, lambda: "picture 2 of 3" not in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_the_pictures_of_a_dataset_are_stepped_through(
    workshop: Workshop, sets: int, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services, open_run=sets)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        dataset = (await workshop.services.library.datasets())[0]
        await app.push_screen(DatasetItemsScreen(workshop.services, app.watch_over, dataset))
        await until(pilot, lambda: "0.png + 1.png + 2.png" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "picture 1 of 3" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "picture 2 of 3" in screen_text(app) and "41×30" in screen_text(app))
        await until(pilot, lambda: "sets/1.png" in screen_text(app).replace("\n", ""))
