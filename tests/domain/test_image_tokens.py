"""Tokens of a picture: the vendors' own worked examples, and what must hold for any size."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vqa_tui.config.image_token_rule import ImageTokenRule
from vqa_tui.domain.image_tokens import MEDIA_RESOLUTION_TOKENS, USED_BY_RULE, RuleName, picture_tokens


def rule(name: RuleName, **numbers: Any) -> ImageTokenRule:
    return ImageTokenRule.model_validate({"rule": name, **numbers})


GEMINI = rule("gemini_tiles")
GPT_4O = rule("openai_tiles", base=85, tile=170)
GPT_4O_MINI = rule("openai_tiles", base=2833, tile=5667)
O1 = rule("openai_tiles", base=75, tile=150)
GPT_5 = rule("openai_tiles", base=70, tile=140)
PATCHES = rule("openai_patches")
GPT_5_MINI = rule("openai_patches", multiplier="1.62")
GPT_54_ORIGINAL = rule("openai_patches", patches=10_000, long_side=6000)
CLAUDE = rule("claude")
CLAUDE_47 = rule("claude", long_side=2576, max_tokens=4784)
QWEN_25 = rule("qwen", extra=0)
QWEN_3 = rule("qwen", factor=32, extra=0)
BY_AREA = rule("pixels", pixels_per_token=750)
ALL = [GEMINI, GPT_4O, GPT_5_MINI, GPT_54_ORIGINAL, CLAUDE, CLAUDE_47, QWEN_25, QWEN_3, BY_AREA]
sides = st.integers(min_value=1, max_value=20_000)
rules = st.sampled_from(ALL)


@pytest.mark.parametrize(
    ("rule", "width", "height", "tokens"),
    [
        (GEMINI, 384, 384, 258),
        (GEMINI, 960, 540, 1548),
        (GEMINI, 640, 480, 1032),
        (GEMINI, 3072, 3072, 4128),
        (GEMINI, 6144, 6144, 4128),
        (GEMINI, 385, 100, 516),
        (rule("gemini_media_resolution"), 10, 10, 1120),
        (rule("gemini_media_resolution", media_resolution="low"), 4000, 3000, 280),
        (rule("gemini_media_resolution", media_resolution="medium"), 4000, 3000, 560),
        (rule("gemini_media_resolution", media_resolution="ultra_high"), 4000, 3000, 2240),
        (GPT_4O, 1024, 1024, 765),
        (GPT_4O, 2048, 4096, 1105),
        (GPT_4O, 512, 512, 255),
        (rule("openai_tiles", detail="low"), 4096, 8192, 85),
        (GPT_4O_MINI, 512, 512, 8500),
        (GPT_4O_MINI, 1024, 1024, 25501),
        (rule("openai_tiles", base=2833, tile=5667, detail="low"), 1024, 1024, 2833),
        (O1, 1024, 1024, 75 + 4 * 150),
        (GPT_5, 1024, 1024, 70 + 4 * 140),
        (PATCHES, 1024, 1024, 1024),
        (PATCHES, 1800, 2400, 1452),
        (GPT_5_MINI, 1800, 2400, 2353),
        (GPT_54_ORIGINAL, 1800, 2400, 57 * 75),
        (CLAUDE, 200, 200, 64),
        (CLAUDE, 1000, 1000, 1296),
        # 1920 × 1080 and 3840 × 2160 in the earlier tier are sent as 1456 × 819, 1075 × 1520 as 924 × 1307.
        (CLAUDE, 1920, 1080, 1560),
        (CLAUDE, 3840, 2160, 1560),
        (CLAUDE, 1075, 1520, 33 * 47),
        (CLAUDE_47, 1920, 1080, 2691),
        (CLAUDE_47, 3840, 2160, 4784),
        (QWEN_25, 640, 480, 391),
        (QWEN_3, 640, 480, 300),
        (rule("qwen"), 640, 480, 393),
        (QWEN_25, 10, 10, 4),
        (QWEN_25, 28_000, 28_000, 16_384),
        (rule("qwen", factor=32, max_tokens=256, extra=0), 1000, 1000, 256),
        (BY_AREA, 1000, 1000, 1334),
        (BY_AREA, 1, 1, 1),
        (rule("fixed", tokens=1120), 4000, 3000, 1120),
    ],
)
def test_vendor_examples(rule: ImageTokenRule, width: int, height: int, tokens: int) -> None:
    assert picture_tokens(rule, width, height) == tokens


@given(sides, sides, rules)
def test_turning_a_picture_changes_nothing(width: int, height: int, rule: ImageTokenRule) -> None:
    assert picture_tokens(rule, width, height) == picture_tokens(rule, height, width) > 0


@given(sides, sides)
def test_no_vendor_counts_more_than_it_says(width: int, height: int) -> None:
    # 2048 × 768 is the largest that OpenAI's two downscalings leave.
    assert picture_tokens(GPT_4O, width, height) <= 85 + 8 * 170
    assert picture_tokens(PATCHES, width, height) <= 1536
    assert picture_tokens(GPT_54_ORIGINAL, width, height) <= 10_000
    assert picture_tokens(CLAUDE, width, height) <= 1568
    assert picture_tokens(CLAUDE_47, width, height) <= 4784
    assert 4 <= picture_tokens(QWEN_25, width, height) <= 16_384
    assert picture_tokens(GEMINI, width, height) <= 258 * 12 * 12


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([CLAUDE, CLAUDE_47, GPT_4O, BY_AREA]))
def test_twice_the_size_is_never_fewer_tokens_by_more_than_a_rounding(
    width: int, height: int, rule: ImageTokenRule
) -> None:
    small, large = picture_tokens(rule, width, height), picture_tokens(rule, 2 * width, 2 * height)
    # A size that is shrunk to fit may lose a row and a column of patches to rounding.
    assert large >= small - 2 * 93


@given(sides, sides)
def test_claude_takes_a_picture_that_fits_as_it_is(width: int, height: int) -> None:
    across, down = -(-width // 28), -(-height // 28)
    if max(across, down) * 28 <= 1568 and across * down <= 1568:
        assert picture_tokens(CLAUDE, width, height) == across * down


@pytest.mark.parametrize("name", get_args(RuleName))
def test_a_picture_without_area_is_refused(name: RuleName) -> None:
    with pytest.raises(ValueError, match="0 × 10"):
        picture_tokens(rule(name), 0, 10)


@pytest.mark.parametrize("name", get_args(RuleName))
def test_every_rule_counts_by_its_defaults_and_says_what_it_uses(name: RuleName) -> None:
    assert picture_tokens(rule(name), 640, 480) >= 1
    assert USED_BY_RULE[name] <= set(ImageTokenRule.model_fields)


def test_every_media_resolution_is_twice_the_one_below() -> None:
    tokens = [MEDIA_RESOLUTION_TOKENS[name] for name in ("low", "medium", "high", "ultra_high")]
    assert [2 * each for each in tokens[:-1]] == tokens[1:]


@pytest.mark.parametrize(
    "numbers",
    [
        {"rule": "gemini"},
        {"patches": 0},
        {"multiplier": 0},
        {"multiplier": "inf"},
        {"long_side": 8},
        {"factor": 0},
        {"min_tokens": 0},
        {"detail": "medium"},
        {"media_resolution": "highest"},
        {"tile_size": 512},
    ],
)
def test_nonsense_is_refused(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImageTokenRule.model_validate(numbers)


def test_numbers_that_a_rule_does_not_use_are_told() -> None:
    assert rule("gemini_tiles", tokens=1120, base=85).meaningless == ["tokens"]
    assert rule("qwen", factor=32, max_tokens=1280).meaningless == []
    frozen = rule("qwen", factor=32).model_dump_json()
    assert ImageTokenRule.model_validate_json(frozen).meaningless == []
