"""The pairs of a run and a person's verdicts on them."""

from array import array
from collections.abc import Callable, Sequence

from vqa_tui.domain.review import Judgement, Order, ReviewFilter, ReviewPair, Undone
from vqa_tui.operations import reviewing
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.tui.services.door import Door


class Reviewing(Door):
    """Review of pairs.

    What has to show the own verdict at once is read over the writing connection: on the other one a view of the run may
    be under way, and until it is read everything there is as it was before.
    """

    async def place_pairs(self, run_id: int, told: Callable[[int], None]) -> None:
        """Give every new pair its place in the drawn order; `told` hears how many are left."""
        await reviewing.place_pairs(self._writing, run_id, told)

    async def next_ids(
        self, run_id: int, order: Order, chosen: ReviewFilter, *, count: int, skipped: Sequence[int], after: int
    ) -> "array[int]":
        return await reviewing.next_ids(
            self._workspace, run_id, order, chosen, count=count, skipped=skipped, after=after
        )

    async def pairs(self, run_id: int, ids: Sequence[int]) -> dict[int, ReviewPair]:
        return await reviewing.review_pairs(self._workspace, run_id, ids)

    async def pair_now(self, run_id: int, sample_id: int) -> ReviewPair | None:
        """Return a pair as the last verdict left it; None when it is gone."""
        return (await reviewing.review_pairs(self._writing, run_id, [sample_id])).get(sample_id)

    async def judge(self, run_id: int, judgement: Judgement) -> None:
        await reviewing.judge(self._writing, run_id, judgement)

    async def undo(self, run_id: int) -> Undone | None:
        return await reviewing.undo(self._writing, run_id)

    async def status(self, run_id: int, target: float) -> ReviewStatus:
        """Return counts and estimate as the last verdict left them."""
        return await reviewing.review_status(self._writing, run_id, target=target)
