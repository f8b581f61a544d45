"""The drawn order: the same for ever, by shares, and soon something of everything."""

from collections import Counter
from dataclasses import replace
from functools import partial

from vqa_tui.domain.defect_rate import defect_rate
from vqa_tui.domain.review import Stratum
from vqa_tui.domain.review_order import DRAWS, SPACING, draw_number, from_start, in_turn, next_strata, start_of

STRATA = [
    Stratum(1, "count", "Knife", False, 9_000),
    Stratum(2, "count", "Gun", False, 900),
    Stratum(3, "count", "Gun", True, 90),
    Stratum(4, "place", "Gun", True, 9),
    Stratum(5, "place", "Wrench", True, 1),
]


def test_draw_numbers_are_spread_and_stay() -> None:
    numbers = [draw_number(sample_id) for sample_id in range(1, 2_001)]
    assert draw_number(1) == numbers[0] == 4_341_121_828_157_351_808
    assert len(set(numbers)) == 2_000 and max(numbers) < 2**62
    assert 0.45 < sum(number < 2**61 for number in numbers) / 2_000 < 0.55


def test_shares_are_as_in_the_run_and_every_stratum_comes_soon() -> None:
    turns = next_strata(STRATA, 500)
    assert sum(turns.values()) == 500
    assert set(turns) == {1, 2, 3, 4, 5}
    assert abs(turns[1] / 500 - 0.9) < 0.03 and abs(turns[2] / 500 - 0.09) < 0.03
    early = next_strata(STRATA, 2 * SPACING * len(STRATA))
    assert all(early[stratum.id] >= 1 for stratum in STRATA)


def test_a_session_goes_on_where_the_last_one_ended() -> None:
    ids_of = {stratum.id: [stratum.id * 100_000 + n for n in range(min(stratum.size, 300))] for stratum in STRATA}
    whole = in_turn(STRATA, ids_of, 200)
    done = Counter(sample_id // 100_000 for sample_id in whole[:80])
    later = [replace(stratum, accepted=done[stratum.id]) for stratum in STRATA]
    rest = {key: [each for each in ids if each not in whole[:80]] for key, ids in ids_of.items()}
    assert in_turn(later, rest, 120) == whole[80:]


def test_a_finished_stratum_is_never_drawn() -> None:
    finished = [replace(stratum, rejected=stratum.size) for stratum in STRATA]
    assert not next_strata(finished, 10)
    assert in_turn(finished, {}, 10) == []


def test_everybody_starts_elsewhere_and_at_the_same_place_for_ever() -> None:
    starts = [start_of(name) for name in ("ann", "bob", "ä\ud800", "")]
    assert starts[0] == start_of("ann") and len(set(starts)) == 4 and all(0 <= each < DRAWS for each in starts)
    assert from_start(5, 5) == 0 and from_start(4, 5) == DRAWS - 1


def _far(start: int, pair: tuple[int, bool]) -> int:
    return from_start(pair[0], start)


def test_what_two_reviewers_draw_is_as_good_a_sample_as_what_one_does() -> None:
    """Of one stratum each goes round from a place of their own; over many pairs of names the estimate is the truth."""
    pairs = [(draw_number(sample_id), sample_id % 10 == 0) for sample_id in range(1, 2_001)]
    estimates, apart = [], 0
    for number in range(150):
        drawn = [sorted(pairs, key=partial(_far, start_of(name)))[:50] for name in (f"ann-{number}", f"bob-{number}")]
        both = set(drawn[0]) | set(drawn[1])
        apart += len(both) == 100
        bad = sum(defective for _draw, defective in both)
        good = len(both) - bad
        found = defect_rate([Stratum(1, "t", "c", False, 2_000, good, 0, bad, 0, good, 0, bad)])
        assert found is not None
        estimates.append((found.rate, found.low <= 0.1 <= found.high))
    assert abs(sum(rate for rate, _within in estimates) / 150 - 0.1) < 0.01
    assert sum(within for _rate, within in estimates) >= 0.9 * 150
    assert apart > 0.9 * 150


def test_small_strata_come_in_another_order_for_another_start() -> None:
    small = [Stratum(number, "t", str(number), False, 1) for number in range(1, 21)]
    ids_of = {each.id: [each.id] for each in small}
    firsts = {in_turn(small, ids_of, 1, start_of(who))[0] for who in ("ann", "bob", "cat", "dan", "eve", "fay")}
    assert len(firsts) > 3
