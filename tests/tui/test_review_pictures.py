"""The picture beside the pair: drawn by the terminal itself where it can, with the boxes, or not at all."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.tui.test_review_screen import TWO, number, opened
from tests.tui.workshop import Workshop
from vqa_tui.tui import picture_mode
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.picture_mode import PictureMode
from vqa_tui.tui.widgets.picture import Picture

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_terminal_draws_it_where_it_can(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    from textual_image.widget import HalfcellImage

    monkeypatch.setitem(picture_mode._widgets, PictureMode.KITTY, HalfcellImage)
    monkeypatch.setenv("VQA_PICTURES", "kitty")
    await workshop.dataset(2)
    run_id = await workshop.run([TWO] * 2)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, until)
        native = screen.query_one(HalfcellImage)
        await until(pilot, lambda: native.image is not None and native.size.width > 10)
        with_boxes = native.image
        await pilot.press("b")
        await until(pilot, lambda: native.image is not with_boxes)
        assert isinstance(with_boxes, Image.Image) and isinstance(native.image, Image.Image)
        assert native.image.size == with_boxes.size and native.image.tobytes() != with_boxes.tobytes()
        first, without = number(app), native.image
        await pilot.press("right", "right")
        await until(pilot, lambda: number(app) not in (0, first) and native.image is not without)


async def test_boxes_are_drawn_over_half_blocks_until_b(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([TWO])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot, until)
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        picture = screen.query_one(Picture)
        assert [mark.label for mark in picture.marks] == ["Battery", "Knife"]
        await until(pilot, lambda: "Knife" in screen_text(app))
        await pilot.press("b")
        await until(pilot, lambda: picture.marks == ())


async def test_pictures_that_are_turned_off_are_not_drawn(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQA_PICTURES", "none")
    await workshop.dataset(1)
    run_id = await workshop.run([TWO])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot, until)
        await until(pilot, lambda: "Pictures are turned off" in screen_text(app))
        assert "▀" not in screen_text(app)
