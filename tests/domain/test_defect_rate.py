"""The defect rate of a run from the pairs that were drawn: weights, interval, and how many more it takes."""

import random
from dataclasses import replace

import pytest

from vqa_tui.domain.defect_rate import defect_rate, wilson
from vqa_tui.domain.review import Stratum


def drawn(stratum_id: int, size: int, good: int, bad: int, *, flagged: bool = False, kind: str = "t") -> Stratum:
    """A stratum of which `good + bad` pairs were drawn and judged."""
    return Stratum(
        stratum_id, kind, "c", flagged, size, accepted=good, rejected=bad, drawn_accepted=good, drawn_rejected=bad
    )


@pytest.mark.parametrize(
    ("seen", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (1, 100, 0.0018, 0.0545)]
)
def test_wilson_is_as_in_the_tables(seen: int, n: int, low: float, high: float) -> None:
    assert wilson(seen / n, n) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_estimated_from_nothing() -> None:
    assert defect_rate([]) is None
    assert defect_rate([Stratum(1, "t", "c", False, 100)]) is None
    assert defect_rate([Stratum(1, "t", "c", False, 100, unsure=9)]) is None


def test_a_large_simple_sample_is_wilsons_interval() -> None:
    found = defect_rate([drawn(1, 10**9, 194, 6)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson(0.03, 200), abs=1e-6)
    assert (found.counted, found.rate) == (200, 0.03)


def test_a_small_run_needs_fewer_and_a_reviewed_one_is_known() -> None:
    large, small = defect_rate([drawn(1, 10**6, 97, 3)]), defect_rate([drawn(1, 150, 97, 3)])
    assert large is not None and small is not None
    assert small.half_width < large.half_width
    assert small.more < large.more
    whole = defect_rate([drawn(1, 100, 97, 3)])
    assert whole is not None
    assert (whole.low, whole.rate, whole.high, whole.enough) == (0.03, 0.03, 0.03, True)


def test_small_strata_that_were_seen_in_full_say_nothing_certain_of_those_that_nobody_saw() -> None:
    found = defect_rate([drawn(1, 1, 1, 0), drawn(2, 1, 0, 1), *(Stratum(n, "t", "c", False, 1) for n in range(3, 40))])
    assert found is not None
    assert found.rate == pytest.approx(0.5) and found.half_width > 0.3 and not found.enough


def test_strata_weigh_by_their_size_however_many_were_drawn_of_each() -> None:
    found = defect_rate([drawn(1, 900, 30, 0), drawn(2, 100, 0, 30, flagged=True)])
    assert found is not None
    assert found.rate == pytest.approx(0.1)


def test_an_edited_pair_was_a_defect_and_is_named_apart() -> None:
    mended = Stratum(1, "t", "c", False, 1_000, 7, 2, 1, 0, 7, 2, 1)
    found = defect_rate([mended])
    assert found is not None
    assert (found.rate, found.needed_mending) == pytest.approx((0.3, 0.2))


def test_pairs_picked_by_hand_count_only_where_a_stratum_is_reviewed_to_the_last() -> None:
    by_hand = Stratum(2, "t", "c", True, 20, accepted=0, rejected=10)
    found = defect_rate([drawn(1, 100, 10, 0), by_hand])
    assert found is not None and (found.counted, found.rate) == (10, 0.0)
    whole = replace(by_hand, rejected=20)
    found = defect_rate([drawn(1, 100, 10, 0), whole])
    assert found is not None and found.counted == 30
    assert found.rate == pytest.approx(20 / 120)


def test_the_weight_of_an_unseen_stratum_goes_to_its_like() -> None:
    seen = [drawn(1, 100, 10, 0, kind="a"), drawn(2, 100, 0, 10, kind="b")]
    like_b = Stratum(3, "b", "other", False, 200)
    found = defect_rate([*seen, like_b])
    assert found is not None and found.rate == pytest.approx(0.75)
    like_none = Stratum(3, "z", "other", True, 200)
    found = defect_rate([*seen, like_none])
    assert found is not None and found.rate == pytest.approx(0.5)


def test_as_many_more_as_it_says_reach_the_target() -> None:
    now = defect_rate([drawn(1, 10_000, 58, 2), drawn(2, 2_000, 18, 2, kind="b")], 0.02)
    assert now is not None and not now.enough
    share = (now.counted + now.more) / now.counted
    scaled = [drawn(1, 10_000, round(58 * share), round(2 * share)),
              drawn(2, 2_000, round(18 * share), round(2 * share), kind="b")]  # fmt: skip
    then = defect_rate(scaled, 0.02)
    assert then is not None
    assert then.half_width == pytest.approx(0.02, rel=0.05)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    chance = random.Random(7)
    sizes, rates = (1_500, 400, 100), (0.02, 0.08, 0.4)
    population = [[chance.random() < rate for _ in range(size)] for size, rate in zip(sizes, rates, strict=True)]
    truth = sum(map(sum, population)) / sum(sizes)
    held = 0
    for _ in range(400):
        strata = []
        for number, (pairs, n) in enumerate(zip(population, (110, 40, 20), strict=True)):
            bad = sum(chance.sample(pairs, n))
            strata.append(drawn(number, len(pairs), n - bad, bad, kind=str(number)))
        found = defect_rate(strata)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.94 <= held / 400 <= 1.0
