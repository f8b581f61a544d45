"""The pictures that a field or a cell holds: a name, a data URI, or the encoded bytes."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from vqa_tui.domain.item import MOST_PICTURES
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.picture_names import PictureNames
from vqa_tui.sources.picture_shelf import PictureShelf
from vqa_tui.sources.record_truth import BadRecord

_DATA_URI = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)


class PictureCells:
    """Turns cells into keys of pictures; what comes inside a cell is written once into `vqa_pictures` in the root."""

    def __init__(self, contained: ContainedRoot, folders: Sequence[str] = ("images",)) -> None:
        self._names = PictureNames(contained, folders)
        self._shelf = PictureShelf(contained.path, "vqa_pictures")

    def key_of(self, value: Any) -> str:
        """Return the key of the picture that a cell names or holds.

        A cell is a name, a data URI, bytes, or an object with `bytes`, `path` or `url` of which the first that is there
        counts. Raises BadRecord when it is none of these, and for a picture in it that is not one.
        """
        if isinstance(value, dict):
            value = value.get("bytes") or value.get("path") or value.get("url")
        if isinstance(value, bytes):
            return self._shelf.keep_bytes(value)
        if not isinstance(value, str):
            raise BadRecord("names no picture: neither a file name, a data URI nor the bytes of one")
        if is_data_uri(value):
            return self._shelf.keep_bytes(_decoded(value))
        return self._names.key_of(value)

    def keys_of(self, value: Any) -> tuple[str, ...]:
        """Return the keys of the pictures of a cell that holds one, or a list of them. Raises BadRecord."""
        entries = value if isinstance(value, list) else [value]
        if not entries or len(entries) > MOST_PICTURES:
            raise BadRecord(f"holds {len(entries)} pictures; rows about 1 to {MOST_PICTURES} are read")
        return tuple(map(self.key_of, entries))

    def find(self, key: str) -> str:
        """Return the path of a picture from the root. Raises BadRecord when there is none or it must not be read."""
        return self._names.find(key)


def is_data_uri(value: Any) -> bool:
    """Return whether a cell is text that holds a picture."""
    return isinstance(value, str) and _DATA_URI.match(value) is not None


def _decoded(uri: str) -> bytes:
    try:
        return base64.b64decode(uri.split(",", 1)[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRecord(f"its data URI is not valid base64: {error}") from error
