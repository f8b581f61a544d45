"""Splits drawn by a seed: exact shares, in every stratum, equal pictures together, the same again."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.split_shares import SIDES, are_shares, ends_of_sides, read_shares
from vqa_tui.exporters.splitting import SplitByHash, SplitDraw, StandIns

_PICTURES = st.dictionaries(st.integers(0, 10**6), st.sampled_from("abc"), min_size=3, max_size=80)


def _sha(number: int) -> str:
    return f"{number:016x}" + "0" * 48


_SHARES = st.lists(st.floats(0.01, 1), min_size=2, max_size=3).map(lambda parts: tuple(x / sum(parts) for x in parts))


def _draw(pictures: dict[int, str], shares: Sequence[float], seed: int) -> dict[int, str]:
    draw = SplitDraw(seed)
    for number, stratum in pictures.items():
        draw.add(_sha(number), stratum)
    split = draw.split(shares)
    assert split.sides == SIDES[: len(shares)]
    return {number: split.side(_sha(number)) for number in pictures}


@given(_PICTURES, _SHARES, st.integers(0, 99))
def test_shares_are_met_in_all_and_in_every_stratum(
    pictures: dict[int, str], shares: tuple[float, ...], seed: int
) -> None:
    sides = _draw(pictures, shares, seed)
    ends = (0, *ends_of_sides(len(pictures), shares), len(pictures))
    counts = [last - before for before, last in itertools.pairwise(ends)]
    largest = SIDES[counts.index(max(counts))]
    for side, (before, last) in zip(SIDES, itertools.pairwise(ends), strict=False):
        assert sum(each == side for each in sides.values()) == last - before > 0
        for stratum in set(pictures.values()):
            members = [number for number, of in pictures.items() if of == stratum]
            wanted = len(members) * (last - before) / len(pictures)
            missed = abs(sum(sides[number] == side for number in members) - wanted)
            assert missed < 2
            assert missed <= 1 or (len(shares) == 3 and side != largest)
    assert _draw(dict(reversed(pictures.items())), shares, seed) == sides


@given(st.integers(3, 500), _SHARES)
def test_ends_meet_the_shares_with_one_on_each_side(total: int, shares: tuple[float, ...]) -> None:
    ends = (0, *ends_of_sides(total, shares), total)
    assert all(last > before for before, last in itertools.pairwise(ends))
    if total * min(shares) >= 1:
        assert all(abs(end - total * sum(shares[:number])) <= 0.5001 for number, end in enumerate(ends))


@given(st.sets(st.integers(0, 2**64 - 1), min_size=3, max_size=60), _SHARES)
def test_hashes_divide_pictures_in_order(shorts: set[int], shares: tuple[float, ...]) -> None:
    every = StandIns()
    for each in shorts:
        every.add(f"{each:016x}")
    split = SplitByHash(*every.last_hashes(shares))
    found = [SIDES.index(split.side(f"{each:016x}")) for each in sorted(shorts)]
    assert found == sorted(found)
    ends = (0, *ends_of_sides(len(shorts), shares), len(shorts))
    assert [found.count(number) for number in range(len(shares))] == [b - a for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.6), (0.5, 0.5, 0.0), (0.25,) * 4, (float("nan"), 0.5), (1.5, -0.5)])
def test_what_is_no_split_is_none(shares: tuple[float, ...]) -> None:
    assert not are_shares(shares)
    assert are_shares((0.7, 0.15, 0.15)) and are_shares((0.9, 0.1))


@pytest.mark.parametrize(
    ("typed", "shares"),
    [("0.9/0.1", (0.9, 0.1)), (" 0.75 / 0.25 ", (0.75, 0.25)), ("0.5/0.3/0.2", (0.5, 0.3, 0.2))],
)
def test_typed_shares_are_read(typed: str, shares: tuple[float, ...]) -> None:
    assert read_shares(typed) == shares


@pytest.mark.parametrize("typed", ["", "0.9", "0.9/0.2", "1/0", "a/b", "0.5/0.3/0.1", "0.4/0.2/0.2/0.2", "nan/nan"])
def test_typed_shares_that_make_no_whole_are_refused(typed: str) -> None:
    with pytest.raises(VqaError, match="is not a split"):
        read_shares(typed)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.4, 0.3, 0.3)])
def test_of_fewer_pictures_than_sides_the_later_ones_get_none(shares: tuple[float, ...]) -> None:
    for count in range(len(shares)):
        pictures = dict.fromkeys(range(count), "a")
        assert sorted(_draw(pictures, shares, 0).values()) == sorted(SIDES[:count])
        every = StandIns()
        for number in pictures:
            every.add(_sha(number)[:16])
        split = SplitByHash(*every.last_hashes(shares))
        assert [split.side(_sha(number)[:16]) for number in pictures] == list(SIDES[:count])


def test_another_seed_draws_otherwise() -> None:
    pictures = dict.fromkeys(range(100), "a")
    assert _draw(pictures, (0.5, 0.5), 1) != _draw(pictures, (0.5, 0.5), 2)


def test_equal_pictures_stand_together_whatever_their_labels() -> None:
    draw = SplitDraw(0)
    for number in range(10):
        draw.add(_sha(number), "a")
        draw.add(_sha(number), "b")
    split = draw.split((0.5, 0.5))
    assert sum(split.side(_sha(number)) == "val" for number in range(10)) == 5
