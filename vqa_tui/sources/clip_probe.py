"""Opening a video to see that one of its clips is there, and measuring it."""

import os
from math import floor
from pathlib import Path

from vqa_tui.domain.clip import VIDEO, Clip
from vqa_tui.domain.item import PictureFacts
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.video.fingerprint import sha256_of
from vqa_tui.video.leave import Leave, TimeIsUp
from vqa_tui.video.reader import SLACK_S, UnusableVideo, too_short, video_reader


def length_of(path: Path) -> float:
    """Return how many seconds a video says that it is long, in whole milliseconds.

    Raises UnusablePicture with the reason, VqaError where nothing is installed that reads videos.
    """
    try:
        length_s = video_reader().measure(path, 0.0).length_s
    except UnusableVideo as error:
        raise UnusablePicture(error.reason) from error
    if not length_s or length_s < 0.001:
        raise UnusablePicture("does not say how long it is; write it into another container")
    return floor(length_s * 1000) / 1000


def probe_clip(path: Path, clip: Clip) -> PictureFacts:
    """Decode the first frame of a clip and return its facts: width and height of that frame, the rest of the file.

    The whole video is hashed, once for all of its clips. Raises UnusablePicture with the reason, VqaError where
    nothing is installed that reads videos.
    """
    leave = Leave()
    try:
        status = os.stat(path)
        facts = video_reader().measure(path, 0.0 if clip.whole else clip.start_s, leave=leave)
        if facts.length_s is not None and facts.length_s < clip.end_s - SLACK_S:
            raise too_short(facts.length_s, clip.end_s)
        sha256 = sha256_of(path, status, leave)
    except UnusableVideo as error:
        raise UnusablePicture(error.reason) from error
    except TimeIsUp as error:
        raise UnusablePicture(str(error)) from error
    except OSError as error:
        raise UnusablePicture(f"cannot be read: {error.strerror or error}") from error
    return PictureFacts(VIDEO, facts.width, facts.height, status.st_size, sha256, 1, status.st_mtime_ns)
