"""Screens that ask in dialogs: one at a time, and only while they are what is looked at."""

from typing import TypeVar

from textual.screen import Screen

from vqa_tui.tui.screens.leaving import LeavableScreen
from vqa_tui.tui.toasts import tell

Result = TypeVar("Result")
Answer = TypeVar("Answer")


class AskingScreen(LeavableScreen[Result]):
    """A screen over which dialogs are opened."""

    @property
    def is_on_top(self) -> bool:
        """Whether this screen is the one on screen, and no dialog lies over it."""
        return self.is_active

    async def ask(self, dialog: Screen[Answer], *, about: str = "") -> Answer | None:
        """Show a dialog in a worker and return its answer.

        None where it is left, and where it would not be seen for what it is: a key that is pressed twice must not open
        two, nor may a question that took long to prepare lie over another screen. `about` says what such a one asks,
        for the words that it is not asked any more.
        """
        if not self.is_on_top:
            if about:
                tell(self, f"Not asked any more, and nothing was done: {about}", severity="warning")
            return None
        return await self.app.push_screen_wait(dialog)
