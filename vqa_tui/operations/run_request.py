"""What a person asks for when starting a run, and how its parts are written."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import ORIGINAL_SIZE

MOST_PAIRS = 50
LARGEST_SEED = 2**63 - 1
SMALLEST_SIDE, LARGEST_SIDE = 16, 100_000
"""Pixels; the bounds of `Limits.max_side`."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person asks for when starting a run."""

    dataset: str
    recipe: str
    endpoint: str
    name: str | None = None
    limit: int | None = None
    """At most this many pictures, evenly spread over the dataset."""
    pilot: int = 10
    """Pictures asked before approval; 0 starts at once."""
    budget_usd: Decimal | None = None
    concurrency: int | None = None
    """None takes the endpoint's own."""
    yes: bool = False
    """Approve the pilot in advance."""
    max_side: int | Literal["original"] | None = None
    """Longest side in pixels of the pictures sent; None is the recipe's."""
    hedge: bool = False
    """Ask a straggler a second time; both requests are paid."""
    model: str | None = None
    """Asked instead of the model that the endpoint's file names; None is the file's."""
    pairs: int | None = None
    """Pairs asked of each picture; None is the recipe's."""
    structured_ratio: float | None = None
    """Share of the pairs that are structured questions, 0 to 1; None is the recipe's."""
    like: int | None = None
    """The run that this one is to be like. Plans warn where its recipe or endpoint is no longer what that run had."""
    seed: int | None = None
    """Draws the pictures of `limit` by chance; the same seed draws the same. None spreads them evenly."""


def parse_ratio(text: str, *, field: str) -> float:
    """Return a share from 0 to 1. Raises VqaError, naming `field`, for anything else."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise VqaError(f"{field}: {text.strip()!r} is no share of the pairs", hint="Write a number from 0 to 1.")
    return ratio


def parse_max_side(text: str, *, field: str) -> int | Literal["original"]:
    """Return a longest side in pixels, or `original`. Raises VqaError, naming `field`, for anything else."""
    word = text.strip().lower().removesuffix("px").strip()
    if word == ORIGINAL_SIZE:
        return "original"
    if not (word.isascii() and word.isdigit()) or not SMALLEST_SIDE <= int(word[:12]) <= LARGEST_SIDE:
        raise VqaError(
            f"{field}: {text.strip()!r} is no longest side of a picture",
            hint=f"Write pixels from {SMALLEST_SIDE} to {LARGEST_SIDE}, or {ORIGINAL_SIZE}.",
        )
    return int(word[:12])
