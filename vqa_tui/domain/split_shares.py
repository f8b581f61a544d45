"""The sides of a split and how many of the pictures in order come to each."""

import math
from collections.abc import Sequence
from typing import Literal

from vqa_tui.domain.failure import VqaError

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = ("train", "val", "test")
"""In the order of their shares; a split has the first two or all three."""
WHAT_SHARES_ARE = "Give two or three shares above 0 that add up to 1, such as 0.9/0.1 or 0.7/0.15/0.15."


def read_shares(typed: str) -> tuple[float, ...]:
    """Return the shares that a person typed, such as `0.9/0.1`. Raises VqaError unless they are those of a split."""
    text = typed.strip()
    try:
        shares = tuple(float(part) for part in text.split("/"))
    except ValueError:
        raise VqaError(f"{text or 'nothing'} is not a split", hint=WHAT_SHARES_ARE) from None
    if not are_shares(shares):
        raise VqaError(f"{text} is not a split", hint=WHAT_SHARES_ARE)
    return shares


def are_shares(shares: Sequence[float]) -> bool:
    """Return whether these are the shares of a split: two or three above 0 that add up to 1."""
    usable = len(shares) in (2, 3) and all(math.isfinite(share) and share > 0 for share in shares)
    return usable and abs(math.fsum(shares) - 1) <= 1e-6


def ends_of_sides(total: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Return how many of `total` pictures in order stand up to the end of each side but the last.

    The shares are met as nearly as possible, with at least one picture on each side where there are as many; where
    there are not, an end may lie behind the last picture.
    """
    ends: list[int] = []
    for number in range(1, len(shares)):
        least = (ends[-1] if ends else 0) + 1
        most = max(total - (len(shares) - number), least)
        ends.append(min(max(round(total * math.fsum(shares[:number])), least), most))
    return tuple(ends)
