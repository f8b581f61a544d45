"""Videos in a request: the first frame of one is measured like a picture, its length counts in `usage`."""

import io
import tempfile
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.measure import Measurement, UnreadablePicture, measure_picture
from vqa_tui.embedded.topics import Topic
from vqa_tui.video.reader import UnusableVideo, video_reader

_BYTES_PER_SECOND = 300_000
"""Of a video whose length is not known because nothing here reads it."""
_SECONDS_AT_ADDRESS = 10.0
"""Taken for the length of a video that is only named: this server fetches nothing."""


@dataclass(frozen=True, slots=True)
class SentVideo:
    """A video part of a message: its bytes, or, where there are none, its address."""

    data: bytes = b""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class SeenVideo:
    """What is known of it. `first` is None where it was not opened."""

    first: Measurement | None
    seconds: float

    def tokens(self, per_second: float) -> int:
        return ceil(self.seconds * per_second)


def look_at(video: SentVideo) -> SeenVideo:
    """Open a video and measure its first frame. Blocks. Raises UnreadablePicture where it is none."""
    if not video.data:
        return SeenVideo(None, _SECONDS_AT_ADDRESS)
    try:
        reader = video_reader()
    except VqaError:
        return SeenVideo(None, len(video.data) / _BYTES_PER_SECOND)
    with tempfile.TemporaryDirectory(prefix="vqa-embedded-") as folder:
        file = Path(folder) / "video"
        file.write_bytes(video.data)
        try:
            facts = reader.measure(file, 0.0)
            image = reader.frames(file, [0.0])[0]
        except UnusableVideo as error:
            raise UnreadablePicture(f"it {error.reason}") from error
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return SeenVideo(measure_picture(buffer.getvalue()), facts.length_s or len(video.data) / _BYTES_PER_SECOND)


def unseen_topics() -> list[Topic]:
    """Return what can be asked where a video was named or sent that was not opened."""
    return [
        Topic(
            "general",
            ("What was sent to be looked at?", "What is this answer about?", "What does the request name?"),
            ("A video that this server did not open.", "A video, which was not opened here."),
        ),
        Topic(
            "detailed",
            ("What does the video look like?", "Which colours does the video show?", "What stands out in the video?"),
            ("That was not seen.", "Nobody looked at it here."),
        ),
    ]
