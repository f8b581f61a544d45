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
    r"\b(?:conceal\w*|hidden|hid(?:es|ing)|obscur\w*|occlu\w*|(?:partly|partially) covered|covered by|underneath"
    r"|overlap(?:s|ped|ping)?)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|nothing|without|never|isn't|aren't)\b(?:\W+\w+){0,3}\W*$", re.IGNORECASE)
_JUDGEMENT = re.compile(
    r"\b(?:risks?|risky|threat\w*|danger\w*|hazard\w*|recommend\w*|inspect\w*|alert\w*|should|must|suspicious|severity)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_MAX_CAPTION = 400
_MOST_COMPARED = 40
"""Boxes compared in pairs; beyond that nothing is said about overlap."""


@dataclass(frozen=True)
class Scene:
    """One picture as the writer of answers sees it. `measured` is None when the request held no picture."""

    asked: Asked
    measured: Measurement | None
    names_unseen: bool = False
    """Whether the request named or held a video that was not opened."""

    @property
    def noun(self) -> str:
        return "scan" if self.asked.is_scan else "picture"

    @property
    def marked(self) -> str:
        """What one annotated thing is called. Not everything in a picture is annotated, so it is never just `item`."""
        return "prohibited item" if self.asked.is_scan else "marked item"

    @property
    def kind_of_item(self) -> str:
        """What stands before `is marked`."""
        return "prohibited item" if self.asked.is_scan else "item"

    @property
    def marked_here(self) -> str:
        """What follows a number of things of one label: of a scan all prohibited items are annotated."""
        return "in this scan" if self.asked.is_scan else "marked in this picture"

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

    @property
    def numbers_are_known(self) -> bool:
        """Whether `counted` accounts for all of `total`; a prompt may name the labels and only count all together."""
        return len(self.items) == self.total

    @cached_property
    def overlaps(self) -> tuple[tuple[Place, Place], ...]:
        """Pairs of items whose boxes overlap."""
        return tuple((one, other) for one, other, share in self._meeting if share >= _OVERLAP_SHARE)

    def is_clear(self, label: str | None = None) -> bool:
        """Whether no two boxes, or none of `label` and any other, share a single pixel; False when not all are known.

        Without two items there is nothing to compare, and the answer is False too.
        """
        if self.total < 2 or self.total != len(self._boxed) or self.total > _MOST_COMPARED:
            return False
        return not any(label is None or label in (one.label, other.label) for one, other, _ in self._meeting)

    @cached_property
    def _meeting(self) -> list[tuple[Place, Place, float]]:
        """Pairs of items whose boxes share any pixel, and the shared part of the smaller one."""
        compared = self._boxed[:_MOST_COMPARED]
        return [
            (one, other, share)
            for index, one in enumerate(compared)
            for other in compared[index + 1 :]
            if (share := _overlap_share(one, other)) > 0
        ]

    @cached_property
    def _boxed(self) -> tuple[Place, ...]:
        return tuple(item for item in self.items if item.box is not None)

    @property
    def boxed(self) -> tuple[Place, ...]:
        """Items that have a box, at most twelve: enough to speak of."""
        return self._boxed[:12]

    @cached_property
    def all_boxed(self) -> bool:
        """Whether every item has a box that `boxed` shows."""
        return len(self.boxed) == self.total

    @cached_property
    def caption(self) -> str:
        """The stated caption without sentences that judge or advise; at most 400 characters, whole sentences only."""
        kept = ""
        for sentence in self._caption_sentences:
            if len(kept) + len(sentence) >= _MAX_CAPTION:
                break
            kept = f"{kept} {sentence}".strip()
        return kept[:1].upper() + kept[1:]

    @cached_property
    def concealment(self) -> tuple[str, ...]:
        """The sentences of the caption that say that something is hidden, covered or overlapped, and do not deny it."""
        return tuple(sentence for sentence in self._caption_sentences if _tells_concealment(sentence))

    @cached_property
    def _caption_sentences(self) -> list[str]:
        """Sentences of the caption, each with its full stop, without those that judge or advise."""
        sentences = _SENTENCE_END.split(self.truth.caption.strip())
        return [
            sentence if sentence[-1] in ".!?" else f"{sentence}."
            for sentence in sentences
            if sentence and not _JUDGEMENT.search(sentence)
        ]

    @property
    def has_concealed_items(self) -> bool:
        """Whether boxes of items overlap or the caption tells that something is hidden, covered or overlapped."""
        return bool(self.items) and (bool(self.overlaps) or _tells_concealment(self.truth.caption))

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

    Only a box that lies wholly on one side of the other tells; the wider gap decides.
    """
    if one.box is None or other.box is None:
        return None
    gaps = {
        "to the left of": other.box[0] - (one.box[0] + one.box[2]),
        "to the right of": one.box[0] - (other.box[0] + other.box[2]),
        "above": other.box[1] - (one.box[1] + one.box[3]),
        "below": one.box[1] - (other.box[1] + other.box[3]),
    }
    how = max(gaps, key=gaps.__getitem__)
    return how if gaps[how] >= 0 else None


def _tells_concealment(text: str) -> bool:
    return any(
        not _DENIED.search(text[max(found.start() - 60, 0) : found.start()]) for found in _CONCEALED.finditer(text)
    )


def _overlap_share(one: Place, other: Place) -> float:
    """Return the common area of two boxes as a share of the smaller one."""
    if one.box is None or other.box is None or not (smaller := min(area(one), area(other))):
        return 0.0
    width = min(one.box[0] + one.box[2], other.box[0] + other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[1] + one.box[3], other.box[1] + other.box[3]) - max(one.box[1], other.box[1])
    return max(width, 0) * max(height, 0) / smaller
