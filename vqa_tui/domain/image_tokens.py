"""How many tokens a picture costs, by the rules that vendors publish. An estimate: the bill comes from `usage`."""

from fractions import Fraction
from math import ceil
from typing import Literal, Protocol


class TokenRule(Protocol):
    """The numbers of one endpoint; its model in `config.endpoint.ImageTokenRule` is one."""

    @property
    def rule(self) -> Literal["fixed", "gemini_tiles", "openai_tiles", "pixels"]: ...
    @property
    def tokens(self) -> int: ...
    @property
    def base(self) -> int: ...
    @property
    def tile(self) -> int: ...
    @property
    def pixels_per_token(self) -> int: ...


_GEMINI_TILE_TOKENS = 258
_GEMINI_SMALL_SIDE = 384
_GEMINI_LARGEST_SIDE = 3072
_GEMINI_UNIT = (256, 768)

_OPENAI_LARGEST_SIDE = 2048
_OPENAI_SHORT_SIDE = 768
_OPENAI_TILE_SIDE = 512


def picture_tokens(rule: TokenRule, width: int, height: int) -> int:
    """Return the tokens of a picture of `width` × `height` pixels, as it is sent.

    `fixed`: `rule.tokens`, whatever the size.
    `gemini_tiles` (Gemini up to 2.5, ai.google.dev image understanding): 258 when both sides are at most 384; else
    258 for each tile of floor(short side / 1.5) pixels, held between 256 and 768, after fitting 3072 × 3072.
    `openai_tiles` (OpenAI vision guide, detail high): fit 2048 × 2048, then the short side down to 768; then
    `rule.base` plus `rule.tile` for each 512-pixel tile.
    `pixels`: one token for each `rule.pixels_per_token` pixels, rounded up.

    Raises ValueError when a side is below 1.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width} × {height} pixels has no tokens")
    match rule.rule:
        case "fixed":
            return rule.tokens
        case "gemini_tiles":
            return _gemini_tiles(width, height) * _GEMINI_TILE_TOKENS
        case "openai_tiles":
            return rule.base + rule.tile * _openai_tiles(width, height)
        case "pixels":
            return -(-width * height // rule.pixels_per_token)


def _gemini_tiles(width: int, height: int) -> int:
    if max(width, height) <= _GEMINI_SMALL_SIDE:
        return 1
    scale = min(Fraction(1), Fraction(_GEMINI_LARGEST_SIDE, max(width, height)))
    smallest, largest = _GEMINI_UNIT
    unit = min(max(int(min(width, height) * scale / Fraction(3, 2)), smallest), largest)
    return ceil(width * scale / unit) * ceil(height * scale / unit)


def _openai_tiles(width: int, height: int) -> int:
    # Exact fractions: a scaled side that rounding lifts from 1536 to 1536.0001 would be counted as a whole tile more.
    scale = min(Fraction(1), Fraction(_OPENAI_LARGEST_SIDE, max(width, height)))
    scale *= min(Fraction(1), Fraction(_OPENAI_SHORT_SIDE) / (min(width, height) * scale))
    return ceil(width * scale / _OPENAI_TILE_SIDE) * ceil(height * scale / _OPENAI_TILE_SIDE)
