"""A screen that is left once, and takes no other screen with it."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

Result = TypeVar("Result")


class LeavableScreen(Screen[Result]):
    """Base of the screens that are left with an answer.

    Textual takes the screen on top away whichever is dismissed. A key that is pressed twice would so take the screen
    beneath, and an answer that comes late, of a start say, the help or the palette that was opened meanwhile.
    """

    _late_answer: tuple[Result | None] | None = None
    """The answer to leave with when this screen is on top again."""

    @property
    def is_left(self) -> bool:
        """Whether this screen has been taken away."""
        return not any(self in stack for stack in self.app._screen_stacks.values())

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave with an answer: now, or once what lies over this screen is gone. The first answer counts."""
        if self.is_active:
            return super().dismiss(*(self._late_answer or (result,)))
        if self._late_answer is None and not self.is_left:
            self._late_answer = (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        """Leave with the answer that came while something else lay over this screen."""
        if self._late_answer is not None and self.is_active:
            self.dismiss()
