"""Copying a recipe or an endpoint: the list goes to the copy, and stays as it was read last."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.tui.test_configs_screens import SIZES, Text, Wait, detail, opened
from tests.tui.workshop import Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import ValueDialog


@pytest.mark.parametrize(("word", "key", "name"), [("recipe", "c", "caption"), ("endpoint", "c", "embedded")])
@pytest.mark.parametrize("size", SIZES)
async def test_copying_goes_to_the_copy(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], word: str, key: str, name: str
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await opened(app, pilot, until, word, name)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        value = app.screen.query_one(Input)
        for wrong, words in (("No", "cannot be the name"), ("demo" if word == "endpoint" else "stcray", "already")):
            value.value = wrong
            await pilot.press("enter")
            await until(pilot, lambda words=words: words in screen_text(app))
        value.value = "mine"
        await pilot.press("enter")
        await until(pilot, lambda: screen.table.cursor_id == "mine" and "your own" in detail(screen))
    assert (workshop.folder / f"{word}s" / "mine.yaml").is_file()


async def test_a_copy_is_told_when_the_cursor_is_on_it(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, object]] = []
    monkeypatch.setattr(
        "vqa_tui.tui.screens.configs.tell", lambda screen, words: told.append((words[:9], screen.chosen.name))
    )
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, until, "recipe", "caption")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        app.screen.query_one(Input).value = "mine"
        await pilot.press("enter")
        await until(pilot, lambda: told)
        assert told == [("Copied to", "mine")]


async def test_a_list_that_was_read_before_the_copy_is_not_shown_after_it(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen reads its list again when the dialog goes; that may take longer than the copy."""
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, until, "endpoint", "embedded")
        read, copy = screen.read_entries, screen.copy
        begun: list[int] = []
        ended: list[int] = []
        was_read, go_on = asyncio.Event(), asyncio.Event()

        async def read_slowly() -> list[Any]:
            begun.append(len(begun))
            reading, entries = begun[-1], await read()
            if reading == 0:
                was_read.set()
                await go_on.wait()
            ended.append(reading)
            return entries

        async def copy_after(name: str, new: str) -> Path:
            await was_read.wait()
            return await copy(name, new)

        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ValueDialog))
        app.screen.query_one(Input).value = "a-copy"
        monkeypatch.setattr(screen, "read_entries", read_slowly)
        monkeypatch.setattr(screen, "copy", copy_after)
        await pilot.press("enter")
        await until(pilot, lambda: "a-copy" in (screen._go_to, screen.table.cursor_id))
        go_on.set()
        await until(pilot, lambda: len(ended) == 2)
        await until(pilot, lambda: screen.table.cursor_id == "a-copy")
        assert ended == [0, 1]
