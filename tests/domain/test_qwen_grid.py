"""The image grid of Qwen against sizes that the vendor's own code gives, and a rule of thumb for text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.qwen_grid import FAMILIES, grid_tokens
from vqa_tui.domain.text_tokens import estimated_tokens


def _tokens(family: str, width: int, height: int, **bounds: int) -> int:
    known = FAMILIES[family]
    pixels = {"min_pixels": known.min_pixels, "max_pixels": known.max_pixels, **bounds}
    return grid_tokens(width, height, factor=known.factor, **pixels)


@pytest.mark.parametrize(
    ("family", "width", "height", "bounds", "tokens"),
    [
        ("qwen2.5-vl", 640, 480, {}, 391),
        ("qwen2-vl", 640, 480, {}, 391),
        ("qwen3-vl", 640, 480, {}, 300),
        ("qwen2.5-vl", 1, 1, {}, 4),
        ("qwen2.5-vl", 42, 14, {"min_pixels": 28 * 28}, 2),
        ("qwen2.5-vl", 1024, 768, {"max_pixels": 28 * 28 * 576}, 27 * 20),
        # The trainers' floats lose a row and a column of 128 here, and so must these.
        ("qwen2.5-vl", 20_000, 20_000, {}, 127 * 127),
    ],
)
def test_known_sizes(family: str, width: int, height: int, bounds: dict[str, int], tokens: int) -> None:
    assert _tokens(family, width, height, **bounds) == tokens


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from(sorted(FAMILIES)))
def test_bounds_hold(width: int, height: int, family: str) -> None:
    if max(width, height) > 200 * min(width, height):
        with pytest.raises(ValueError, match="200 times"):
            _tokens(family, width, height)
        return
    assert 4 <= _tokens(family, width, height) <= 16_384


def test_estimated_text() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde", "漢字", "née")] == [0, 1, 1, 2, 2, 2]
