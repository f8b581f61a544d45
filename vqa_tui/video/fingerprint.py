"""The SHA-256 of videos: each file is read once, as long as its size and its time stay as they are."""

import hashlib
import os
import threading
from collections import OrderedDict
from pathlib import Path

from vqa_tui.video.leave import Leave

_KEPT = 4096
"""Videos whose SHA-256 is remembered."""
_READ_BYTES = 1 << 20
_LOOK_S = 0.2
_guard = threading.Lock()
"""Guards `_known` and `_being_read`; nobody reads a file while holding it."""
_known: "OrderedDict[tuple[str, int, int], str]" = OrderedDict()
"""By path, size in bytes and time of the last change in nanoseconds; the longest unused first."""
_being_read: dict[tuple[str, int, int], threading.Event] = {}
"""What is set when the reading has ended. The clips of a video come one after the other, to several threads: one of
them reads it, the others wait."""


def sha256_of(path: Path, status: os.stat_result, leave: Leave) -> str:
    """Return the SHA-256 of the file at `path`, whose `status` was read just now, as 64 hex digits.

    Waiting for another thread that reads the same file takes nothing of `leave`. Blocks on the disk. Raises OSError,
    and as Leave.require does.
    """
    key = (str(path), status.st_size, status.st_mtime_ns)
    while True:
        with _guard:
            if known := _known.get(key):
                _known.move_to_end(key)
                return known
            if (others := _being_read.get(key)) is None:
                own = _being_read[key] = threading.Event()
                break
        with leave.standing_in_line():
            while not others.wait(_LOOK_S):
                leave.require_wanted()
    try:
        found = _hashed(path, leave)
        with _guard:
            _keep(key, found)
        return found
    finally:
        with _guard:
            del _being_read[key]
        own.set()


def remember(path: Path, size_bytes: int, modified_ns: int, sha256: str) -> None:
    """Take what is known of a file that has this size and time: as long as it has, it is not read."""
    with _guard:
        _keep((str(path), size_bytes, modified_ns), sha256)


def _keep(key: tuple[str, int, int], sha256: str) -> None:
    _known[key] = sha256
    _known.move_to_end(key)
    if len(_known) > _KEPT:
        _known.popitem(last=False)


def _hashed(path: Path, leave: Leave) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(_READ_BYTES):
            leave.require()
            digest.update(piece)
    return digest.hexdigest()
