"""Opening one picture file to see that it really is one, and measuring it."""

import hashlib
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from vqa_tui.domain.item import PICTURE_FORMATS, PIXEL_LIMIT, PictureFacts

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".jp2", ".j2k", ".ppm", ".pgm", ".pnm", ".avif"}
)
"""Endings (lower case) by which a folder tree is searched for pictures."""

UNREAD_SUFFIXES = frozenset(
    {".heic", ".heif", ".jxl", ".svg", ".psd", ".eps", ".dcm", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".tga", ".ico"}
)
"""Endings (lower case) of pictures that are not read: a folder tree that holds some says so of each."""

_ORIENTATION_TAG = 0x0112
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_SIDEWAYS = frozenset({5, 6, 7, 8})
_HASH_CHUNK = 1 << 18

# Pillow warns on stderr, which belongs to the faces, about large sizes (our own limit is checked before decoding) and
# about damaged metadata (which does not make a picture unusable).
warnings.filterwarnings("ignore", module=r"PIL\.")


class UnusablePicture(Exception):
    """A file that cannot serve as a picture. `reason` says why, in plain words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def probe(path: Path) -> PictureFacts:
    """Decode the whole picture once and return its facts; width and height are pixels after EXIF orientation.

    The file is hashed in constant memory; a JPEG is decoded at an eighth of its size, which still reads every byte of
    the compressed data. An animation is refused, because a model would see frames that nobody annotated; the further
    frames of an MPO photograph (previews, depth maps) do not count as one. A picture of more than
    PIXEL_LIMIT pixels is refused before it is decoded. Raises UnusablePicture.
    """
    try:
        with _open_regular(path) as stream:
            status = os.fstat(stream.fileno())
            head = stream.read(_HASH_CHUNK)
            _refuse_known_non_pictures(head)
            sha256 = _hash(head, stream)
            stream.seek(0)
            image_format, width, height, orientation = _decode(stream)
    except OSError as error:
        raise UnusablePicture(f"cannot be read: {error.strerror or error}") from error
    if orientation in _SIDEWAYS:
        width, height = height, width
    return PictureFacts(image_format, width, height, status.st_size, sha256, orientation, status.st_mtime_ns)


@lru_cache(maxsize=1)
def _decoders() -> tuple[str, ...]:
    """Return those of the wanted decoders that this build of Pillow has; naming another to it is an error."""
    Image.init()
    return tuple(name for name in PICTURE_FORMATS if name in Image.OPEN)


def _open_regular(path: Path) -> BinaryIO:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnusablePicture("is not a regular file")
    return os.fdopen(descriptor, "rb")


def _refuse_known_non_pictures(head: bytes) -> None:
    if not head:
        raise UnusablePicture("is empty (0 bytes)")
    if head.startswith(b"version https://git-lfs.github.com/"):
        raise UnusablePicture("is a Git LFS pointer, not the picture itself; run `git lfs pull` in its repository")


def _hash(head: bytes, stream: BinaryIO) -> str:
    digest = hashlib.sha256(head)
    while chunk := stream.read(_HASH_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def opened_picture(stream: BinaryIO) -> Iterator[Image.Image]:
    """Yield the picture in a stream, not yet decoded; an animation and one of more than PIXEL_LIMIT pixels are refused.

    Whatever goes wrong while it is in use is an UnusablePicture with the reason.
    """
    try:
        with Image.open(stream, formats=_decoders()) as image:
            width, height = image.size
            if width * height > PIXEL_LIMIT:
                raise UnusablePicture(_too_many_pixels(f"{width}×{height}"))
            frames = getattr(image, "n_frames", 1)
            if frames > 1 and image.format != "MPO":
                raise UnusablePicture(f"holds {frames} frames; save the one that is meant as a still picture")
            yield image
    except UnusablePicture:
        raise
    except Image.DecompressionBombError as error:
        raise UnusablePicture(_too_many_pixels()) from error
    except UnidentifiedImageError as error:
        raise UnusablePicture(_what_it_is_instead(stream)) from error
    except MemoryError as error:
        raise UnusablePicture("is too large to decode in the memory there is") from error
    except Exception as error:  # decoders raise nearly any type on a damaged file; every one means the same here
        what = str(error).rstrip(".") or type(error).__name__
        raise UnusablePicture(f"is damaged and cannot be decoded: {what}") from error


def _decode(stream: BinaryIO) -> tuple[str, int, int, int]:
    with opened_picture(stream) as image:
        image_format, (width, height) = str(image.format), image.size
        orientation = _orientation(image)
        if image_format in {"JPEG", "MPO"}:
            image.draft(image.mode, (max(width // 8, 1), max(height // 8, 1)))
        image.load()
        return image_format, width, height, orientation


def _too_many_pixels(size: str | None = None) -> str:
    has = f"has {size} pixels," if size else "has"
    return f"{has} more than the limit of {PIXEL_LIMIT:,} pixels; it was not decoded"


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # an EXIF block that cannot be parsed says nothing: the picture stands as it is stored
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _what_it_is_instead(stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(512)
    lowered = head.lstrip().lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a picture (a failed download?)"
    if lowered.startswith((b"<?xml", b"<svg")):
        return "is an XML or SVG file; only raster pictures are read"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "is a HEIC photograph, which is not read here; save it as JPEG"
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "holds text, not a picture"
    return f"is not a picture in a format that is read here ({', '.join(_decoders())})"
