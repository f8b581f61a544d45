"""Which list of the failures has the keys: none where nothing is shown, and the clusters again once there are some."""

from collections.abc import Callable
from typing import Any

from tests.tui.test_failures_screen import NARROW, opened, to_failures
from tests.tui.workshop import DONE, SERVER, Workshop

Wait = Callable[..., Any]
Text = Callable[[Any], str]


async def test_a_list_that_is_not_shown_takes_no_keys_and_has_the_focus_again_where_it_is(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    app = await opened(workshop, [DONE])
    other = await workshop.run([SERVER], name="second")
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "Nothing has failed for good." in screen_text(app))
        await pilot.press("2", "4", "enter")
        await until(pilot, lambda: "There is no cluster." in screen_text(app))
        app.watch_over.follow_run(other)
        await pilot.press("2", "4")
        await until(pilot, lambda: "upstream <n>" in screen_text(app) and screen.clusters.has_focus)
