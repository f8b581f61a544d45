"""A small upright picture out of a file of any size, decoded in a thread and never larger than needed."""

import struct
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from vqa_tui.domain.clip import is_video, placed_at
from vqa_tui.domain.failure import VqaError
from vqa_tui.video.reader import UnusableVideo, video_reader

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

    Of a video it is the frame in the middle: of all of it, or of the seconds that stand behind the path
    (domain.clip.address). Raises VqaError, in words, when it is missing, too large or not a picture.
    """
    file, seconds = placed_at(str(path))
    if is_video(file):
        return _frame(Path(file), seconds, max_side)
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


def _frame(video: Path, seconds: tuple[float, float] | None, max_side: int) -> Image.Image:
    try:
        reader = video_reader()
        if seconds is None:
            seconds = (0.0, reader.measure(video, 0.0).length_s or 0.0)
        frame = reader.frames(video, [sum(seconds) / 2])[0]
    except UnusableVideo as error:
        if not video.exists():
            raise VqaError("the video is not there any more", hint=str(video)) from error
        raise VqaError(f"the video cannot be shown: it {error.reason}", hint=str(video)) from error
    frame.thumbnail((max_side, max_side))
    return frame


def _rgb(picture: Image.Image) -> Image.Image:
    """Return `picture` as RGB; 16-bit grey is scaled, since Pillow would clip it to white."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    return picture.convert("RGB")
