"""Opening one video that a training file names."""

import hashlib
import os
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.video.reader import UnusableVideo, video_reader

_ALIKE_S = 1.0
"""Seconds by which a video may differ from the length that is stated: one is often rounded."""


def examine_video(path: str, stated_s: float | None = None) -> tuple[str, str]:
    """Return the SHA-256 of a video file, and in words what is wrong with it ('' for nothing).

    Its first frame is decoded, and its length compared with `stated_s` seconds where that is given. Where nothing is
    installed that reads videos it is only hashed.
    """
    try:
        if not os.path.isfile(path):
            return "", "does not exist" if not os.path.lexists(path) else "is not a file"
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        return "", f"cannot be read: {getattr(error, 'strerror', None) or error}"
    try:
        length = video_reader().measure(Path(path), 0.0).length_s
    except UnusableVideo as error:
        return digest, error.reason
    except VqaError:
        return digest, ""
    if stated_s is not None and length is not None and abs(length - stated_s) > _ALIKE_S:
        return digest, f"is {length:.1f} s long, and its record states {stated_s:g} s"
    return digest, ""
