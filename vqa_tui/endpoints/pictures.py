"""Making one picture file ready for an endpoint: as it is where it already fits, else smaller and upright."""

import errno
import hashlib
import io
import math
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import PIL
from PIL import Image, UnidentifiedImageError

from vqa_tui.domain.item import PICTURE_FORMATS, PIXEL_LIMIT, PictureFacts
from vqa_tui.pixels import to_rgb

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes of a picture file that is read at all."""
SMALLEST_SIDE = 16
"""Pixels; a picture that is still too large in bytes at this size cannot be sent."""

PREPARATION = 2
"""Raise it whenever other bytes are made of the same picture: what was kept before then counts no more."""

_WRITTEN = ("JPEG", "PNG", "WEBP", "GIF")
"""What a changed picture is written as: the first of these that the endpoint accepts."""
_WITH_QUALITY = frozenset({"JPEG", "WEBP"})
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EAGAIN, errno.EINTR})
_MAY_MOVE = frozenset({"GIF", "WEBP"})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""
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


class KeptPictures(Protocol):
    """Where prepared pictures are kept between two uses."""

    def get(self, key: str) -> PreparedPicture | None: ...

    def put(self, key: str, picture: PreparedPicture) -> None: ...


def prepare_picture(
    path: Path,
    facts: PictureFacts,
    *,
    max_side: int | None,
    jpeg_quality: int,
    max_bytes: int,
    formats: Collection[str],
    cache: KeptPictures | None = None,
) -> PreparedPicture:
    """Return the picture at `path` ready to be sent. Blocks on the disk and the CPU: call it in a thread.

    The file's own bytes are sent when its format is among `formats` (Pillow's names), it is upright, no side is longer
    than `max_side` pixels (None: any), and it has at most `max_bytes` bytes; `facts` alone decide that, so nothing is
    decoded for it. Otherwise it is turned upright by its EXIF orientation, flattened to RGB (alpha over white, 16 bits
    scaled to 8, first frame of an animation), shrunk, and written as JPEG with `jpeg_quality` where accepted; then
    shrunk on until `max_bytes` holds. The same input gives the same bytes. A changed picture is kept in `cache` and
    taken from there the next time, without its file being read.

    `facts` are those of the import; a file whose size or time differs is hashed and must still be the same picture, and
    so is every file that is decoded. Raises BadPicture.
    """
    fits = facts.format in formats and facts.orientation == 1 and facts.size_bytes <= max_bytes
    if max_side is not None and max(facts.width, facts.height) > max_side:
        fits = False
    with _opened(path) as stream:
        if fits:
            data = _unchanged(stream, facts)
            if not _moves(data, facts.format):
                return PreparedPicture(data, _mime(facts.format), facts.width, facts.height)
        written_as = chosen_format(formats)
        key = key_of(facts.sha256, max_side, written_as, jpeg_quality, max_bytes)
        if cache is not None and _is_untouched(stream, facts) and (kept := cache.get(key)):
            return kept
        if facts.width * facts.height > PIXEL_LIMIT:
            raise BadPicture(_too_many_pixels(facts.width, facts.height))
        # The digest costs a fiftieth of the decoding, and a wrong picture under this key would come back for ever.
        data = _unchanged(stream, facts, surely=True)
    prepared = _within_bytes(_upright_rgb(data, max_side), written_as, jpeg_quality, max_bytes)
    if cache is not None:
        cache.put(key, prepared)
    return prepared


def prepare_image(
    image: Image.Image, written_as: str, *, max_side: int | None, jpeg_quality: int, max_bytes: int
) -> PreparedPicture:
    """Return an upright RGB picture shrunk and written as `prepare_picture` would. Raises BadPicture."""
    size = _fitted(*image.size, max_side)
    return _within_bytes(image if image.size == size else _resized(image, size), written_as, jpeg_quality, max_bytes)


def chosen_format(formats: Collection[str]) -> str:
    """Return which of `formats` a changed picture is written as. Raises BadPicture where none can be written."""
    written_as = next((each for each in _WRITTEN if each in formats), None)
    if written_as is None:
        raise BadPicture(f"the endpoint accepts none of the formats that can be written ({', '.join(_WRITTEN)})")
    return written_as


def key_of(
    sha256: str, max_side: int | None, written_as: str, jpeg_quality: int, max_bytes: int, *, at_s: float | None = None
) -> str:
    """Return under which key a changed picture is kept: the file's hash and all that decides its bytes.

    `at_s` is the second of a frame of a video.
    """
    quality = jpeg_quality if written_as in _WITH_QUALITY else None
    pillow = PIL.__version__.partition(".")[0]
    what: tuple[object, ...] = (PREPARATION, pillow, sha256, max_side, written_as, quality, max_bytes)
    if at_s is not None:
        what = (*what, "frame", at_s)
    return hashlib.sha256(repr(what).encode()).hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadPicture("is no longer a regular file")
            if status.st_size > LARGEST_FILE:
                raise BadPicture(f"has {status.st_size:,} bytes, more than the limit of {LARGEST_FILE:,}")
            yield stream
    except FileNotFoundError as error:
        raise BadPicture("the file is missing") from error
    except OSError as error:
        raise cannot_be_read(error) from error


def cannot_be_read(error: OSError) -> BadPicture:
    """Return the refusal of a file that the system does not give out, and whether it may do so later."""
    return BadPicture(f"cannot be read: {error.strerror or error}", passing=error.errno in _PASSING)


def _is_untouched(stream: BinaryIO, facts: PictureFacts) -> bool:
    status = os.fstat(stream.fileno())
    return status.st_size == facts.size_bytes and status.st_mtime_ns == facts.modified_ns


def _unchanged(stream: BinaryIO, facts: PictureFacts, *, surely: bool = False) -> bytes:
    """Return the bytes of the file; `surely`: hash them even though size and time say that nothing has changed."""
    stream.seek(0)
    data = stream.read(facts.size_bytes + 1)
    # Looked at after reading: a file that was written to meanwhile has a later time.
    untouched = len(data) == facts.size_bytes and _is_untouched(stream, facts)
    if (surely or not untouched) and hashlib.sha256(data).hexdigest() != facts.sha256:
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
        with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise BadPicture(_too_many_pixels(image.width, image.height))
            stored = image.size
            size = _fitted(*stored, max_side)
            if size != stored and image.format in {"JPEG", "MPO"}:
                # Half as large again as wanted, so that the resampling below still decides how the picture looks.
                image.draft(image.mode, (size[0] * 3 // 2, size[1] * 3 // 2))
            # One block: between two of them the decoder would stand in line for the interpreter, and others behind it.
            image.decodermaxblock = len(data)
            image.load()
            rgb = to_rgb(image)
            if rgb.size != size:
                rgb = _resized(rgb, size, drafted=image.size != stored)
            upright = _turned(rgb, image)
            # An EXIF or XMP block that came along would turn the picture once more.
            upright.info = {name: value for name, value in upright.info.items() if name == "icc_profile"}
            return upright
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


def _turned(rgb: Image.Image, image: Image.Image) -> Image.Image:
    """Turn `rgb` as the EXIF block of `image` says; last of all, for then there are the fewest pixels to move."""
    try:
        method = _UPRIGHT.get(image.getexif().get(0x0112, 1))
    except Exception:  # an EXIF block that cannot be parsed says nothing: the picture stands as it is stored
        return rgb
    return rgb if method is None else rgb.transpose(method)


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
    if written_as in _WITH_QUALITY:
        image.save(buffer, written_as, quality=jpeg_quality)
    else:
        image.save(buffer, written_as)
    return buffer.getvalue()


def _fitted(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    return max(round(width * max_side / longest), 1), max(round(height * max_side / longest), 1)


def _resized(image: Image.Image, size: tuple[int, int], *, drafted: bool = False) -> Image.Image:
    """Shrink by LANCZOS, first by whole boxes of pixels where that hardly shows and saves most of the time.

    Measured over photographs against LANCZOS alone, in levels of 255 a pixel: a box of two from a ratio of 2.9 on, and
    larger ones that leave at least 2 to LANCZOS, change 0.4 to 1.2; writing a JPEG of quality 90 changes 3. A JPEG that
    was decoded at a fraction of its size has been through such boxes already.
    """
    ratio = image.width / size[0] if image.width >= image.height else image.height / size[1]
    box = int(ratio / 3.0) if drafted else max(int(ratio / 2.0), 2 if ratio >= 2.9 else 1)
    if box > 1:
        image = image.reduce(box)
    return image.resize(size, Image.Resampling.LANCZOS)


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
    return f"is not a picture in a format that is read here ({', '.join(PICTURE_FORMATS)})"
