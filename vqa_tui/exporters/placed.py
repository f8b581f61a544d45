"""A picture of an export together with where its file lies and how the training file names it."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from vqa_tui.domain.clip import is_video
from vqa_tui.domain.export import ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PICTURE_FORMATS, PIXEL_LIMIT
from vqa_tui.pixels import to_rgb

_MEDIA_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG": "image/png",
}
_IN_A_PNG = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
RGB_MODES = frozenset({"RGB", "RGBA"})
_QUALITY = 95
"""Of a JPEG that is written anew: the most that Pillow advises."""
_TO_RGB = frozenset({"CMYK", "YCbCr", "HSV", "PA", "RGBX"})


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """One picture as the records of a format need it."""

    picture: ExportPicture
    path: str
    """What the training file says: a path relative to its folder, or an absolute one, or a data URI."""
    file: Path
    """Where the file lies."""
    number: int = 0
    """Counts the pictures of the whole export from 0."""
    part: str = "all"
    """A side of the split, else all."""
    image_id: int = 0
    """The number of the picture in formats that know pictures by number; no two of an export have one."""
    further: tuple[str, ...] = ()
    """What the training file says of the further pictures of the item, in their order, as `path` of the first."""

    @property
    def paths(self) -> tuple[str, ...]:
        """What the training file says of all pictures, in the order in which the model saw them."""
        return (self.path, *self.further)

    @property
    def path_or_paths(self) -> str | list[str]:
        """The path alone, or a list of the paths of several pictures."""
        return list(self.paths) if self.further else self.path

    @property
    def medium(self) -> str:
        """`video` for a clip, else `image`."""
        return "video" if is_video(self.file.name) else "image"


def data_uri(file: Path, *, only_rgb: bool = False) -> str:
    """Return the file as `data:<type>;base64,…`, its type told from its first bytes.

    What is none of JPEG, PNG and WEBP, which every reader of data URIs takes, is written as PNG; with `only_rgb` also
    what has pixels of another kind than RGB and RGBA is written anew, in RGB. Raises VqaError.
    """
    data = read_picture(file)
    if only_rgb and _mode_of(file, data) not in RGB_MODES:
        return uri_of(_as_rgb(file))
    return uri_of(data if _media_type(data) else _as_png(file))


def uri_of(data: bytes) -> str:
    """Return the bytes of a picture as a data URI; its type is told from them, and unknown ones are no type of file."""
    media_type = _media_type(data) or "application/octet-stream"
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _media_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((known for sign, known in _MEDIA_TYPES.items() if data.startswith(sign)), "")


def _mode_of(file: Path, data: bytes) -> str:
    try:
        with Image.open(BytesIO(data), formats=PICTURE_FORMATS) as picture:
            return picture.mode
    except Exception as error:  # as in _opened
        raise _unreadable(file, error) from error


def _as_rgb(file: Path) -> bytes:
    """Return the picture upright and in RGB: a JPEG stays one, all else is a PNG."""
    with _opened(file) as picture:
        written_as = "JPEG" if picture.format in ("JPEG", "MPO") else "PNG"
        return _encoded(to_rgb(ImageOps.exif_transpose(picture)), written_as)


def _as_png(file: Path) -> bytes:
    """Return the picture as the bytes of a PNG, upright."""
    with _opened(file) as picture:
        if picture.mode not in _IN_A_PNG | _TO_RGB:
            raise VqaError(
                f"the picture {file} has pixels of the kind {picture.mode}, which cannot stand in a training file",
                hint="Choose a format that names files, or convert the picture and import the dataset again.",
            )
        upright = ImageOps.exif_transpose(picture)
        return _encoded(upright.convert("RGB") if picture.mode in _TO_RGB else upright, "PNG")


def _encoded(picture: Image.Image, written_as: str) -> bytes:
    encoded = BytesIO()
    picture.save(encoded, written_as, quality=_QUALITY)
    return encoded.getvalue()


def decoded_md5(file: Path) -> tuple[str, tuple[int, int]]:
    """Return the MD5 of the decoded upright pixels as 32 hex digits, and their width and height.

    The VQA-RAD generator names its pictures so: `md5(PIL.Image.tobytes())`, without size and mode, of pictures that
    Hugging Face's `datasets` has turned upright. Raises VqaError.
    """
    with _opened(file) as picture:
        upright = ImageOps.exif_transpose(picture)
        return hashlib.md5(upright.tobytes(), usedforsecurity=False).hexdigest(), upright.size


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Yield the picture in a file; whatever goes wrong while it is in use is a VqaError."""
    try:
        with Image.open(file, formats=PICTURE_FORMATS) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                raise VqaError(f"the picture {file} has more than {PIXEL_LIMIT:,} pixels and was not decoded")
            yield picture
    except VqaError:
        raise
    except Exception as error:  # Pillow's readers raise whatever a broken file leads them to; each means: broken.
        raise _unreadable(file, error) from error


def read_picture(file: Path) -> bytes:
    """Return the bytes of a picture file. Raises VqaError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> VqaError:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200] or type(error).__name__
    return VqaError(
        f"the picture {file} cannot be read: {reason}", hint="Put it back, or import the dataset again without it."
    )
