"""What is known about one picture: the stated truth and the measurement, joined into items that can be spoken of."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from vqa_tui.embedded.measure import Measurement
from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE, Asked, Place, StatedTruth

_OVERLAP_SHARE = 0.1
"""Two boxes overlap from this share of the smaller box upward; less is the slack of hand-drawn boxes."""
_CONCEALED = re.compile(
    r"\b(?:conceal\w*|hidden|hid(?:es|ing)|obscur\w*|occlu\w*|(?:partly|partially) covered|underneath)\b", re.IGNORECASE
)
_DENIED = re.compile(r"\b(?:no|not|nothing|without|never|isn't|aren't)\b(?:\W+\w+){0,3}\W*$", re.IGNORECASE)
_JUDGEMENT = re.compile(
    r"\b(?:risks?|risky|threat\w*|danger\w*|hazard\w*|recommend\w*|inspect\w*|alert\w*|should|must|suspicious|severity)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_MAX_CAPTION = 400


@dataclass(frozen=True)
class Scene:
    """One picture as the writer of answers sees it. `measured` is None when the request held no picture."""

    asked: Asked
    measured: Measurement | None

    @property
    def noun(self) -> str:
        return "scan" if self.asked.is_scan else "picture"

    @property
    def truth(self) -> StatedTruth:
        return self.asked.truth or StatedTruth()

    @property
    def is_clean(self) -> bool:
        """Whether the prompt says that an X-ray scan holds nothing. In other pictures no items only means no labels."""
        return self.asked.is_scan and self.truth.items == () and not self.truth.places

    @cached_property
    def items(self) -> tuple[Place, ...]:
        """Every single item: those with a place, then those that are only named, at the place `unknown`.

        When one label alone is named and the stated count is higher, the label stands for all of them.
        """
        placed = list(self.truth.places)
        unplaced = Counter(label for label in self.truth.items or ())
        unplaced.subtract(place.label for place in placed)
        named = [Place(label, UNKNOWN_PLACE) for label, left in unplaced.items() for _ in range(left)]
        together = [*placed, *named]
        if len({item.label for item in together}) == 1:
            missing = min((self.truth.count or 0) - len(together), 100)
            together += [Place(together[0].label, UNKNOWN_PLACE)] * missing
        return tuple(together)

    @cached_property
    def counted(self) -> dict[str, int]:
        """Number of items by label, in order of appearance."""
        return dict(Counter(item.label for item in self.items))

    @property
    def total(self) -> int:
        """The stated count, but never fewer than the items that are named."""
        return max(self.truth.count or 0, len(self.items))

    @cached_property
    def overlaps(self) -> tuple[tuple[Place, Place], ...]:
        """Pairs of items whose boxes overlap."""
        boxed = self.boxed
        return tuple(
            (one, other)
            for index, one in enumerate(boxed)
            for other in boxed[index + 1 :]
            if _overlap_share(one, other) >= _OVERLAP_SHARE
        )

    @cached_property
    def boxed(self) -> tuple[Place, ...]:
        """Items that have a box, at most twelve: enough to speak of, and pairs stay few."""
        return tuple(item for item in self.items if item.box is not None)[:12]

    @cached_property
    def caption(self) -> str:
        """The stated caption without sentences that judge or advise; at most 400 characters, whole sentences only."""
        kept = ""
        for sentence in _SENTENCE_END.split(self.truth.caption.strip()):
            if not sentence or _JUDGEMENT.search(sentence):
                continue
            finished = sentence if sentence[-1] in ".!?" else f"{sentence}."
            if len(kept) + len(finished) >= _MAX_CAPTION:
                break
            kept = f"{kept} {finished}".strip()
        return kept[:1].upper() + kept[1:]

    @cached_property
    def caption_tells_concealment(self) -> bool:
        """Whether the caption says that something is hidden or covered, and does not deny it."""
        text = self.truth.caption
        return any(
            not _DENIED.search(text[max(found.start() - 60, 0) : found.start()]) for found in _CONCEALED.finditer(text)
        )

    @property
    def has_concealed_items(self) -> bool:
        """Whether boxes overlap or the caption tells of something concealed."""
        return bool(self.items) and (bool(self.overlaps) or self.caption_tells_concealment)

    def share(self, item: Place) -> float | None:
        """Return the share of the picture that the item's box covers, None when box or picture size are not stated."""
        if self.asked.original_size is None or not area(item):
            return None
        width, height = self.asked.original_size
        return min(area(item) / (width * height), 1.0)


def area(item: Place) -> float:
    """Return the area of an item's box in pixels, 0 without one."""
    return item.box[2] * item.box[3] if item.box else 0.0


def relation(one: Place, other: Place) -> str | None:
    """Return how `one` lies seen from `other`: `to the left of`, `above` …; None when the boxes do not tell.

    The axis along which the centres are further apart decides.
    """
    if one.box is None or other.box is None:
        return None
    across = one.box[0] + one.box[2] / 2 - (other.box[0] + other.box[2] / 2)
    down = one.box[1] + one.box[3] / 2 - (other.box[1] + other.box[3] / 2)
    if max(abs(across), abs(down)) < 1:
        return None
    if abs(across) >= abs(down):
        return "to the left of" if across < 0 else "to the right of"
    return "above" if down < 0 else "below"


def _overlap_share(one: Place, other: Place) -> float:
    """Return the common area of two boxes as a share of the smaller one."""
    if one.box is None or other.box is None or not (smaller := min(area(one), area(other))):
        return 0.0
    width = min(one.box[0] + one.box[2], other.box[0] + other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[1] + one.box[3], other.box[1] + other.box[3]) - max(one.box[1], other.box[1])
    return max(width, 0) * max(height, 0) / smaller
