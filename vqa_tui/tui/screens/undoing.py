"""Undo of queue edits, on every screen that makes them."""

from typing import ClassVar

from vqa_tui.tui.lasting import lasting
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

    @lasting(group="undo")
    async def _undo(self, run_id: int) -> None:
        work = self.services.queue_edits.undo(run_id)
        wish, waits_for = "undo of the newest edit", "Taking the newest edit back …"
        back = await self.carried_out(run_id, "undo", wish, work, waits_for=waits_for)
        tell(self, taken_back(back), severity="information" if back.restored == back.tasks else "warning")
        if not self.is_left:
            self.reread_items()
