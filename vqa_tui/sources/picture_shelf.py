"""Pictures that come inside a dataset file, saved once each as files of their own."""

import hashlib
import io
import os
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from vqa_tui.domain.failure import VqaError
from vqa_tui.sources.probe import UnusablePicture, opened_picture
from vqa_tui.sources.record_truth import BadRecord

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2"}
_AS_RGB = frozenset({"CMYK", "YCbCr", "LAB", "HSV"})
"""Pixel modes that a PNG cannot hold."""


class PictureShelf:
    """A folder in the root of a dataset where each different picture is written once, under a name that tells it.

    Nothing is written before the first picture comes. A link in the place of the folder is refused.
    """

    def __init__(self, root: Path, folder: str) -> None:
        self._root = root
        self._folder = folder
        self._is_ready = False
        self._pixels: dict[bytes, str] = {}
        """Names by SHA-256 of the encoded picture, of the last ones met: rows about one picture stand together."""

    def keep_bytes(self, data: bytes) -> str:
        """Write an encoded picture unchanged as `<sha256>.<ending of its format>`; return its path from the root.

        Raises BadRecord when it is no picture, and VqaError when the file cannot be written.
        """
        try:
            with opened_picture(io.BytesIO(_not_empty(data))) as image:
                image_format = str(image.format)
        except UnusablePicture as error:
            raise BadRecord(f"the picture in it {error.reason}") from error
        suffix = _SUFFIXES.get(image_format, f".{image_format.lower()}")
        return self._write(f"{hashlib.sha256(data).hexdigest()}{suffix}", data)

    def keep_pixels(self, data: bytes) -> str:
        """Write a picture as `image_md5_<MD5 of its decoded pixels>.png`; return its path from the root.

        The pixels are those that Hugging Face's `datasets` hands out: upright, in the mode of the file, row by row
        without size or mode. Where another size has the very same pixels, the name ends in its own. Raises BadRecord
        and VqaError as `keep_bytes` does.
        """
        known = hashlib.sha256(data).digest()
        if path := self._pixels.get(known):
            return path
        try:
            with opened_picture(io.BytesIO(_not_empty(data))) as image:
                image.load()
                upright = ImageOps.exif_transpose(image)
                digest = hashlib.md5(upright.tobytes(), usedforsecurity=False).hexdigest()
                name, encoded = f"image_md5_{digest}.png", _png(upright)
                if self._is_other_size(name, upright.size):
                    name = f"image_md5_{digest}_{upright.width}x{upright.height}.png"
        except UnusablePicture as error:
            raise BadRecord(f"the picture in it {error.reason}") from error
        path = self._write(name, encoded)
        if len(self._pixels) >= 1_000:
            self._pixels.clear()
        self._pixels[known] = path
        return path

    def _is_other_size(self, name: str, size: tuple[int, int]) -> bool:
        try:
            with (self._root / self._folder / name).open("rb") as stream, opened_picture(stream) as earlier:
                return earlier.size != size
        except FileNotFoundError:
            return False

    def _write(self, name: str, data: bytes) -> str:
        folder = self._root / self._folder
        path = folder / name
        try:
            if not self._is_ready:
                if folder.is_symlink():
                    raise VqaError(f"{folder} is a link; the pictures are not written through it", hint="Remove it.")
                folder.mkdir(exist_ok=True)
                self._is_ready = True
            if not path.is_file() or path.stat().st_size != len(data):
                descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
                try:
                    with os.fdopen(descriptor, "wb") as stream:
                        stream.write(data)
                    os.chmod(partial, 0o644)
                    os.replace(partial, path)
                except BaseException:
                    os.unlink(partial)
                    raise
        except OSError as error:
            raise VqaError(
                f"cannot write the pictures of the dataset into {folder}: {error.strerror}",
                hint="Name a folder that you may write into with --images.",
            ) from error
        return f"{self._folder}/{name}"


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise UnusablePicture("is empty (0 bytes)")
    return data


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    kept = image.convert("RGB") if image.mode in _AS_RGB else image
    kept.save(stream, "PNG")
    return stream.getvalue()
