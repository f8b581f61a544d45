"""Reading videos with the programs ffmpeg and ffprobe, where PyAV is not installed."""

import io
import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.video.leave import Leave, TimeIsUp
from vqa_tui.video.reader import DEMUXERS, SLACK_S, UnusableVideo, Video, VideoFacts, shrunk, too_short

_LOOK_S = 0.2
_BEFORE_S = 0.001
"""Asked for so much earlier, because ffmpeg shows the first frame at or after a moment."""
_GUARD = ("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS)
_LINE = 300
"""Characters of ffmpeg's own words that are quoted."""


class FfmpegReader:
    """See VideoReader. It reads files only, for the programs cannot read a stream that must seek."""

    name = "ffmpeg"

    def __init__(self, ffmpeg: str, ffprobe: str) -> None:
        self._ffmpeg, self._ffprobe = ffmpeg, ffprobe

    def measure(self, video: Video, at_s: float, *, leave: Leave | None = None) -> VideoFacts:
        leave = leave or Leave()
        image = self.frames(video, [at_s], leave=leave)[0]
        return VideoFacts(image.width, image.height, self._length(_file(video), leave))

    def frames(
        self, video: Video, times: Sequence[float], max_side: int | None = None, *, leave: Leave | None = None
    ) -> list[Image.Image]:
        path, leave = _file(video), leave or Leave()
        step = self._check(path, leave)
        return [shrunk(self._frame(path, at, step, leave), max_side) for at in times]

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
        path, leave = _file(video), leave or Leave()
        self._check(path, leave)
        if (length := self._length(path, leave)) is not None and length < clip.end_s - SLACK_S:
            raise too_short(length, clip.end_s)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
        side = "" if max_side is None else f"scale='min({max_side},iw)':'min({max_side},ih)':"
        size = f"{side}force_original_aspect_ratio=decrease," if side else ""
        heard = ("-map", "0:a:0?", "-c:a", "aac") if sound else ("-an",)
        try:
            self._run(
                leave,
                *(self._ffmpeg, "-v", "error", "-nostdin", *_GUARD, "-ss", f"{clip.start_s:.6f}", "-i", str(path)),
                *("-t", f"{clip.length_s:.6f}", "-sn", "-dn", "-map", "0:v:0", *heard),
                *(
                    "-vf",
                    f"{size}scale=trunc(iw/2)*2:trunc(ih/2)*2,setpts=PTS-STARTPTS",
                    "-c:v",
                    "libx264",
                    "-preset",
                    "veryfast",
                ),
                *("-crf", "20", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"),
                *("-movflags", "+faststart", "-f", "mp4", "-y", str(unfinished)),
            )
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)

    def _frame(self, path: Path, at_s: float, step_s: float, leave: Leave) -> Image.Image:
        # A frame that is on at this moment began at most one step before it.
        for earlier in (step_s - _BEFORE_S, step_s * 2, SLACK_S):
            found = self._run(
                leave,
                *(self._ffmpeg, "-v", "error", "-nostdin", *_GUARD, "-ss", f"{max(at_s - earlier, 0):.6f}"),
                *("-i", str(path), "-map", "0:v:0", "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"),
            )
            if found:
                with Image.open(io.BytesIO(found), formats=("PNG",)) as image:
                    return image.convert("RGB")
        raise UnusableVideo(f"has no frame at {at_s:.2f} s: it may be cut short")

    def _check(self, path: Path, leave: Leave) -> float:
        """Return the seconds from one frame to the next. Raises UnusableVideo where there are no pictures to read."""
        found = self._facts(path, leave, "stream=width,height,avg_frame_rate", "-select_streams", "v:0")
        stream = next(iter(found), None)
        if stream is None:
            raise UnusableVideo("holds no pictures, only sound or data")
        if int(stream.get("width", 0)) * int(stream.get("height", 0)) > PIXEL_LIMIT:
            raise UnusableVideo(
                f"has {stream['width']}×{stream['height']} pixels, more than the limit of {PIXEL_LIMIT:,}"
            )
        over, _, under = str(stream.get("avg_frame_rate", "0/0")).partition("/")
        return float(under) / float(over) if float(over or 0) and float(under or 0) else 1 / 25

    def _length(self, path: Path, leave: Leave) -> float | None:
        words = self._run(
            leave,
            *(self._ffprobe, "-v", "error", *_GUARD, "-show_entries", "format=duration"),
            "-of",
            "json",
            str(path),
        )
        length = json.loads(words).get("format", {}).get("duration")
        return float(length) if length else None

    def _facts(self, path: Path, leave: Leave, entries: str, *options: str) -> list[dict[str, Any]]:
        words = self._run(
            leave, self._ffprobe, "-v", "error", *_GUARD, *options, "-show_entries", entries, "-of", "json", str(path)
        )
        found: list[dict[str, Any]] = json.loads(words).get("streams", [])
        return found

    def _run(self, leave: Leave, *command: str) -> bytes:
        """Return what a command writes; it is ended where there is no leave any more."""
        pipe = subprocess.PIPE
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
                try:
                    out, said = _communicated(process, leave)
                except BaseException:
                    process.kill()
                    raise
        except TimeIsUp as error:
            raise UnusableVideo(str(error)) from error
        except OSError as error:
            raise UnusableVideo(f"cannot be read: {command[0]}: {error.strerror or error}") from error
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            raise UnusableVideo(f"cannot be read by ffmpeg: {(lines[-1] if lines else 'no reason given')[:_LINE]}")
        return out


def _communicated(process: "subprocess.Popen[bytes]", leave: Leave) -> tuple[bytes, bytes]:
    """Return the output and the errors of a process that ended. Raises as Leave.require does."""
    while True:
        leave.require()
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_LOOK_S)


def _file(video: Video) -> Path:
    if not isinstance(video, Path):
        raise UnusableVideo("lies at an address, which only PyAV reads: pip install 'vqa-tui[video]'")
    if not video.is_file():
        raise UnusableVideo("is not a regular file" if video.exists() else "is missing")
    if not video.stat().st_size:
        raise UnusableVideo("is empty (0 bytes)")
    return video
