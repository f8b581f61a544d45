"""What was done to a whole cluster of failures is taken back where it was done."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.test_failures_screen import SERVERS, SIZES, counts, opened, to_failures
from tests.tui.workshop import DONE, Workshop
from vqa_tui.tui.screens.dialogs import Question

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.mark.parametrize("size", SIZES)
async def test_a_cluster_that_was_skipped_is_brought_back(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = await opened(workshop, [DONE, *SERVERS])
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        before = await counts(workshop)
        await pilot.press("u")
        await until(pilot, lambda: "nothing to take back" in screen_text(app).lower())
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "u takes it back" in " ".join(screen_text(app).split()))
        await until(pilot, lambda: screen.has_class("-empty") and app.screen is screen)
        assert await counts(workshop) != before
        await pilot.press("u")
        await until(pilot, lambda: "upstream <n>" in screen_text(app) and not screen.has_class("-empty"))
        assert await counts(workshop) == before
