"""In which order pairs are drawn for review: by chance within a stratum, strata in turn by their size."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from vqa_tui.domain.review import Stratum

SEED = 20_260_101
"""Fixed, so that every session goes on where the last one ended."""

LEAST_EACH = 2
"""Pairs that come early of every stratum, however small it is."""

SPACING = 5
"""One pair in so many, at most, is drawn for the sake of a small stratum: each of them costs precision."""


def draw_number(sample_id: int) -> int:
    """Return the place of a pair among those of its stratum: by chance, and the same for ever; below 2**62."""
    digest = blake2b(b"%d:%d" % (SEED, sample_id), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def next_strata(strata: Sequence[Stratum], count: int) -> Counter[int]:
    """Return from which strata, by id, the next `count` pairs are drawn, in order of drawing."""
    return Counter(stratum_id for _due, stratum_id in _turns(strata, count))


def in_turn(strata: Sequence[Stratum], ids_of: dict[int, list[int]], count: int) -> list[int]:
    """Return the next `count` pairs; `ids_of` holds pairs without a verdict of each stratum, as they are drawn."""
    waiting = {stratum_id: iter(ids) for stratum_id, ids in ids_of.items()}
    found = (next(waiting[stratum_id], None) for _due, stratum_id in _turns(strata, count) if stratum_id in waiting)
    return [sample_id for sample_id in found if sample_id is not None]


def _turns(strata: Iterable[Stratum], count: int) -> list[tuple[float, int]]:
    """Return the next `count` turns as (when it is due, stratum).

    The r-th pair of N_h of a stratum is due at (r - 1/2) N / N_h, which keeps shares as they are in the run; but the
    first LEAST_EACH of each come while at most one pair in SPACING is drawn out of turn.
    """
    open_strata = [stratum for stratum in strata if stratum.size > stratum.reviewed]
    total = sum(stratum.size for stratum in strata)
    by_id = {stratum.id: stratum for stratum in open_strata}
    spacing = SPACING * max(len(by_id), 1)

    def due(stratum: Stratum, rank: int) -> float:
        fair = (rank - 0.5) * total / stratum.size
        if rank > LEAST_EACH:
            return fair
        return min(fair, spacing * (rank - draw_number(stratum.id) / 2**62))

    heap = [(due(stratum, stratum.reviewed + 1), stratum.id, stratum.reviewed + 1) for stratum in open_strata]
    heapq.heapify(heap)
    turns: list[tuple[float, int]] = []
    while heap and len(turns) < count:
        when, stratum_id, rank = heapq.heappop(heap)
        turns.append((when, stratum_id))
        stratum = by_id[stratum_id]
        if rank < stratum.size:
            heapq.heappush(heap, (due(stratum, rank + 1), stratum_id, rank + 1))
    return turns
