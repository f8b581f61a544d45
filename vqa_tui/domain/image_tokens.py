"""How many tokens a picture costs, by the rules that vendors publish. An estimate: the bill comes from `usage`.

Whole numbers throughout where the rule allows it: a scaled side that a float lifts from 1536 to 1536.0001 would be
counted as a whole tile more.
"""

from decimal import Decimal
from math import ceil, floor, sqrt
from typing import Literal, Protocol

RuleName = Literal[
    "fixed",
    "gemini_tiles",
    "gemini_media_resolution",
    "openai_tiles",
    "openai_patches",
    "claude",
    "qwen",
    "pixels",
]
MediaResolution = Literal["low", "medium", "high", "ultra_high"]
Detail = Literal["low", "high", "original", "auto"]


class TokenRule(Protocol):
    """The numbers of one endpoint; its model in `config.image_token_rule` is one and says what each means."""

    @property
    def rule(self) -> RuleName: ...
    @property
    def tokens(self) -> int: ...
    @property
    def base(self) -> int: ...
    @property
    def tile(self) -> int: ...
    @property
    def detail(self) -> Detail | None: ...
    @property
    def media_resolution(self) -> MediaResolution: ...
    @property
    def patches(self) -> int: ...
    @property
    def multiplier(self) -> Decimal: ...
    @property
    def long_side(self) -> int | None: ...
    @property
    def factor(self) -> int: ...
    @property
    def min_tokens(self) -> int: ...
    @property
    def max_tokens(self) -> int | None: ...
    @property
    def extra(self) -> int: ...
    @property
    def pixels_per_token(self) -> int: ...


USED_BY_RULE: dict[RuleName, frozenset[str]] = {
    "fixed": frozenset({"tokens"}),
    "gemini_tiles": frozenset(),
    "gemini_media_resolution": frozenset({"media_resolution"}),
    "openai_tiles": frozenset({"base", "tile", "detail"}),
    "openai_patches": frozenset({"patches", "multiplier", "long_side", "detail"}),
    "claude": frozenset({"long_side", "max_tokens"}),
    "qwen": frozenset({"factor", "min_tokens", "max_tokens", "extra"}),
    "pixels": frozenset({"pixels_per_token"}),
}
"""The numbers that each rule looks at; the others mean nothing to it."""

OPENAI_PATCH_LONG_SIDE = 2048
CLAUDE_LONG_SIDE = 1568
CLAUDE_MAX_TOKENS = 1568
QWEN_MAX_TOKENS = 16_384
MEDIA_RESOLUTION_TOKENS: dict[MediaResolution, int] = {"low": 280, "medium": 560, "high": 1120, "ultra_high": 2240}
"""Gemini 3 for one picture of any size (ai.google.dev, media resolution)."""

_GEMINI_TILE_TOKENS = 258
_GEMINI_SMALL_SIDE = 384
_GEMINI_LARGEST_SIDE = 3072
_GEMINI_SMALLEST_UNIT, _GEMINI_LARGEST_UNIT = 256, 768

_OPENAI_LARGEST_SIDE = 2048
_OPENAI_SHORT_SIDE = 768
_OPENAI_TILE_SIDE = 512
_OPENAI_PATCH = 32
_CLAUDE_PATCH = 28


def picture_tokens(rule: TokenRule, width: int, height: int) -> int:
    """Return the tokens of a picture of `width` × `height` pixels, as it is sent.

    `fixed`: `tokens`, whatever the size.
    `gemini_tiles` (Gemini up to 2.5, ai.google.dev image understanding): 258 when both sides are at most 384; else
    258 for each tile of floor(short side / 1.5) pixels, held between 256 and 768, after fitting 3072 × 3072.
    `gemini_media_resolution` (Gemini 3): a fixed number for each `media_resolution`.
    `openai_tiles` (OpenAI images and vision guide): `base` for `detail` low; for any other fit 2048 × 2048, then the
    short side down to 768; then `base` plus `tile` for each 512-pixel tile.
    `openai_patches` (same guide): fit `long_side`; one token for each patch of 32 × 32 pixels, shrunk until at most
    `patches` cover it; times `multiplier`, rounded up. `detail` changes nothing here: its numbers are those two.
    `claude` (platform.claude.com, vision): one token for each patch of 28 × 28 pixels of the largest size that keeps
    the shape, whose sides padded to patches are at most `long_side` and whose tokens are at most `max_tokens`.
    `qwen` (qwen-vl-utils, vision_process): sides rounded to multiples of `factor`, between `min_tokens` and
    `max_tokens` squares of it; plus `extra` for the marks around the picture.
    `pixels`: one token for each `pixels_per_token` pixels, rounded up.

    Raises ValueError when a side is below 1.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width} × {height} pixels has no tokens")
    match rule.rule:
        case "fixed":
            return rule.tokens
        case "gemini_tiles":
            return _gemini_tiles(width, height) * _GEMINI_TILE_TOKENS
        case "gemini_media_resolution":
            return MEDIA_RESOLUTION_TOKENS[rule.media_resolution]
        case "openai_tiles":
            return rule.base + (0 if rule.detail == "low" else rule.tile * _openai_tiles(width, height))
        case "openai_patches":
            long_side = rule.long_side or OPENAI_PATCH_LONG_SIDE
            return ceil(_openai_patches(width, height, long_side, rule.patches) * rule.multiplier)
        case "claude":
            return _claude(width, height, rule.long_side or CLAUDE_LONG_SIDE, rule.max_tokens or CLAUDE_MAX_TOKENS)
        case "qwen":
            most = max(rule.max_tokens or QWEN_MAX_TOKENS, rule.min_tokens)
            return _qwen(width, height, rule.factor, rule.min_tokens, most) + rule.extra
        case "pixels":
            return -(-width * height // rule.pixels_per_token)


def _gemini_tiles(width: int, height: int) -> int:
    short, longest = min(width, height), max(width, height)
    if longest <= _GEMINI_SMALL_SIDE:
        return 1
    # The scale as a fraction: above / below.
    above, below = (_GEMINI_LARGEST_SIDE, longest) if longest > _GEMINI_LARGEST_SIDE else (1, 1)
    unit = min(max(short * above * 2 // (below * 3), _GEMINI_SMALLEST_UNIT), _GEMINI_LARGEST_UNIT)
    return _times_up(width * above, below * unit) * _times_up(height * above, below * unit)


def _openai_tiles(width: int, height: int) -> int:
    short, longest = min(width, height), max(width, height)
    above, below = 1, 1
    if longest > _OPENAI_LARGEST_SIDE:
        above, below = _OPENAI_LARGEST_SIDE, longest
    if short * above > _OPENAI_SHORT_SIDE * below:
        above, below = _OPENAI_SHORT_SIDE, short
    tile = below * _OPENAI_TILE_SIDE
    return _times_up(width * above, tile) * _times_up(height * above, tile)


def _openai_patches(width: int, height: int, long_side: int, budget: int) -> int:
    longest = max(width, height)
    if longest > long_side:
        width, height = max(round(width * long_side / longest), 1), max(round(height * long_side / longest), 1)
    patches = _times_up(width, _OPENAI_PATCH) * _times_up(height, _OPENAI_PATCH)
    if patches <= budget:
        return patches
    shrink = sqrt(_OPENAI_PATCH**2 * budget / (width * height))
    across, down = width * shrink / _OPENAI_PATCH, height * shrink / _OPENAI_PATCH
    # So that the side that loses most ends on a whole patch; a strip thinner than one patch cannot.
    shrink = min(floor(across) / across if across >= 1 else 1.0, floor(down) / down if down >= 1 else 1.0)
    return min(_patches_up(across * shrink) * _patches_up(down * shrink), budget)


def _claude(width: int, height: int, long_side: int, most: int) -> int:
    def fits(longest: int) -> int:
        """Return the tokens at this longest side, or 0 when it is too large."""
        short = max(round(shorter * longest / longer), 1)
        across, down = _times_up(longest, _CLAUDE_PATCH), _times_up(short, _CLAUDE_PATCH)
        return across * down if across * _CLAUDE_PATCH <= long_side and across * down <= most else 0

    longer, shorter = max(width, height), min(width, height)
    if tokens := fits(longer):
        return tokens
    least, beyond = 1, longer
    while beyond - least > 1:
        middle = (least + beyond) // 2
        least, beyond = (middle, beyond) if fits(middle) else (least, middle)
    return max(fits(least), 1)


def _qwen(width: int, height: int, factor: int, least: int, most: int) -> int:
    across, down = max(round(width / factor), 1), max(round(height / factor), 1)
    if across * down > most:
        shrink = sqrt(width * height / (most * factor**2))
        across, down = max(floor(width / shrink / factor), 1), max(floor(height / shrink / factor), 1)
        # A strip so thin that it is one square wide at any size; the servers refuse it.
        return min(across * down, most)
    if across * down < least:
        grow = sqrt(least * factor**2 / (width * height))
        across, down = ceil(width * grow / factor), ceil(height * grow / factor)
    return across * down


def _times_up(size: int, part: int) -> int:
    """Return how many `part`s cover `size`."""
    return -(-size // part)


def _patches_up(patches: float) -> int:
    """Return the whole patches that cover so many; what a float adds to a whole number does not count."""
    return max(ceil(patches - 1e-6), 1)
