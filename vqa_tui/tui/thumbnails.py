"""A small upright picture out of a file of any size, decoded in a thread and never larger than needed."""

import struct
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from vqa_tui.domain.failure import VqaError

MAX_SIDE = 320
"""Pixels; a terminal of 300 columns shows no more."""
DETAIL_SIDE = 2_048
"""Pixels, for looking from near."""
MAX_PIXELS = 200_000_000
"""Larger pictures are not decoded for a preview."""

_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
)
"""What Pillow raises for broken files, by format."""


def decode_thumbnail(path: Path, max_side: int = MAX_SIDE) -> Image.Image:
    """Return the picture at `path` as upright RGB with no side over `max_side` pixels.

    Raises VqaError, in words, when it is missing, too large or not a picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise VqaError(f"{picture.width}×{picture.height} pixels are too many for a preview")
                picture.draft("RGB", (max_side, max_side))
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((max_side, max_side))
                return _rgb(upright)
    except FileNotFoundError as error:
        raise VqaError("the picture is not there any more", hint=str(path)) from error
    except _UNREADABLE as error:
        raise VqaError(f"the picture cannot be shown: {error}", hint=str(path)) from error


def _rgb(picture: Image.Image) -> Image.Image:
    """Return `picture` as RGB; 16-bit grey is scaled, since Pillow would clip it to white."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    return picture.convert("RGB")
