"""The desk of a reviewer: the pair that lies open, those ahead with their pictures, and the way back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

from vqa_tui.domain.defect_rate import DEFAULT_TARGET
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import Order, ReviewFilter, ReviewPair
from vqa_tui.tui.services import Services

AHEAD = 24
"""Pairs whose numbers are known in advance."""
LOW = 8
READ_AHEAD = 4
"""Pairs that are read in advance, the pictures of the first two of them as well."""
PICTURES_AHEAD = 2
MOST_PICTURES = 8


@dataclass(frozen=True, slots=True)
class ReviewChoice:
    """What is reviewed, in which order, and how exact the defect rate must be (half-width, a share)."""

    order: Order = Order.STRATIFIED
    chosen: ReviewFilter = field(default_factory=ReviewFilter)
    target: float = DEFAULT_TARGET

    @property
    def picked(self) -> str:
        """How pairs are come by under this choice, for the estimate: a second look draws nothing."""
        return Order.IN_ORDER if self.by_id else self.order

    @property
    def by_id(self) -> bool:
        return self.chosen.verdict is not None or self.order is Order.IN_ORDER


class ReviewDesk:
    """Knows what comes next without reading it first. It writes nothing and draws nothing; errors are VqaError."""

    def __init__(
        self, services: Services, run_id: int, choice: ReviewChoice, *, picture_side: int | None = None
    ) -> None:
        """`picture_side`: pixels of the longer side that pictures are read with; None is enough for half blocks."""
        self.run_id, self.choice = run_id, choice
        self._picture_side = picture_side
        self._services = services
        self._trail: list[int] = []
        """Every pair that was shown, in that order."""
        self._at = -1
        self._ahead: list[int] = []
        self._undecided: set[int] = set()
        """Pairs that were shown and have no written verdict: they must not come again by themselves."""
        self._decided: set[int] = set()
        self._skipped: set[int] = set()
        self._after = 0
        self._read: dict[int, ReviewPair] = {}
        self._pictures: dict[str, Image.Image | VqaError] = {}
        self._looking = asyncio.Lock()
        """Held while what is ahead is read: two at once would read the same."""
        self._moving = asyncio.Lock()
        """Held while another pair is opened that has to be read first: two at once would pass over one."""

    @property
    def current(self) -> ReviewPair | None:
        """The pair that lies open; None when nothing is left."""
        return self._read.get(self._trail[self._at]) if 0 <= self._at < len(self._trail) else None

    @property
    def position(self) -> int:
        """Which pair of this session lies open, from 1."""
        return self._at + 1

    @property
    def skipped(self) -> int:
        """Pairs of this session that were passed over."""
        return len(self._skipped)

    def picture(self, path: str) -> Image.Image | VqaError | None:
        """Return the picture of a pair, why there is none, or None when it was not read yet."""
        return self._pictures.get(path)

    async def place(self, told: Callable[[int], None]) -> None:
        """Give new pairs their place in the order; an app that may only look takes those that have one."""
        if not self._services.read_only:
            await self._services.reviewing.place_pairs(self.run_id, told)

    async def step_slowly(self) -> bool:
        """Go on to the next pair, reading it first; tell whether there is one. Without one nothing lies open."""
        async with self._moving:
            while self._at + 1 < len(self._trail):
                if await self._reread(self._trail[self._at + 1]):
                    return self.step()
                del self._trail[self._at + 1]
            await self.look_ahead()
            if self.step():
                return True
            self._at = len(self._trail)
            return False

    async def look_ahead(self) -> None:
        """Read what comes next, also what was read before: somebody else may have judged or edited it since."""
        async with self._looking:
            if self.low:
                await self._refill()
            looked_at: set[int] = set()
            while wanted := [each for each in self._ahead[:READ_AHEAD] if each not in looked_at]:
                looked_at.update(wanted)
                found = await self._services.reviewing.pairs(self.run_id, wanted)
                for sample_id in wanted:
                    if sample_id not in self._ahead:
                        continue  # A key was faster: it lies open, as it was read.
                    pair = found.get(sample_id)
                    if pair is not None and pair.sample.verdict == self.choice.chosen.verdict:
                        self._read[sample_id] = pair
                    else:
                        # It was replaced, or somebody else has judged it meanwhile.
                        self._ahead.remove(sample_id)
            # The pair before as well: a person may just be going back to it.
            kept = {*self._ahead, *self._trail[max(self._at - 1, 0) : self._at + 2]}
            self._read = {sample_id: pair for sample_id, pair in self._read.items() if sample_id in kept}
            for sample_id in self._ahead[:PICTURES_AHEAD]:
                if (pair := self._read.get(sample_id)) is not None:
                    await self.read_picture(pair.picture)

    async def _refill(self) -> None:
        choice = self.choice
        found = await self._services.reviewing.next_ids(
            self.run_id,
            choice.order,
            choice.chosen,
            count=AHEAD,
            skipped=sorted(self._undecided),
            after=self._after if choice.by_id else 0,
        )
        seen = self._undecided | self._decided
        self._ahead = [each for each in found if each not in seen]

    async def read_picture(self, path: str) -> None:
        """Decode a picture that was not decoded yet; why it cannot be shown is kept like one."""
        if path in self._pictures:
            return
        try:
            self._pictures[path] = await self._services.thumbnail(path, self._picture_side)
        except VqaError as error:
            self._pictures[path] = error
        while len(self._pictures) > MOST_PICTURES:
            del self._pictures[next(iter(self._pictures))]

    def step(self) -> bool:
        """Go on to the next pair if it is read already; tell whether it was."""
        if self._at + 1 < len(self._trail):
            if self._trail[self._at + 1] not in self._read:
                return False
            self._at += 1
            return True
        if not self._ahead or self._ahead[0] not in self._read:
            return False
        sample_id = self._ahead.pop(0)
        self._after = max(self._after, sample_id)
        self._undecided.add(sample_id)
        self._trail.append(sample_id)
        self._at = len(self._trail) - 1
        return True

    def skip(self) -> None:
        """Note that the open pair is passed over."""
        if (pair := self.current) is not None and pair.sample.id in self._undecided:
            self._skipped.add(pair.sample.id)

    def bring_back_skipped(self) -> None:
        """Let the pairs that were passed over come again."""
        self._undecided -= self._skipped
        self._skipped.clear()
        self._ahead, self._after = [], 0

    def judged(self, sample_id: int) -> None:
        """Note that a pair was judged; it is read anew when one comes back to it."""
        self._skipped.discard(sample_id)

    def written(self, sample_id: int) -> None:
        """Note that the verdict on a pair is in the file, so that no order brings it again."""
        self._undecided.discard(sample_id)
        self._decided.add(sample_id)

    @property
    def low(self) -> bool:
        """Whether more has to be looked for soon."""
        return len(self._ahead) < LOW

    @property
    def can_go_back(self) -> bool:
        return self._at > 0

    async def back(self) -> bool:
        """Open the pair that was shown before; tell whether there was one that still exists."""
        async with self._moving:
            while (before := self._at) > 0:
                exists = await self._reread(self._trail[before - 1])
                if self._at != before:
                    return False  # A verdict came meanwhile, and another pair lies open.
                self._at -= 1
                if exists:
                    return True
                del self._trail[self._at]
            return False

    async def open(self, sample_id: int) -> bool:
        """Open a pair by its number, as if it were the next; tell whether it exists."""
        async with self._moving:
            if not await self._reread(sample_id):
                return False
            if sample_id in self._trail:
                self._at = len(self._trail) - 1 - self._trail[::-1].index(sample_id)
            else:
                self._at = min(max(self._at, 0), len(self._trail))
                self._trail.insert(self._at, sample_id)
            self._undecided.add(sample_id)
            self._decided.discard(sample_id)
            return True

    async def _reread(self, sample_id: int) -> bool:
        pair = await self._services.reviewing.pair_now(self.run_id, sample_id)
        if pair is None:
            return False
        self._read[sample_id] = pair
        await self.read_picture(pair.picture)
        return True
