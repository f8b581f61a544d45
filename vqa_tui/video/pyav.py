"""Reading videos with PyAV, which holds FFmpeg's libraries; imported only where a video is read."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import av
from PIL import Image

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.video.leave import CalledOff, Leave, TimeIsUp
from vqa_tui.video.reader import DEMUXERS, SLACK_S, UnusableVideo, Video, VideoFacts, shrunk, too_short

_THREADS = 2
"""Of one decoder: several videos are read side by side."""
_SEEK_ABOVE_S = 10.0
"""A gap before a wanted frame from which on looking for a nearer key frame is worth it; they are seldom farther apart
than this, and the frames behind one are decoded again."""
_EPSILON_S = 1e-6
_ENCODERS = ("libx264", "mpeg4")
_SOUND_RATE = 48_000
_QUARTER_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


class PyAvReader:
    """See VideoReader."""

    name = "PyAV"

    def measure(self, video: Video, at_s: float, *, leave: Leave | None = None) -> VideoFacts:
        leave = leave or Leave()
        with _opened(video, leave) as (container, stream):
            image = _frames_at(container, stream, [at_s], leave)[0]
            return VideoFacts(image.width, image.height, _length(container))

    def frames(
        self, video: Video, times: Sequence[float], max_side: int | None = None, *, leave: Leave | None = None
    ) -> list[Image.Image]:
        leave = leave or Leave()
        with _opened(video, leave) as (container, stream):
            return _frames_at(container, stream, times, leave, max_side)

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
        leave = leave or Leave()
        unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with _opened(video, leave) as (container, stream):
                _write(container, stream, clip, unfinished, max_side, sound=sound, leave=leave)
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def _opened(video: Video, leave: Leave) -> Iterator[tuple[Any, Any]]:
    """Yield the container and its video stream; whatever goes wrong while they are in use is an UnusableVideo.

    CalledOff passes, for then nothing went wrong.
    """
    with ExitStack() as open_things:
        try:
            stream = open_things.enter_context(_regular(video)) if isinstance(video, Path) else video
            watched: Any = _Watched(stream, leave)
            container = open_things.enter_context(
                av.open(watched, mode="r", metadata_errors="replace", options={"format_whitelist": DEMUXERS})
            )
            if not container.streams.video:
                raise UnusableVideo("holds no pictures, only sound or data")
            pictures = container.streams.video[0]
            if pictures.codec_context is None:
                raise UnusableVideo("is in a coding that is not read here")
            _require_few_pixels(pictures.codec_context)
            pictures.codec_context.thread_count = _THREADS
            yield container, pictures
        except (UnusableVideo, CalledOff):
            raise
        except TimeIsUp as error:
            raise UnusableVideo(str(error)) from error
        except MemoryError as error:
            raise UnusableVideo("is too large to decode in the memory there is") from error
        except (av.error.FFmpegError, OSError) as error:
            if isinstance(error, av.error.InvalidDataError) or error.errno == errno.EINVAL:
                raise UnusableVideo("is no video that is read here, or is damaged or cut short") from error
            raise UnusableVideo(f"cannot be read: {error.strerror or error}") from error
        except Exception as error:  # decoders raise nearly any type on a damaged file; every one means the same here
            raise UnusableVideo(f"is damaged: {str(error)[:200] or type(error).__name__}") from error


class _Watched:
    """A stream each of whose readings needs leave: FFmpeg may read a whole file within one call, to find an index."""

    def __init__(self, stream: BinaryIO, leave: Leave) -> None:
        self._stream, self._leave = stream, leave

    def read(self, size: int) -> bytes:
        self._leave.require()
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _require_few_pixels(shown: Any) -> None:
    """Raise UnusableVideo for a stream or a frame that is too large: a frame may be larger than its container says."""
    if shown.width * shown.height > PIXEL_LIMIT:
        raise UnusableVideo(f"has {shown.width}×{shown.height} pixels, more than the limit of {PIXEL_LIMIT:,}")


def _regular(path: Path) -> BinaryIO:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        os.close(descriptor)
        raise UnusableVideo("is empty (0 bytes)" if stat.S_ISREG(status.st_mode) else "is not a regular file")
    return os.fdopen(descriptor, "rb")


def _length(container: Any) -> float | None:
    duration = container.duration
    return duration / av.time_base if duration and duration > 0 else None


def _walk(
    container: Any, stream: Any, start_s: float, leave: Leave
) -> Iterator[tuple[float, Any, Callable[[float], None]]]:
    """Yield the seconds and the frame of all from the key frame before `start_s` on, and what seeks onward."""
    origin = _origin(container)

    def seek(to_s: float) -> None:
        _seek(container, to_s)

    if start_s > _SEEK_ABOVE_S:
        seek(start_s)
    again = True
    while again:
        again = False
        for frame in _decoded(container, stream, leave):
            if frame.pts is None or frame.time is None:
                continue
            wanted: list[float] = []
            yield frame.time - origin, frame, wanted.append
            if wanted:
                seek(wanted[-1])
                again = True
                break


def _origin(container: Any) -> float:
    """Return the second at which a container begins, by the times of its streams."""
    return float((container.start_time or 0) / av.time_base)


def _seek(container: Any, to_s: float) -> None:
    container.seek(int((to_s + _origin(container)) * av.time_base), backward=True)


def _decoded(container: Any, stream: Any, leave: Leave) -> Iterator[Any]:
    for packet in container.demux(stream):
        leave.require()
        for frame in packet.decode():
            if isinstance(frame, av.VideoFrame):
                _require_few_pixels(frame)
            yield frame


def _frames_at(
    container: Any, stream: Any, times: Sequence[float], leave: Leave, max_side: int | None = None
) -> list[Image.Image]:
    found: list[Image.Image] = []
    shown: tuple[float, Any] | None = None
    sought = 0.0
    for at, frame, seek in _walk(container, stream, times[0], leave):
        if shown is not None and at <= shown[0]:
            # Seeking led to a key frame before what was seen already.
            continue
        taken = len(found)
        while len(found) < len(times) and at > times[len(found)] + _EPSILON_S:
            if shown is None and at > times[len(found)] + SLACK_S:
                raise UnusableVideo(f"has no frame before {at:.2f} s, and the clip begins at {times[0]:.2f} s")
            found.append(shrunk(_upright(frame if shown is None else shown[1]), max_side))
        if len(found) == len(times):
            return found
        shown = (at, frame)
        gap = times[len(found)] - at
        if len(found) > taken and gap > _SEEK_ABOVE_S and times[len(found)] > sought:
            sought = times[len(found)]
            seek(sought)
    if shown is None:
        raise UnusableVideo("holds no frame that can be decoded")
    for time in times[len(found) :]:
        if time > shown[0] + SLACK_S:
            raise too_short(shown[0], times[-1])
        found.append(shrunk(_upright(shown[1]), max_side))
    return found


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    turn = _QUARTER_TURNS.get(frame.rotation % 360)
    return image if turn is None else image.transpose(turn)


def _write(
    container: Any, stream: Any, clip: Clip, target: Path, max_side: int | None, *, sound: bool, leave: Leave
) -> None:
    heard = container.streams.audio[0] if sound and container.streams.audio else None
    out: Any = None
    track: Any = None
    first: int | None = None
    first_s = last_s = 0.0
    try:
        output = av.open(str(target), mode="w", format="mp4", options={"movflags": "+faststart"})
    except (av.error.FFmpegError, OSError) as error:
        raise UnusableVideo(f"cannot be cut into {target}: {error.strerror or error}") from error
    with output:
        for at, frame, _onward in _walk(container, stream, clip.start_s, leave):
            if at >= clip.end_s - _EPSILON_S:
                break
            last_s = at
            if at < clip.start_s - _EPSILON_S:
                continue
            picture = _as_sent(frame, max_side)
            if out is None:
                first, first_s = frame.pts, at
                out = _encoder(output, stream, picture)
                if heard is not None and heard.codec_context is not None:
                    track = output.add_stream(
                        "aac", rate=_SOUND_RATE, layout="mono" if heard.channels == 1 else "stereo"
                    )
            picture.pts, picture.time_base = frame.pts - first, stream.time_base
            output.mux(out.encode(picture))
        if out is None:
            raise too_short(last_s, clip.end_s)
        if last_s < clip.end_s - 2 * SLACK_S:
            raise too_short(last_s, clip.end_s)
        output.mux(out.encode(None))
        if track is not None:
            for sounds in _heard(container, heard, first_s, clip.end_s, leave):
                output.mux(track.encode(sounds))
            output.mux(track.encode(None))


def _heard(container: Any, stream: Any, start_s: float, end_s: float, leave: Leave) -> Iterator[Any]:
    """Yield what is heard between two moments, the first of which stands at 0."""
    _seek(container, start_s)
    for frame in _decoded(container, stream, leave):
        if frame.pts is None or frame.time is None:
            continue
        at = frame.time - _origin(container)
        if at >= end_s:
            return
        if at >= start_s - _EPSILON_S:
            frame.pts = round((at - start_s) / frame.time_base)
            yield frame


def _as_sent(frame: Any, max_side: int | None) -> Any:
    """Return a frame upright, with even sides, as the encoders want them, and no side over `max_side` pixels."""
    if frame.rotation % 360:
        frame = av.VideoFrame.from_image(_upright(frame))  # type: ignore[no-untyped-call]
    longest = max(frame.width, frame.height)
    scale = 1.0 if max_side is None or longest <= max_side else max_side / longest
    width, height = (max(round(side * scale) // 2 * 2, 2) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height, format="yuv420p")


def _encoder(output: Any, stream: Any, picture: Any) -> Any:
    name = _ENCODERS[-1]
    for each in _ENCODERS:
        with suppress(av.codec.codec.UnknownCodecError):
            av.codec.Codec(each, "w")
            name = each
            break
    out = output.add_stream(name, rate=stream.average_rate or 30)
    out.width, out.height, out.pix_fmt = picture.width, picture.height, "yuv420p"
    out.time_base = out.codec_context.time_base = stream.time_base
    out.codec_context.thread_count = _THREADS
    if name == "libx264":
        out.options = {"preset": "veryfast", "crf": "20"}
    else:
        out.options = {"qscale": "3"}
    return out
