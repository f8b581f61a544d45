"""What reads videos here: PyAV where it is installed, else the ffmpeg program, else words on what to install."""

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from PIL import Image

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.video.leave import Leave

Video = Path | BinaryIO
"""A file on this machine, or a stream that can seek, such as fsspec opens at an address."""

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg,flv"
"""Containers that are opened (FFmpeg's names). Others, such as play lists, may lead to files and hosts elsewhere."""
SLACK_S = 1.0
"""Seconds by which a video may be shorter than it is said to be: its last frame begins before its end."""


class UnusableVideo(Exception):
    """A video that cannot be used. `reason` says why in plain words and may quote a hostile file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Width and height are pixels of the upright picture; `length_s` is None where the container does not say it."""

    width: int
    height: int
    length_s: float | None


class VideoReader(Protocol):
    """One way of reading videos. Every call blocks on the disk and the CPU, and raises UnusableVideo: also where the
    time of its leave is up (None: leave for PATIENCE_S from the call on). It raises CalledOff where it was called off.
    """

    name: str

    def measure(self, video: Video, at_s: float, *, leave: Leave | None = None) -> VideoFacts:
        """Return the facts of a video; the frame at `at_s` is decoded, so that it is known to be there."""
        ...

    def frames(
        self, video: Video, times: Sequence[float], max_side: int | None = None, *, leave: Leave | None = None
    ) -> list[Image.Image]:
        """Return the frame that is on at each of the rising `times` in seconds, upright, in RGB.

        No side is longer than `max_side` pixels: each is made smaller as it comes, for many large ones fill the memory.
        """
        ...

    def cut(
        self,
        video: Video,
        clip: Clip,
        target: Path,
        max_side: int | None = None,
        *,
        sound: bool = False,
        leave: Leave | None = None,
    ) -> None:
        """Write the frames of a clip, anew encoded, to `target` (MP4, replaced as a whole).

        The first frame stands at 0; no side is longer than `max_side` pixels. With `sound` the first sound track comes
        along, as AAC, where the video has one.
        """
        ...


def video_reader() -> VideoReader:
    """Return what reads videos on this machine. Raises VqaError, naming what to install, where nothing does."""
    found = _found_reader()
    if isinstance(found, ImportError):
        raise VqaError(
            f"PyAV is installed and does not load: {found}",
            hint="Mend that, or install the programs ffmpeg and ffprobe.",
        )
    if found is None:
        raise VqaError(
            "nothing is installed that reads videos",
            hint="Install the extra: pip install 'vqa-tui[video]' (PyAV); or the programs ffmpeg and ffprobe.",
        )
    return found


@lru_cache(maxsize=1)
def _found_reader() -> VideoReader | ImportError | None:
    """Return the reader, or why the only one that is installed does not load."""
    broken: ImportError | None = None
    if importlib.util.find_spec("av") is not None:
        try:
            from vqa_tui.video.pyav import PyAvReader

            return PyAvReader()
        except ImportError as error:
            # As where a library of the system that it wants is missing.
            broken = error
    if (ffmpeg := shutil.which("ffmpeg")) and (ffprobe := shutil.which("ffprobe")):
        from vqa_tui.video.ffmpeg import FfmpegReader

        return FfmpegReader(ffmpeg, ffprobe)
    return broken


def too_short(ends_s: float, wanted_s: float) -> UnusableVideo:
    """Return the refusal of a video that ends before a moment that is wanted of it."""
    return UnusableVideo(f"ends at {ends_s:.2f} s, and the clip goes up to {wanted_s:.2f} s: it may be cut short")


def shrunk(image: Image.Image, max_side: int | None) -> Image.Image:
    """Return a frame with no side over `max_side` pixels; it may be the same object, made smaller."""
    if max_side is not None:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image
