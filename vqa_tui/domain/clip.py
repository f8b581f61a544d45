"""A clip: the part of a video that an item is, at which moments it is looked at, and how its place is written."""

import re
from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

VIDEO = "VIDEO"
"""The `format` in the facts of an item that is a clip, whatever the container."""
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"})
"""Endings (lower case) of files that are taken for videos."""

_ADDRESS = re.compile(r"(?P<path>.+)#t=(?P<start>\d+(?:\.\d+)?),(?P<end>\d+(?:\.\d+)?)", re.DOTALL)


class Clip(BaseModel):
    """A part of a video, in seconds from its beginning: from `start_s` up to, but without, `end_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_s: FiniteFloat = Field(ge=0)
    end_s: FiniteFloat
    whole: bool = False
    """The file holds this clip and nothing else."""
    uri: str = ""
    """Where a copy of the clip lies for endpoints that fetch it, such as `gs://bucket/clip.mp4`; empty: nowhere."""

    @model_validator(mode="after")
    def _ends_later(self) -> "Clip":
        if self.end_s <= self.start_s:
            raise ValueError("a clip must end after it begins")
        return self

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2


def frame_count(length_s: float, fps: float, most: int) -> int:
    """Return how many frames stand for a clip of so many seconds: `fps` a second, from 1 up to `most`."""
    return max(1, min(round(length_s * fps), most))


def frame_times(clip: Clip, fps: float, most: int) -> tuple[float, ...]:
    """Return the moments of the frames that stand for a clip, in seconds of the video.

    The clip is cut into as many equal parts as `frame_count` says, and each part is seen in its middle.
    """
    count = frame_count(clip.length_s, fps, most)
    part = clip.length_s / count
    return tuple(clip.start_s + (number + 0.5) * part for number in range(count))


def address(path: str, clip: Clip | None) -> str:
    """Return how the place of a picture is written: its path, and of a clip `#t=START,END` behind it.

    The seconds stand, to the microsecond, as in Media Fragments (www.w3.org/TR/media-frags, temporal dimension).
    """
    if clip is None or clip.whole:
        return path
    start, end = (f"{seconds:.6f}".rstrip("0").rstrip(".") for seconds in (clip.start_s, clip.end_s))
    return f"{path}#t={start},{end}"


def placed_at(written: str) -> tuple[str, tuple[float, float] | None]:
    """Return the path and the seconds of a place that `address` wrote; None of a file as a whole."""
    found = _ADDRESS.fullmatch(written)
    if found is None or not is_video(found["path"]):
        return written, None
    return found["path"], (float(found["start"]), float(found["end"]))


def is_video(path: str) -> bool:
    """Tell by its ending whether a file is taken for a video."""
    return PurePath(path).suffix.lower() in VIDEO_SUFFIXES
