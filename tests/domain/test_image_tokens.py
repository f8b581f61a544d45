"""Tokens of a picture: the vendors' own worked examples, and what must hold for any size."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.endpoint import ImageTokenRule
from vqa_tui.domain.image_tokens import picture_tokens

GEMINI = ImageTokenRule(rule="gemini_tiles")
GPT_4O = ImageTokenRule(rule="openai_tiles", base=85, tile=170)
GPT_4O_MINI = ImageTokenRule(rule="openai_tiles", base=2833, tile=5667)
BY_AREA = ImageTokenRule(rule="pixels", pixels_per_token=750)
sides = st.integers(min_value=1, max_value=20_000)


@pytest.mark.parametrize(
    ("rule", "width", "height", "tokens"),
    [
        (GEMINI, 384, 384, 258),
        (GEMINI, 960, 540, 1548),
        (GEMINI, 640, 480, 1032),
        (GEMINI, 3072, 3072, 4128),
        (GEMINI, 6144, 6144, 4128),
        (GEMINI, 385, 100, 516),
        (GPT_4O, 1024, 1024, 765),
        (GPT_4O, 2048, 4096, 1105),
        (GPT_4O, 512, 512, 255),
        (GPT_4O_MINI, 512, 512, 8500),
        (GPT_4O_MINI, 1024, 1024, 25501),
        (BY_AREA, 1000, 1000, 1334),
        (BY_AREA, 1, 1, 1),
        (ImageTokenRule(rule="fixed", tokens=1120), 4000, 3000, 1120),
    ],
)
def test_vendor_examples(rule: ImageTokenRule, width: int, height: int, tokens: int) -> None:
    assert picture_tokens(rule, width, height) == tokens


@given(sides, sides, st.sampled_from([GEMINI, GPT_4O, BY_AREA]))
def test_turning_a_picture_changes_nothing(width: int, height: int, rule: ImageTokenRule) -> None:
    assert picture_tokens(rule, width, height) == picture_tokens(rule, height, width) > 0


@given(sides, sides)
def test_openai_never_sees_more_than_eight_tiles(width: int, height: int) -> None:
    # 2048 × 768 is the largest that both downscalings leave.
    assert picture_tokens(GPT_4O, width, height) <= 85 + 8 * 170


@pytest.mark.parametrize("rule", ["fixed", "gemini_tiles", "openai_tiles", "pixels"])
def test_a_picture_without_area_is_refused(rule: Literal["fixed", "gemini_tiles", "openai_tiles", "pixels"]) -> None:
    with pytest.raises(ValueError, match="0 × 10"):
        picture_tokens(ImageTokenRule(rule=rule), 0, 10)
