"""The welcome of an empty workspace: it offers the demo, an import, or a look around, and comes no second time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.workshop import Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.welcome import WelcomeScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_d_starts_the_demo(
    fake: Any, make_view: Any, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    services = fake(make_view())
    services.new = True
    app = VqaApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await until(pilot, lambda: "costs nothing" in screen_text(app) and "esc" in screen_text(app))
        await pilot.press("d")
        await until(pilot, lambda: ("start_demo",) in services.wanted)
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


@pytest.mark.parametrize("keys", [("i",), ("j", "enter")])
async def test_i_opens_the_import_over_the_datasets(workshop: Workshop, until: Wait, keys: tuple[str, ...]) -> None:
    workshop.services.greets = True
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))


async def test_the_demo_is_in_the_palette_of_a_workspace_in_use_but_not_where_one_only_looks(
    fake: Any, make_view: Any, until: Wait
) -> None:
    services = fake(make_view())
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        [demo] = [each for each in app.get_system_commands(app.screen) if each.title == "Demo"]
        demo.callback()
        await until(pilot, lambda: ("start_demo",) in services.wanted)
        services.read_only = True
        assert "Demo" not in {each.title for each in app.get_system_commands(app.screen)}


async def test_it_does_not_come_over_what_a_person_has_opened_meanwhile(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()

    async def is_new() -> bool:
        await looked.wait()
        return True

    monkeypatch.setattr(workshop.services, "is_new", is_new)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_open("datasets")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
        looked.set()
        await app.workers.wait_for_complete([each for each in app.workers if each.group == "welcome"])
        assert isinstance(app.screen, DatasetsScreen)


async def test_esc_looks_around_and_a_workspace_with_pictures_is_not_greeted(workshop: Workshop, until: Wait) -> None:
    workshop.services.greets = True
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
    await workshop.dataset(2)
    assert not await workshop.services.is_new()
