"""Retrying, skipping and requeueing pictures, and taking that back."""

from collections.abc import Sequence

from vqa_tui.domain.queue_edit import EditVerb, Stock, TakenBack
from vqa_tui.operations import queue_edits
from vqa_tui.tui.services.door import Door


class QueueEdits(Door):
    """Edits of the queue."""

    async def stock(self, run_id: int, ids: Sequence[int]) -> Stock:
        """Return what the chosen tasks hold."""
        return await queue_edits.stock(self._workspace, run_id, ids)

    async def edit(self, run_id: int, verb: EditVerb, ids: Sequence[int]) -> int:
        """Move those of `ids` that `verb` applies to; return how many."""
        return await queue_edits.edit_queue(self._writing, run_id, verb, ids)

    async def undo(self, run_id: int) -> TakenBack:
        """Take back this person's newest edit; raises VqaError when there is none."""
        return await queue_edits.undo_edit(self._writing, run_id)
