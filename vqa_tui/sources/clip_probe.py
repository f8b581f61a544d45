"""Opening a video to see that one of its clips is there, and measuring it."""

import hashlib
import os
import threading
from functools import lru_cache
from pathlib import Path

from vqa_tui.domain.clip import VIDEO, Clip
from vqa_tui.domain.item import PictureFacts
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.video.reader import SLACK_S, UnusableVideo, too_short, video_reader

_HASHES_KEPT = 256
_hashing = threading.Lock()
"""The clips of a video come one after the other, to several threads: one of them reads it, the others wait."""


def probe_clip(path: Path, clip: Clip) -> PictureFacts:
    """Decode the first frame of a clip and return its facts: width and height of that frame, the rest of the file.

    The whole video is hashed, once for all of its clips. Raises UnusablePicture with the reason, VqaError where
    nothing is installed that reads videos.
    """
    try:
        status = os.stat(path)
        facts = video_reader().measure(path, 0.0 if clip.whole else clip.start_s)
        if facts.length_s is not None and facts.length_s < clip.end_s - SLACK_S:
            raise too_short(facts.length_s, clip.end_s)
        with _hashing:
            sha256 = _hash(str(path), status.st_size, status.st_mtime_ns)
    except UnusableVideo as error:
        raise UnusablePicture(error.reason) from error
    except OSError as error:
        raise UnusablePicture(f"cannot be read: {error.strerror or error}") from error
    return PictureFacts(VIDEO, facts.width, facts.height, status.st_size, sha256, 1, status.st_mtime_ns)


@lru_cache(maxsize=_HASHES_KEPT)
def _hash(path: str, _size: int, _modified_ns: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
