"""In which order pairs are drawn for review: by chance within a stratum, strata in turn by their size."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from vqa_tui.domain.review import Stratum

SEED = 20_260_101
"""Fixed, so that every session goes on where the last one ended."""

DRAWS = 2**62
"""Draw numbers are below this."""

LEAST_EACH = 2
"""Pairs that come early of every stratum, however small it is."""

SPACING = 5
"""One pair in so many, at most, is drawn for the sake of a small stratum: each of them costs precision."""


def draw_number(sample_id: int) -> int:
    """Return the place of a pair among those of its stratum: by chance, and the same for ever; below 2**62."""
    digest = blake2b(b"%d:%d" % (SEED, sample_id), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def start_of(reviewer: str) -> int:
    """Return the draw number at which a reviewer begins in every stratum, and goes round: their own, for ever.

    Draw numbers are by chance, so the pairs after any place that was fixed without looking are as good a sample of the
    stratum as the first ones, and so are those of several reviewers together: the estimate of defects holds.
    """
    digest = blake2b(f"{SEED}:{reviewer}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def from_start(draw: int, start: int) -> int:
    """Return how far a draw number is from where a reviewer starts, going round."""
    return (draw - start) % DRAWS


def next_strata(strata: Sequence[Stratum], count: int, start: int = 0) -> Counter[int]:
    """Return from which strata, by id, the next `count` pairs are drawn by whoever starts at `start`, in order."""
    return Counter(stratum_id for _due, stratum_id in _turns(strata, count, start))


def in_turn(strata: Sequence[Stratum], ids_of: dict[int, list[int]], count: int, start: int = 0) -> list[int]:
    """Return the next `count` pairs; `ids_of` holds pairs without a verdict of each stratum, as they are drawn."""
    waiting = {stratum_id: iter(ids) for stratum_id, ids in ids_of.items()}
    turns = _turns(strata, count, start)
    found = (next(waiting[stratum_id], None) for _due, stratum_id in turns if stratum_id in waiting)
    return [sample_id for sample_id in found if sample_id is not None]


def _turns(strata: Iterable[Stratum], count: int, start: int) -> list[tuple[float, int]]:
    """Return the next `count` turns as (when it is due, stratum).

    The r-th pair of N_h of a stratum is due at (r - 1/2) N / N_h, which keeps shares as they are in the run; but the
    first LEAST_EACH of each come while at most one pair in SPACING is drawn out of turn, other small strata first for
    another `start`.
    """
    open_strata = [stratum for stratum in strata if stratum.size > stratum.reviewed]
    total = sum(stratum.size for stratum in strata)
    by_id = {stratum.id: stratum for stratum in open_strata}
    spacing = SPACING * max(len(by_id), 1)

    def due(stratum: Stratum, rank: int) -> float:
        fair = (rank - 0.5) * total / stratum.size
        if rank > LEAST_EACH:
            return fair
        return min(fair, spacing * (rank - draw_number(stratum.id + start) / DRAWS))

    # Strata of one size are due together: another reviewer takes them in another order.
    heap = [
        (due(each, each.reviewed + 1), draw_number(each.id + start), each.id, each.reviewed + 1) for each in open_strata
    ]
    heapq.heapify(heap)
    turns: list[tuple[float, int]] = []
    while heap and len(turns) < count:
        when, far, stratum_id, rank = heapq.heappop(heap)
        turns.append((when, stratum_id))
        stratum = by_id[stratum_id]
        if rank < stratum.size:
            heapq.heappush(heap, (due(stratum, rank + 1), far, stratum_id, rank + 1))
    return turns
