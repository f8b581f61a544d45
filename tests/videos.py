"""Small videos drawn on the spot: each frame shows its own number in black and white bars, so a cut can be proved."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

BARS = 10
"""One for each binary digit of the number of a frame."""
FPS = 25


def draw_video(path: Path, *, seconds: float = 12, fps: int = FPS, size: tuple[int, int] = (160, 120)) -> Path:
    """Write an H.264 video (the container by the ending of `path`) with a key frame each two seconds."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", 2 * fps
        for number in range(round(seconds * fps)):
            container.mux(stream.encode(av.VideoFrame.from_image(numbered(number, size))))
        container.mux(stream.encode(None))
    return path


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
