"""What all screens share: the services, the watch, keys that can say why not, and errors as toasts."""

import asyncio
from collections.abc import Awaitable
from typing import ClassVar, TypeVar

from textual import events
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker

from vqa_tui.tui.lasting import began
from vqa_tui.tui.lean_compositor import LeanCompositor
from vqa_tui.tui.preferences import MAY_ONLY_LOOK
from vqa_tui.tui.screens.asking import AskingScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell, tell_worker_failure
from vqa_tui.tui.watch import Watch

PATIENCE_S = 1.0
"""Seconds after which a person is told what an action waits for."""

Result = TypeVar("Result")


class LiveScreen(AskingScreen[None]):
    """A screen that shows what the watch sees."""

    tells_trouble = False
    """Whether this screen itself says it when the workspace cannot be read, so that no toast has to."""

    WRITES: ClassVar[frozenset[str]] = frozenset()
    """Actions that this class adds and that change something; they are grey where the app may only look."""

    KEYS_LAST: ClassVar[tuple[str, ...]] = ()
    """Actions whose keys stand last in the key bar, and leave it first where space is short."""

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__()
        self._compositor = LeanCompositor()
        self.services = services
        self.watch_over = watch
        self._lines: dict[str, Content] = {}
        self._styled_for: object = None

    def _on_screen_suspend(self) -> None:
        self._styled_for = self._what_styles_follow()

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Have styles matched anew only where what they follow changed meanwhile; Textual's own handler comes next."""
        if self._styled_for == self._what_styles_follow():
            event.refresh_styles = False

    def _compositor_refresh(self) -> None:
        """Draw what changed; not while nothing is to be drawn, when Textual would make it all and throw it away."""
        if not self.app._batch_count:
            super()._compositor_refresh()

    def _what_styles_follow(self) -> object:
        """Return what decides on styles beside this screen itself: its own changes are matched as they happen."""
        sources = len(self.app.stylesheet.source)
        return self.app._css_update_count, sources, self.app.classes, self.app.pseudo_classes

    def why_not(self, action: str) -> str | None:
        """Return why `action` cannot be done now, or None when it can."""
        return None

    def key_words(self, action: str) -> str | None:
        """Return what the key bar calls `action` (with its arguments) now; None leaves it to the binding."""
        return None

    def reason(self, action: str) -> str | None:
        """Return why the key of `action` is grey, or None when it is not."""
        if self.services.read_only and any(action in vars(each).get("WRITES", ()) for each in type(self).__mro__):
            return MAY_ONLY_LOOK
        return self.why_not(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what cannot be done now."""
        return None if self.reason(action) else True

    def at_work(self, *groups: str) -> bool:
        """Tell whether a worker that this screen began in one of `groups` has not ended."""
        return any(began(self, each) and each.group in groups and not each.is_finished for each in self.workers)

    def busy(self, *groups: str) -> bool:
        """Say that what a key began in one of `groups` is under way, if so; a second press begins nothing then."""
        if found := self.at_work(*groups):
            tell(self, "The edit before is still under way.", severity="warning")
        return found

    async def carried_out(
        self, of: int, verb: str, words: str, work: Awaitable[Result], *, waits_for: str = ""
    ) -> Result:
        """Await `work`, held meanwhile as the wish `verb` about the run with that number and named by `words`.

        After PATIENCE_S say what it waits for, by default a workspace file that another holds; look once it has ended.
        """
        waiting = waits_for or f"Waiting for the workspace file: {verb} is written as soon as it is free."
        notice = asyncio.get_running_loop().call_later(PATIENCE_S, tell, self, waiting)
        try:
            with self.watch_over.wishes.carry_out(of, verb, words):
                return await work
        finally:
            notice.cancel()
            self.watch_over.look_now()

    def _show_line(self, line: str, words: Content, *, layout: bool = False) -> None:
        """Draw the line with that id where it reads otherwise than what is on screen."""
        if line not in self._lines or not self._lines[line].is_same(words):
            self._lines[line] = words
            self.query_one(f"#{line}", Static).update(words, layout=layout)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        tell_worker_failure(self, event)
