"""Names for colours, as a person would call them at a glance."""

import colorsys
from functools import cache

COLOUR_NAMES = (
    "black", "gray", "white", "red", "orange", "brown", "beige", "yellow", "green", "cyan", "blue", "purple", "pink",
)  # fmt: skip
_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (165, "green"),
    (195, "cyan"),
    (258, "blue"),
    (295, "purple"),
    (345, "pink"),
    (361, "red"),
)
"""Upper ends of hue ranges in degrees on the HSV circle."""


def colour_name(red: int, green: int, blue: int) -> str:
    """Return the name of one RGB colour (0 to 255 each)."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.85 else "gray"
    degrees = hue * 360
    name = next(name for upper, name in _HUES if degrees < upper)
    if name in ("orange", "yellow", "red") and degrees >= 10 and saturation < 0.4 and value > 0.7:
        return "beige"
    brown_below = 0.65 if name == "orange" else 0.55
    if 6 <= degrees < 52 and value < brown_below:
        return "brown"
    if name == "red" and saturation < 0.55 and value > 0.7:
        return "pink"
    return name


@cache
def _table() -> bytes:
    """For each colour cut to four bits a channel (red highest), the index of its name, as of the middle of its bin."""
    indices = {name: index for index, name in enumerate(COLOUR_NAMES)}
    return bytes(
        indices[colour_name((code >> 8) * 17, (code >> 4 & 15) * 17, (code & 15) * 17)] for code in range(4096)
    )


def name_indices(pixels: bytes) -> bytes:
    """Return for each RGB pixel of `pixels` (three bytes each) the index of its name in COLOUR_NAMES."""
    table = _table()
    triples = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True)
    return bytes([table[(red & 0xF0) << 4 | green & 0xF0 | blue >> 4] for red, green, blue in triples])
