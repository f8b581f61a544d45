"""Pictures put together by their longest side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vqa_tui.store.datasets import SizeGroup

_SIDES = (256, 512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True)
class SizeBand:
    """Pictures whose longest side lies within a band of pixels."""

    up_to: int | None
    """Largest side of the band; None is the band above all others."""
    pictures: int
    bytes: int
    """Of their files together."""


def size_bands(groups: Sequence[SizeGroup]) -> tuple[SizeBand, ...]:
    """Return groups of pictures put together by their longest side."""
    found = []
    lower = 0.0
    for side in (*_SIDES, None):
        upper = math.inf if side is None else side
        within = [each for each in groups if lower < max(each.width, each.height) <= upper]
        if within:
            found.append(SizeBand(side, sum(each.pictures for each in within), sum(each.size_bytes for each in within)))
        lower = upper
    return tuple(found)
