"""Small videos drawn on the spot: each frame shows its own number in black and white bars, so a cut can be proved."""

import math
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

_SOUND_RATE, _SOUND_PIECE = 48_000, 1024
BARS = 10
"""One for each binary digit of the number of a frame."""
FPS = 25


def draw_video(
    path: Path,
    *,
    seconds: float = 12,
    fps: int = FPS,
    size: tuple[int, int] = (160, 120),
    tone: tuple[float, float] | None = None,
) -> Path:
    """Write an H.264 video (the container by the ending of `path`) with a key frame each two seconds.

    With `tone` it has a sound track: silence, but for a tone between these seconds.
    """
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", 2 * fps
        track: Any = None if tone is None else container.add_stream("aac", rate=_SOUND_RATE, layout="mono")
        for number in range(round(seconds * fps)):
            container.mux(stream.encode(av.VideoFrame.from_image(numbered(number, size))))
        container.mux(stream.encode(None))
        if tone is not None:
            for first in range(0, round(seconds * _SOUND_RATE), _SOUND_PIECE):
                container.mux(track.encode(_sound(first, tone)))
            container.mux(track.encode(None))
    return path


def _sound(first: int, tone: tuple[float, float]) -> Any:
    """Return a piece of sound that begins with the sample `first`."""
    import av

    frame = av.AudioFrame(format="fltp", layout="mono", samples=_SOUND_PIECE)
    frame.sample_rate, frame.pts, frame.time_base = _SOUND_RATE, first, Fraction(1, _SOUND_RATE)
    on = tone[0] <= first / _SOUND_RATE < tone[1]
    wave = [math.sin((first + each) * 2 * math.pi * 440 / _SOUND_RATE) / 2 if on else 0 for each in range(_SOUND_PIECE)]
    frame.planes[0].update(array("f", wave).tobytes())
    return frame


def loud_seconds(path: Path) -> list[float]:
    """Return when the pieces of the sound track that are not silent begin, in seconds; empty also without a track."""
    import av

    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(*container.streams.audio[:1]) if container.streams.audio else ():
            samples = array("f", bytes(frame.planes[0])[: frame.samples * 4])
            if max(map(abs, samples), default=0) > 0.1:
                found.append(float(frame.time or 0))
    return found


def numbered(number: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for bar in range(BARS):
        left, right = (size[0] * edge // BARS for edge in (bar, bar + 1))
        draw.rectangle((left, 0, right - 1, size[1]), fill="white" if number >> bar & 1 else "black")
    return image


def number_of(image: Image.Image) -> int:
    """Return the number that the frame shows."""
    pixels = image.convert("L").crop((0, image.height // 2, image.width, image.height // 2 + 1)).tobytes()
    bright = [pixels[(2 * bar + 1) * image.width // (2 * BARS)] > 127 for bar in range(BARS)]
    return sum(int(on) << bar for bar, on in enumerate(bright))
