"""Opened with --readonly, the app shows everything; each key that changes something is grey and says why."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.tui.test_bindings import OWNERS
from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.run import Intent
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services

Wait = Callable[..., Any]
Text = Callable[[Any], str]
MODES = {"1": "Runs", "2": "Dashboard", "3": "Items", "4": "Failures", "5": "Review", "6": "Training"}


def writing_actions() -> Iterator[tuple[type[LiveScreen], str]]:
    for owner in OWNERS:
        if issubclass(owner, LiveScreen):
            yield from ((owner, action) for each in owner.__mro__ for action in vars(each).get("WRITES", ()))


def test_what_is_said_to_write_is_an_action() -> None:
    found = list(writing_actions())
    assert found
    for owner, action in found:
        assert hasattr(owner, f"action_{action}"), f"{owner.__name__} has no action {action}"


@pytest.mark.parametrize("mode", MODES)
async def test_no_key_of_a_mode_that_writes_is_enabled(workshop: Workshop, until: Wait, mode: str) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    looking = Services(workshop.workspace, workshop.workspace, read_only=True)
    app = VqaApp(looking, open_run=run_id)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press(mode)
        await until(pilot, lambda: type(app.screen).__name__ == f"{MODES[mode]}Screen")
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        written = {action for owner, action in writing_actions() if owner is type(screen)}
        for active in screen.active_bindings.values():
            action = active.binding.action.partition("(")[0].rpartition(".")[2]
            if active.node is screen and action in written:
                assert not active.enabled, action
                assert "--readonly" in (screen.reason(action) or "")


async def test_a_grey_key_says_that_the_app_may_only_look(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, BAD_REPLY])
    app = VqaApp(Services(workshop.workspace, workshop.workspace, read_only=True), open_run=run_id)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("R")
        await until(pilot, lambda: "may only look" in screen_text(app))
        assert (await workshop.services.run_view(run_id)).counts.failed == 1
        assert (await workshop.services.run_view(run_id)).intent is Intent.RUN
