"""Splits drawn by a seed: exact shares, in every stratum, equal pictures together, the same again."""

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.exporters.splitting import SplitDraw

_PICTURES = st.dictionaries(st.integers(0, 10**6), st.sampled_from("abc"), min_size=2, max_size=80)


def _sha(number: int) -> str:
    return f"{number:016x}" + "0" * 48


def _draw(pictures: dict[int, str], share: float, seed: int) -> dict[int, str]:
    draw = SplitDraw(seed)
    for number, stratum in pictures.items():
        draw.add(_sha(number), stratum)
    split = draw.split(share)
    return {number: split.side(_sha(number)) for number in pictures}


@given(_PICTURES, st.floats(0.01, 0.99), st.integers(0, 99))
def test_shares_are_met_in_all_and_in_every_stratum(pictures: dict[int, str], share: float, seed: int) -> None:
    sides = _draw(pictures, share, seed)
    training = min(max(round(len(pictures) * share), 1), len(pictures) - 1)
    assert sum(side == "train" for side in sides.values()) == training
    for stratum in set(pictures.values()):
        members = [number for number, of in pictures.items() if of == stratum]
        wanted = len(members) * training / len(pictures)
        assert abs(sum(sides[number] == "train" for number in members) - wanted) <= 1
    assert _draw(dict(reversed(pictures.items())), share, seed) == sides


def test_another_seed_draws_otherwise() -> None:
    pictures = dict.fromkeys(range(100), "a")
    assert _draw(pictures, 0.5, 1) != _draw(pictures, 0.5, 2)


def test_equal_pictures_stand_together_whatever_their_labels() -> None:
    draw = SplitDraw(0)
    for number in range(10):
        draw.add(_sha(number), "a")
        draw.add(_sha(number), "b")
    split = draw.split(0.5)
    assert sum(split.side(_sha(number)) == "val" for number in range(10)) == 5
