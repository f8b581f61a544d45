"""What is typed right after the key of the palette reaches its field, though that has no focus yet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from textual import events
from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Provider
from textual.theme import ThemeProvider

from tests.tui.workshop import DONE, Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.commands import Palette, ScreenCommands
from vqa_tui.tui.screens.runs import RunsScreen

Wait = Callable[..., Any]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_name_typed_at_once_is_searched_and_does_nothing_else(
    workshop: Workshop, until: Wait, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    await workshop.run([DONE, DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.focused is not None)
        for character in ":import":
            app.post_message(events.Key("colon" if character == ":" else character, character))
        await until(pilot, lambda: isinstance(app.screen, CommandPalette) and app.focused is not None)
        field = app.screen.query_one(CommandInput)
        await until(pilot, lambda: field.value == "import")
        await pilot.press("e", "d")
        await until(pilot, lambda: field.value == "imported")
        assert field.cursor_position == len("imported") and len(app.screen_stack) == 2
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_a_palette_that_is_left_at_once_takes_nothing(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(2)
    await workshop.run([DONE, DONE])
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.focused is not None)
        for _ in range(3):
            for key, character in (("colon", ":"), ("i", "i"), ("m", "m"), ("escape", None)):
                app.post_message(events.Key(key, character))
            await pilot.press("j")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen) and len(app.screen_stack) == 1)


@pytest.mark.parametrize("provider", [ScreenCommands, ThemeProvider])
async def test_a_search_that_ends_when_the_list_is_gone_already_is_no_error(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch, provider: type[Provider]
) -> None:
    """So it is where the app is left while the palette searches: its parts go first."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def discover(self: Provider) -> AsyncIterator[DiscoveryHit]:
        begun.set()
        await go_on.wait()
        yield DiscoveryHit("late", lambda: None)

    monkeypatch.setattr(provider, "discover", discover)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        app.search_themes() if provider is ThemeProvider else app.action_command_palette()
        await until(pilot, begun.is_set)
        palette = app.screen
        assert isinstance(palette, Palette)
        await palette.query_one(CommandList).remove()
        go_on.set()
        await until(pilot, lambda: all(worker.is_finished for worker in app.workers if worker.node is palette))
        await pilot.pause()
        assert app.is_running
