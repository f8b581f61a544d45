"""Making one picture file ready for an endpoint: as it is where it already fits, else smaller and upright."""

import errno
import hashlib
import io
import math
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from vqa_tui.domain.item import PIXEL_LIMIT, PictureFacts
from vqa_tui.endpoints.pixels import to_rgb

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes of a picture file that is read at all."""
SMALLEST_SIDE = 16
"""Pixels; a picture that is still too large in bytes at this size cannot be sent."""

_READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "PPM", "AVIF")
"""Pillow's other decoders start programs (EPS) or hold no photographs. JPEG opens MPO, its multi-picture form, too."""
_WRITTEN = ("JPEG", "PNG", "WEBP", "GIF")
"""What a changed picture is written as: the first of these that the endpoint accepts."""
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EAGAIN, errno.EINTR})
_MAY_MOVE = frozenset({"GIF", "WEBP"})
_SIDEWAYS = frozenset({5, 6, 7, 8})
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
_ISO_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF"}


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """The bytes to send; width and height are pixels as sent."""

    data: bytes
    mime: str
    width: int
    height: int


class BadPicture(Exception):
    """A picture that cannot be sent. `reason` says why in plain words and may quote a hostile file.

    `passing` tells that it is not the picture that is at fault: the disk, the network or this process is in trouble.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


def prepare_picture(
    path: Path,
    facts: PictureFacts,
    *,
    max_side: int | None,
    jpeg_quality: int,
    max_bytes: int,
    formats: Collection[str],
) -> PreparedPicture:
    """Return the picture at `path` ready to be sent. Blocks on the disk and the CPU: call it in a thread.

    The file's own bytes are sent when its format is among `formats` (Pillow's names), it is upright, no side is longer
    than `max_side` pixels (None: any), and it has at most `max_bytes` bytes. Otherwise it is turned upright by its EXIF
    orientation, flattened to RGB (alpha over white, 16 bits scaled to 8, first frame of an animation), shrunk, and
    written as JPEG with `jpeg_quality` where accepted; then shrunk on until `max_bytes` holds. The same input gives the
    same bytes.

    `facts` are those of the import; a file whose size or time differs is hashed and must still be the same picture.
    Raises BadPicture.
    """
    data = _read_unchanged(path, facts)
    fits = facts.format in formats and facts.orientation == 1 and len(data) <= max_bytes
    if fits and (max_side is None or max(facts.width, facts.height) <= max_side) and not _moves(data, facts.format):
        return PreparedPicture(data, _mime(facts.format), facts.width, facts.height)
    written_as = next((each for each in _WRITTEN if each in formats), None)
    if written_as is None:
        raise BadPicture(f"the endpoint accepts none of the formats that can be written ({', '.join(_WRITTEN)})")
    if facts.width * facts.height > PIXEL_LIMIT:
        raise BadPicture(_too_many_pixels(facts.width, facts.height))
    return _within_bytes(_upright_rgb(data, max_side), written_as, jpeg_quality, max_bytes)


def _read_unchanged(path: Path, facts: PictureFacts) -> bytes:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadPicture("is no longer a regular file")
            if status.st_size > LARGEST_FILE:
                raise BadPicture(f"has {status.st_size:,} bytes, more than the limit of {LARGEST_FILE:,}")
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise BadPicture("the file is missing") from error
    except OSError as error:
        raise BadPicture(f"cannot be read: {error.strerror or error}", passing=error.errno in _PASSING) from error
    untouched = len(data) == facts.size_bytes and status.st_mtime_ns == facts.modified_ns
    if not untouched and hashlib.sha256(data).hexdigest() != facts.sha256:
        raise BadPicture("the file has changed since import; import the dataset again")
    return data


def _moves(data: bytes, image_format: str) -> bool:
    if image_format not in _MAY_MOVE:
        return False
    try:
        with Image.open(io.BytesIO(data), formats=(image_format,)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception as error:  # decoders raise nearly any type on a damaged file; every one means the same here
        raise BadPicture(_damaged(error)) from error


def _upright_rgb(data: bytes, max_side: int | None) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise BadPicture(_too_many_pixels(image.width, image.height))
            size = _fitted(image.width, image.height, max_side)
            if size != image.size and image.format in {"JPEG", "MPO"}:
                # Half as large again as wanted, so that the resampling below still decides how the picture looks.
                image.draft(image.mode, (size[0] * 3 // 2, size[1] * 3 // 2))
            upright = _turned(image)
            rgb = to_rgb(upright)
            return rgb if rgb.size == _oriented(size, image) else _resized(rgb, _oriented(size, image))
    except BadPicture:
        raise
    except UnidentifiedImageError as error:
        raise BadPicture(_what_it_is_instead(data)) from error
    except Image.DecompressionBombError as error:
        raise BadPicture(f"is more than the limit of {PIXEL_LIMIT:,} pixels; it was not decoded") from error
    except MemoryError as error:
        raise BadPicture("is too large to decode in the memory there is") from error
    except Exception as error:  # as in _moves
        raise BadPicture(_damaged(error)) from error


def _turned(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # an EXIF block that cannot be parsed says nothing: the picture stands as it is stored
        return image


def _oriented(size: tuple[int, int], image: Image.Image) -> tuple[int, int]:
    try:
        sideways = image.getexif().get(0x0112, 1) in _SIDEWAYS
    except Exception:  # as in _turned
        return size
    return (size[1], size[0]) if sideways else size


def _within_bytes(image: Image.Image, written_as: str, jpeg_quality: int, max_bytes: int) -> PreparedPicture:
    whole = image
    while True:
        data = _encoded(image, written_as, jpeg_quality)
        if len(data) <= max_bytes:
            return PreparedPicture(data, _mime(written_as), image.width, image.height)
        # Bytes go with the area; a tenth less than that, so that a second step is seldom needed.
        scale = min(math.sqrt(max_bytes / len(data)) * 0.9, 0.9)
        width, height = int(image.width * scale), int(image.height * scale)
        if max(width, height) < SMALLEST_SIDE:
            raise BadPicture(f"cannot be made small enough for the endpoint's limit of {max_bytes:,} bytes")
        image = _resized(whole, (max(width, 1), max(height, 1)))


def _encoded(image: Image.Image, written_as: str, jpeg_quality: int) -> bytes:
    buffer = io.BytesIO()
    if written_as in {"JPEG", "WEBP"}:
        image.save(buffer, written_as, quality=jpeg_quality)
    else:
        image.save(buffer, written_as)
    return buffer.getvalue()


def _fitted(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    return max(round(width * max_side / longest), 1), max(round(height * max_side / longest), 1)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _mime(image_format: str) -> str:
    return f"image/{image_format.lower()}"


def _too_many_pixels(width: int, height: int) -> str:
    return f"{width}×{height} is more than the limit of {PIXEL_LIMIT:,} pixels; it was not decoded"


def _damaged(error: Exception) -> str:
    return f"is damaged and cannot be decoded: {str(error)[:200] or type(error).__name__}"


def _what_it_is_instead(data: bytes) -> str:
    if not data:
        return "the file is empty (0 bytes)"
    if data.startswith(_SIGNATURES):
        return "is damaged and cannot be decoded: its header makes no sense"
    if data[4:8] == b"ftyp" and (name := _ISO_BRANDS.get(data[8:12])):
        return f"is a {name} picture, which is not read here; convert it to JPEG or PNG"
    start = data[:1024].lstrip().lower()
    if start.startswith((b"<?xml", b"<svg")) or b"<svg" in start:
        return "is an SVG drawing, not a raster picture; convert it to PNG"
    if start.startswith(b"%pdf"):
        return "is a PDF document; convert its pages to PNG"
    return f"is not a picture in a format that is read here ({', '.join(_READABLE)})"
