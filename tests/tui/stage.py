"""A stage for pictures: the app at one size, driven by key until what it shows is at rest, and its picture as SVG."""

import asyncio
import time
from contextlib import AsyncExitStack

from textual.pilot import Pilot
from textual.widgets import Input
from textual.worker import WorkerState

from docs.screen_svg import portable
from tests.tui.conftest import screen_text, until
from tests.tui.workshop import Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.services import Services

_EQUAL_LOOKS = 5


class Stage:
    """Opens the app on the services that a scene names; `stack` closes it at the end."""

    def __init__(self, stack: AsyncExitStack, workshop: Workshop, size: tuple[int, int]) -> None:
        self.workshop = workshop
        self.app: VqaApp
        self.pilot: Pilot[None]
        self.stack, self._size = stack, size

    async def open(self, services: Services, run_id: int | None = None, theme: str | None = None) -> None:
        """Open the app; `run_id` on the dashboard of that run."""
        self.app = VqaApp(services, open_run=run_id, now=time.time)
        self.pilot = await self.stack.enter_async_context(self.app.run_test(size=self._size))
        if theme is not None:
            self.app.theme = theme
        watch = self.app.watch_over
        await until(self.pilot, lambda: watch.last_runs if run_id is None else watch.last_run)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def see(self, *words: str) -> None:
        """Wait until all these words are on the screen."""
        await until(self.pilot, lambda: all(word in screen_text(self.app) for word in words))

    async def picture(self) -> str:
        """Return the screen as SVG once nothing is read any more and some looks in a row show the same."""
        for field in self.app.screen.query(Input):
            field.cursor_blink = False
        await until(self.pilot, lambda: not self._readers())
        looks = [self._look()]
        while len(looks) < _EQUAL_LOOKS:
            await asyncio.sleep(0.05)
            await until(self.pilot, lambda: not self._readers())
            look = self._look()
            looks = [*looks, look] if look == looks[-1] else [look]
        return looks[-1]

    def _readers(self) -> list[str]:
        """What is still being read for the screen on top; a screen beneath may wait for the answer of this one."""
        at_work = (WorkerState.PENDING, WorkerState.RUNNING)
        shown = self.app.screen
        readers = [each for each in self.app.workers if each.state in at_work and each.node is not self.app]
        return [each.group for each in readers if each.node.screen is shown]

    def _look(self) -> str:
        return portable(self.app.export_screenshot(simplify=True))
