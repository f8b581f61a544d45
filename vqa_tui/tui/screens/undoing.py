"""Undo of queue edits, on every screen that makes them."""

from typing import ClassVar

from textual import work

from vqa_tui.tui.messages import LookWanted
from vqa_tui.tui.present.edit_words import taken_back
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.toasts import tell

UNDO_TOOLTIP = "Take back your newest edit of this run"


class UndoingScreen(RunScreen):
    """A screen on which the newest edit of the run's queue can be taken back."""

    WRITES: ClassVar[frozenset[str]] = RunScreen.WRITES | {"undo"}

    def reread_items(self) -> None:
        """Show what an edit has changed."""
        raise NotImplementedError

    def action_undo(self) -> None:
        """Take a person's newest edit back; once more the one before."""
        if not self.busy("edit", "verb", "undo"):
            self._undo(self.run_id)

    @work(group="undo", exit_on_error=False)
    async def _undo(self, run_id: int) -> None:
        back = await self.services.queue_edits.undo(run_id)
        tell(self, taken_back(back), severity="information" if back.restored == back.tasks else "warning")
        self.post_message(LookWanted())
        self.reread_items()
