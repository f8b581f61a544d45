"""Asking pictures again with something changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    from vqa_tui.operations.asking_again import AskedAgain, Chosen
    from vqa_tui.operations.follow_ups import Elsewhere, FollowUp
    from vqa_tui.operations.plan import RunPlan


class AskingAgain(Door):
    """Another endpoint, a longer reply or another picture size for chosen pictures."""

    async def chosen(self, run_id: int, ids: Sequence[int]) -> "Chosen":
        """Return how the tasks `ids` stand and what they were asked with."""
        from vqa_tui.operations import asking_again  # only here: recipes and endpoints are heavy to load

        return await asking_again.chosen(self._workspace, run_id, ids)

    async def plan(
        self, run_id: int, ids: Sequence[int], changes: TaskChanges, elsewhere: "Elsewhere | None" = None
    ) -> "RunPlan":
        """Return what asking again will take; raises VqaError for whatever keeps it from starting."""
        from vqa_tui.operations import asking_again, follow_ups  # only here, as above

        if elsewhere is None:
            return await asking_again.plan_again(self._workspace, run_id, ids, changes)
        return await follow_ups.plan_elsewhere(self._workspace, run_id, ids, elsewhere, changes)

    async def ask(self, run_id: int, ids: Sequence[int], changes: TaskChanges) -> "AskedAgain":
        """Put those of `ids` that failed or are done back into the queue, to be asked with `changes`."""
        from vqa_tui.operations import asking_again  # only here, as above

        return await asking_again.ask_again(self._writing, run_id, ids, changes)

    async def follow_up(
        self, run_id: int, ids: Sequence[int], elsewhere: "Elsewhere", changes: TaskChanges
    ) -> "FollowUp":
        """Make a run that asks `ids` elsewhere; its engine is not started yet."""
        from vqa_tui.operations import follow_ups  # only here, as above

        return await follow_ups.follow_up(self._writing, run_id, ids, elsewhere, changes)
