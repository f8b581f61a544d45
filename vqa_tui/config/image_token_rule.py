"""The model of an endpoint's image-token rule: how it counts a picture in tokens."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from vqa_tui.domain.image_tokens import USED_BY_RULE, Detail, MediaResolution, RuleName

_MOST_TOKENS = 10_000_000
_LARGEST_SIDE = 100_000


class ImageTokenRule(BaseModel):
    """How the endpoint counts a picture in tokens; `domain.image_tokens.picture_tokens` gives each rule's formula.

    Numbers that a rule does not use may stand there and mean nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: RuleName = "fixed"
    """`gemini_tiles`: Gemini up to 2.5. `gemini_media_resolution`: Gemini 3. `openai_tiles`: gpt-4o, gpt-4.1, o1, o3,
    gpt-5. `openai_patches`: o4-mini, gpt-4.1-mini and -nano, gpt-5-mini and -nano, gpt-5.2 and newer. `claude`: Claude.
    `qwen`: Qwen-VL. `pixels`: one token for so many pixels. `fixed`: the same for every picture."""
    tokens: Annotated[int, Field(ge=0, le=_MOST_TOKENS)] = 1500
    """`fixed`: tokens per picture."""
    base: Annotated[int, Field(ge=0, le=_MOST_TOKENS)] = 85
    """`openai_tiles`: base tokens; all of them with `detail: low`."""
    tile: Annotated[int, Field(ge=0, le=_MOST_TOKENS)] = 170
    """`openai_tiles`: tokens per 512-pixel tile."""
    detail: Detail | None = None
    """`openai_tiles`, `openai_patches`: the detail that is asked for with every picture; None asks for none, which
    OpenAI takes as auto: high, and original for gpt-5.5. `low` of `openai_tiles` counts `base` alone."""
    media_resolution: MediaResolution = "high"
    """`gemini_media_resolution`: low 280, medium 560, high 1120 (also when none is asked for), ultra_high 2240.
    Not sent: another one than high must be asked for by `extra_body`, where the endpoint understands it."""
    patches: Annotated[int, Field(ge=1, le=_MOST_TOKENS)] = 1536
    """`openai_patches`: most patches, before the multiplier; 2500 for gpt-5.4 and for gpt-5.5 with detail high, 10000
    with detail original, which is what gpt-5.5 takes when none is asked for."""
    multiplier: Annotated[Decimal, Field(gt=0, le=1000, decimal_places=6)] = Decimal(1)
    """`openai_patches`: tokens per patch: 1.62 for gpt-4.1-mini, 5-mini and 5.4-mini, 2.46 for their -nano, 1.72 for
    o4-mini."""
    long_side: Annotated[int, Field(ge=32, le=_LARGEST_SIDE)] | None = None
    """`openai_patches`, `claude`: longest side in pixels after the vendor's own shrinking; None is 2048 and 1568.
    6000 with detail original."""
    factor: Annotated[int, Field(ge=1, le=1024)] = 28
    """`qwen`: pixels of one token's side: 28 for Qwen2-VL and 2.5, 32 for Qwen3-VL."""
    min_tokens: Annotated[int, Field(ge=1, le=_MOST_TOKENS)] = 4
    """`qwen`: fewest tokens; smaller pictures are enlarged (the server's min_pixels / factor²)."""
    max_tokens: Annotated[int, Field(ge=1, le=_MOST_TOKENS)] | None = None
    """`claude`, `qwen`: most tokens; larger pictures are shrunk. None is 1568 and 16384 (max_pixels / factor²)."""
    extra: Annotated[int, Field(ge=0, le=1000)] = 2
    """`qwen`: tokens around the picture: its start and its end."""
    pixels_per_token: Annotated[int, Field(ge=1)] = 750
    """`pixels`: pixels per token."""

    @property
    def meaningless(self) -> list[str]:
        """The numbers that were given and that the rule does not use, sorted."""
        used = USED_BY_RULE[self.rule] | {"rule"}
        fields = type(self).model_fields
        return sorted(
            name
            for name in self.model_fields_set - used
            # A frozen endpoint states every number.
            if getattr(self, name) != fields[name].default
        )
