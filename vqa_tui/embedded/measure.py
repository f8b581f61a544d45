"""Opening a picture and measuring what can be said about it without a model.

Size and orientation are those of the upright picture. Everything else is measured on an overview of at most 160 pixels
a side, so that it takes a few milliseconds whatever the size (JPEGs are decoded at reduced scale).
"""

import io
from collections import Counter
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.embedded.colours import COLOUR_NAMES, name_indices
from vqa_tui.embedded.regions import count_regions

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_OVERVIEW_SIDE = 160
_REGION_SIDE = 40
_COLOUR_SHARE = 0.08
"""A colour is dominant from this share of the picture upward."""
GRID_WORDS = (
    "upper-left", "upper-center", "upper-right",
    "center-left", "center", "center-right",
    "lower-left", "lower-center", "lower-right",
)  # fmt: skip
_FLAT_DETAIL = 3
"""Difference of mean edge strength (0 to 255) below which no part of a picture stands out."""
_FLAT_LIGHT = 8
"""Difference of mean brightness (0 to 255) below which no part stands out."""


class UnreadablePicture(Exception):
    """The bytes are not a picture that can be opened; the text says why, in words."""


@dataclass(frozen=True, slots=True)
class ColourShare:
    """One dominant colour and the share of the picture that it covers, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured. Parts of the picture are words of GRID_WORDS, None where no part stands out."""

    width: int
    height: int
    colours: tuple[ColourShare, ...]
    """Dominant colours, the largest first; at least one, at most three."""
    brightness: float
    """Mean luma, 0 (black) to 1 (white)."""
    contrast: float
    """Standard deviation of luma, 0 to 0.5."""
    sharpness: float
    """Standard deviation of the Laplacian over that of luma; 0 for a picture of one colour."""
    regions: int
    """Connected areas of one colour name that cover at least 1 % of the picture each."""
    busiest: str | None
    emptiest: str | None
    brightest: str | None
    darkest: str | None

    @property
    def orientation(self) -> str:
        if self.width == self.height:
            return "square"
        return "landscape" if self.width > self.height else "portrait"

    @property
    def brightness_word(self) -> str:
        return _word(self.brightness, ((0.25, "dark"), (0.45, "rather dark"), (0.65, "evenly lit"), (9, "bright")))

    @property
    def contrast_word(self) -> str:
        return _word(self.contrast, ((0.1, "low"), (0.22, "moderate"), (9, "high")))

    @property
    def sharpness_word(self) -> str:
        return _word(self.sharpness, ((0.25, "soft"), (0.6, "moderately sharp"), (9e9, "crisp")))


def measure_picture(data: bytes) -> Measurement:
    """Open and measure the picture file `data` (JPEG, PNG, WebP or GIF). Raises UnreadablePicture."""
    width, height, overview = _open_overview(data)
    luma = overview.convert("L")
    edges = luma.filter(ImageFilter.FIND_EDGES)
    if min(luma.size) >= 3:
        # Pillow leaves the outermost pixels of a filtered picture as they were.
        edges = edges.crop((1, 1, luma.width - 1, luma.height - 1))
    mean, deviation = _mean_and_deviation(luma)
    busiest, emptiest = _extremes(edges, _FLAT_DETAIL)
    brightest, darkest = _extremes(luma, _FLAT_LIGHT)
    small = overview.copy()
    small.thumbnail((_REGION_SIDE, _REGION_SIDE), Image.Resampling.BOX)
    names = Image.frombytes("L", small.size, name_indices(small.tobytes()))
    # The most common name of 5x5 cells wipes out the blends along the edge of two colours.
    areas = names.filter(ImageFilter.ModeFilter(5)).tobytes()
    return Measurement(
        width=width,
        height=height,
        colours=_dominant(areas),
        brightness=mean / 255,
        contrast=deviation / 255,
        sharpness=_laplacian_deviation(luma) / deviation if deviation >= 1 else 0.0,
        regions=count_regions(areas, small.width, smallest=max(len(areas) // 100, 1)),
        busiest=busiest,
        emptiest=emptiest,
        brightest=brightest,
        darkest=darkest,
    )


def _open_overview(data: bytes) -> tuple[int, int, Image.Image]:
    """Return upright width and height in pixels, and the upright overview in RGB."""
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePicture(_in_words(error)) from error
    with picture:
        width, height = picture.size
        if width * height > PIXEL_LIMIT:
            raise UnreadablePicture(f"it has {width} x {height} pixels, more than {PIXEL_LIMIT} in all")
        try:
            scale = min(_OVERVIEW_SIDE / max(width, height), 1)
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            picture.draft(None, size)
            picture.load()
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            flat = _flatten(picture)
            flat.info.update(picture.info)
            overview = ImageOps.exif_transpose(flat.resize(size, Image.Resampling.BOX, reducing_gap=1.0))
        except (OSError, ValueError, SyntaxError, IndexError, EOFError) as error:
            raise UnreadablePicture(_in_words(error)) from error
    return (height, width, overview) if turned else (width, height, overview)


def _flatten(picture: Image.Image) -> Image.Image:
    """Return `picture` in RGB: transparency over white, 16-bit gray scaled down rather than clipped."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("RGB")


def _in_words(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not a JPEG, PNG, WebP or GIF picture"
    return str(error) or type(error).__name__


def _mean_and_deviation(luma: Image.Image) -> tuple[float, float]:
    histogram = luma.histogram()
    pixels = luma.width * luma.height
    mean = sum(value * count for value, count in enumerate(histogram)) / pixels
    variance = sum((value - mean) ** 2 * count for value, count in enumerate(histogram) if count) / pixels
    return mean, variance**0.5


def _laplacian_deviation(luma: Image.Image) -> float:
    if min(luma.size) < 3:
        return 0.0
    kernel = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
    return _mean_and_deviation(luma.filter(kernel).crop((1, 1, luma.width - 1, luma.height - 1)))[1]


def _extremes(channel: Image.Image, least_difference: float) -> tuple[str | None, str | None]:
    """Return the parts of the 3x3 grid with the highest and the lowest mean, or None twice when all are alike."""
    means = channel.resize((3, 3), Image.Resampling.BOX).tobytes()
    if max(means) - min(means) < least_difference:
        return None, None
    return GRID_WORDS[means.index(max(means))], GRID_WORDS[means.index(min(means))]


def _dominant(areas: bytes) -> tuple[ColourShare, ...]:
    shares = [ColourShare(COLOUR_NAMES[index], count / len(areas)) for index, count in Counter(areas).most_common(3)]
    return (shares[0], *(colour for colour in shares[1:] if colour.share >= _COLOUR_SHARE))


def _word(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    return next(word for upper, word in steps if value < upper)
