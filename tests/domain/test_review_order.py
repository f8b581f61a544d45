"""The drawn order: the same for ever, by shares, and soon something of everything."""

from collections import Counter
from dataclasses import replace

from vqa_tui.domain.review import Stratum
from vqa_tui.domain.review_order import SPACING, draw_number, in_turn, next_strata

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
