"""How many of all pairs are defective, judged from those that were drawn and reviewed."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vqa_tui.domain.review import Stratum

Z95 = 1.959964
"""Half the width of a 95 % interval, in standard errors."""
DEFAULT_TARGET = 0.02


@dataclass(frozen=True, slots=True)
class DefectRate:
    """An estimate about all pairs of a run; shares are between 0 and 1, the interval has 95 % confidence."""

    counted: int
    """Verdicts it rests on: accepted, edited and rejected ones of pairs that were drawn."""
    rate: float
    """Share of pairs that were rejected or needed mending."""
    needed_mending: float
    """The part of `rate` that could be mended by an edit."""
    low: float
    high: float
    target: float
    """Half-width at which the estimate is good enough."""
    more: int
    """Further verdicts that it takes to reach the target, about; 0 when it is reached."""

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def enough(self) -> bool:
        return self.more == 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one stratum."""

    stratum: Stratum
    n: int
    mended: int
    defective: int


def defect_rate(strata: Sequence[Stratum], target: float = DEFAULT_TARGET) -> DefectRate | None:
    """Estimate the share of defective pairs; None when nothing that was drawn has been judged.

    Stratified estimator (Cochran, Sampling Techniques, 3rd ed., 5.1 and 5.3): p = sum W_h p_h with W_h = N_h / N, and
    variance p (1 - p) sum W_h^2 (1 - n_h / N_h) / n_h. The pooled p stands for each p_h in the variance: strata of
    which one pair was seen have no variance of their own, and under proportional allocation this is never less than
    the sum of the strata's own, since p (1 - p) is concave. The inverse of the sum is an effective sample size (Kish),
    to which the Wilson interval is applied, as that stays honest for few verdicts and for rates near 0 (Korn and
    Graubard 1998; Franco et al. 2019). With one stratum this is Wilson's interval with the finite population
    correction.

    A stratum that is reviewed to the last pair is known whichever way its pairs were picked. The weight of a stratum
    of which nothing was seen goes to those of the same type and flag, else of the same flag, else to all; N_h of these
    is then all that they stand for, so that a stratum seen in full is certain for itself alone.
    """
    seen = [found for stratum in strata if (found := _seen(stratum)).n]
    if not seen:
        return None
    weights = _weights(strata, seen)
    counted = sum(each.n for each in seen)
    rate = sum(weights[each.stratum.id] * each.defective / each.n for each in seen)
    mending = sum(weights[each.stratum.id] * each.mended / each.n for each in seen)
    population = sum(stratum.size for stratum in strata)
    stands_for = {each.stratum.id: weights[each.stratum.id] * population for each in seen}
    spread = sum(
        weights[each.stratum.id] ** 2 * max(1 - each.n / stands_for[each.stratum.id], 0.0) / each.n for each in seen
    )
    rate = min(max(rate, 0.0), 1.0)
    low, high = wilson(rate, 1 / spread) if spread > 1e-12 else (rate, rate)
    spread_of_many = sum(weights[each.stratum.id] ** 2 / each.n for each in seen)
    undecided = sum(stratum.unsure for stratum in strata)
    more = 0
    if (high - low) / 2 > target:
        # What one verdict is worth beside one of a simple sample stays about as it is (the design effect).
        needed = _needed(rate, target) * spread_of_many * counted
        within = needed / (1 + needed / population)
        more = min(max(math.ceil(within) - counted, 1), max(population - counted - undecided, 1))
    return DefectRate(counted, rate, mending, low, high, target, more)


def wilson(rate: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of Wilson (1927) for a share `rate` seen in a sample of effective size `n`."""
    z2 = Z95 * Z95
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _needed(rate: float, target: float) -> float:
    """Return the effective size at which Wilson's interval is `target` to each side."""
    low, high = 1.0, 2.0
    while _half(rate, high) > target and high < 1e9:
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _half(rate, middle) > target else (low, middle)
    return high


def _half(rate: float, n: float) -> float:
    low, high = wilson(rate, n)
    return (high - low) / 2


def _seen(stratum: Stratum) -> _Seen:
    if stratum.reviewed >= stratum.size:
        accepted, mended, rejected = stratum.accepted, stratum.edited, stratum.rejected
    else:
        accepted, mended, rejected = stratum.drawn_accepted, stratum.drawn_edited, stratum.drawn_rejected
    return _Seen(stratum, accepted + mended + rejected, mended, mended + rejected)


def _weights(strata: Iterable[Stratum], seen: Sequence[_Seen]) -> dict[int, float]:
    """Return the share of the whole run that each seen stratum stands for, by id; together 1."""
    standing = {each.stratum.id: float(each.stratum.size) for each in seen}
    by_type = Counter[tuple[str, bool]]()
    by_flag = Counter[bool]()
    for each in seen:
        by_type[each.stratum.question_type, each.stratum.flagged] += each.stratum.size
        by_flag[each.stratum.flagged] += each.stratum.size
    orphans_by_type, orphans_by_flag, orphans = Counter[tuple[str, bool]](), Counter[bool](), 0
    for stratum in strata:
        if stratum.id in standing:
            continue
        if by_type[stratum.question_type, stratum.flagged]:
            orphans_by_type[stratum.question_type, stratum.flagged] += stratum.size
        elif by_flag[stratum.flagged]:
            orphans_by_flag[stratum.flagged] += stratum.size
        else:
            orphans += stratum.size
    total = sum(standing.values())
    for each in seen:
        stratum, size = each.stratum, each.stratum.size
        kind = (stratum.question_type, stratum.flagged)
        standing[stratum.id] += size * (
            orphans_by_type[kind] / by_type[kind]
            + orphans_by_flag[stratum.flagged] / by_flag[stratum.flagged]
            + orphans / total
        )
    whole = sum(standing.values())
    return {stratum_id: size / whole for stratum_id, size in standing.items()}
