"""The image grid of Qwen's vision-language models, exactly as the trainers compute it."""

from dataclasses import dataclass
from math import ceil, floor, sqrt

MOST_ASPECT = 200


@dataclass(frozen=True, slots=True)
class QwenFamily:
    """The numbers of one family of models."""

    name: str
    factor: int
    """Pixels of a side that one token stands for: patch × merge."""
    system_tokens: int
    """Of the system message that its chat template puts in by itself."""

    @property
    def min_pixels(self) -> int:
        """The default of qwen-vl-utils: 4 tokens."""
        return 4 * self.factor**2

    @property
    def max_pixels(self) -> int:
        """The default of qwen-vl-utils: 16,384 tokens."""
        return 16_384 * self.factor**2


FAMILIES = {
    family.name: family
    for family in (
        QwenFamily("qwen2-vl", 28, 11),
        QwenFamily("qwen2.5-vl", 28, 11),
        QwenFamily("qwen3-vl", 32, 0),
    )
}
"""Patch 14 (16 for Qwen3-VL) merged 2 × 2; the system message is "You are a helpful assistant." with its marks."""

MARKS_OF_A_PICTURE = 2
"""`<|vision_start|>` and `<|vision_end|>`."""
MARKS_OF_A_TURN = 5
"""`<|im_start|>`, the role, a line feed, `<|im_end|>`, a line feed."""


def grid_tokens(width: int, height: int, *, factor: int, min_pixels: int, max_pixels: int) -> int:
    """Return the tokens of a picture, without the marks around it (qwen-vl-utils, vision_process.smart_resize).

    Both sides are rounded to multiples of `factor`; a picture above `max_pixels` is shrunk and one below `min_pixels`
    enlarged, as near to its shape as whole multiples allow. Raises ValueError when one side is more than MOST_ASPECT
    times the other, which the trainers refuse as well.
    """
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise ValueError(f"one side is more than {MOST_ASPECT} times the other")
    across = max(factor, round(width / factor) * factor)
    down = max(factor, round(height / factor) * factor)
    if across * down > max_pixels:
        shrink = sqrt(height * width / max_pixels)
        across = max(factor, floor(width / shrink / factor) * factor)
        down = max(factor, floor(height / shrink / factor) * factor)
    elif across * down < min_pixels:
        grow = sqrt(min_pixels / (height * width))
        across, down = ceil(width * grow / factor) * factor, ceil(height * grow / factor) * factor
    return across * down // factor**2
