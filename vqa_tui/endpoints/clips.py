"""Making one clip of a video ready for an endpoint: as frames, as a video in the request, or by its address."""

import os
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.pictures import (
    BadPicture,
    KeptPictures,
    PreparedPicture,
    cannot_be_read,
    chosen_format,
    key_of,
    prepare_image,
)
from vqa_tui.video.fingerprint import sha256_of
from vqa_tui.video.leave import Leave, TimeIsUp
from vqa_tui.video.reader import UnusableVideo, VideoReader, video_reader

_MEDIA_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm"}
"""Of files that are sent as they are; clips of others are cut anew, into MP4."""
_CUT_TYPE = "video/mp4"


@dataclass(frozen=True, slots=True)
class PreparedVideo:
    """One part of a message that holds a video: its bytes, or, where there are none, its address."""

    part: str
    """The `type` of the part: `video_url`, or `image_url` where that takes videos too."""
    mime: str = _CUT_TYPE
    data: bytes = b""
    uri: str = ""


def prepare_frames(
    path: Path,
    facts: PictureFacts,
    times: Sequence[float],
    *,
    max_side: int | None,
    jpeg_quality: int,
    max_bytes: int,
    formats: Collection[str],
    cache: KeptPictures | None = None,
    leave: Leave | None = None,
) -> tuple[PreparedPicture, ...]:
    """Return the frames of a video at the rising `times` in seconds, ready to be sent. Blocks: call it in a thread.

    Each is made as `prepare_picture` makes a picture that must be changed; all together have at most `max_bytes` bytes.
    A frame is kept in `cache`. Raises BadPicture, also where the time of `leave` is up, and CalledOff.
    """
    leave = leave or Leave()
    _require_unchanged(path, facts, leave)
    written_as, each = chosen_format(formats), max_bytes // len(times)
    keys = [key_of(facts.sha256, max_side, written_as, jpeg_quality, each, at_s=at) for at in times]
    kept = {at: picture for at, key in zip(times, keys, strict=True) if cache and (picture := cache.get(key))}
    missing = [(at, key) for at, key in zip(times, keys, strict=True) if at not in kept]
    if missing:
        try:
            images = _reader().frames(path, [at for at, _key in missing], max_side, leave=leave)
        except UnusableVideo as error:
            raise BadPicture(error.reason) from error
        for (at, key), image in zip(missing, images, strict=True):
            kept[at] = prepare_image(image, written_as, max_side=max_side, jpeg_quality=jpeg_quality, max_bytes=each)
            if cache is not None:
                cache.put(key, kept[at])
    return tuple(kept[at] for at in times)


def prepare_video(
    path: Path,
    facts: PictureFacts,
    clip: Clip,
    *,
    part: str,
    max_side: int | None,
    max_bytes: int,
    sound: bool = False,
    leave: Leave | None = None,
) -> PreparedVideo:
    """Return a clip as bytes. Blocks on the disk and the CPU: call it in a thread.

    A file that is nothing but the clip is sent as it is where it fits; else the clip is cut, with no side over
    `max_side` pixels, and without its sound unless that is wanted. Raises BadPicture, also where it then has more than
    `max_bytes` bytes or the time of `leave` is up, and CalledOff.
    """
    leave = leave or Leave()
    _require_unchanged(path, facts, leave)
    mime = _MEDIA_TYPES.get(path.suffix.lower())
    fits = max_side is None or max(facts.width, facts.height) <= max_side
    try:
        if clip.whole and fits and mime is not None and facts.size_bytes <= max_bytes:
            return PreparedVideo(part, mime, path.read_bytes())
        with tempfile.TemporaryDirectory(prefix="vqa-clip-") as folder:
            file = Path(folder) / "clip.mp4"
            _reader().cut(path, clip, file, max_side, sound=sound, leave=leave)
            if (size := file.stat().st_size) > max_bytes:
                raise BadPicture(
                    f"the clip of {clip.length_s:g} s has {size:,} bytes, more than the {max_bytes:,} that the "
                    "endpoint takes; send frames or a smaller longest side"
                )
            return PreparedVideo(part, _CUT_TYPE, file.read_bytes())
    except UnusableVideo as error:
        raise BadPicture(error.reason) from error
    except OSError as error:
        raise cannot_be_read(error) from error


def video_at(clip: Clip, *, part: str) -> PreparedVideo:
    """Return a clip by its address. Raises BadPicture where it has none."""
    if not clip.uri:
        raise BadPicture("the clip lies at no address; import the dataset again with --clips-to")
    return PreparedVideo(part, uri=clip.uri)


def _reader() -> VideoReader:
    try:
        return video_reader()
    except VqaError as error:
        raise BadPicture(error.sentence) from error


def _require_unchanged(path: Path, facts: PictureFacts, leave: Leave) -> None:
    try:
        status = os.stat(path)
        if (status.st_size, status.st_mtime_ns) == (facts.size_bytes, facts.modified_ns):
            return
        is_same = sha256_of(path, status, leave) == facts.sha256
    except FileNotFoundError as error:
        raise BadPicture("the file is missing") from error
    except OSError as error:
        raise cannot_be_read(error) from error
    except TimeIsUp as error:
        raise BadPicture(str(error)) from error
    if not is_same:
        raise BadPicture("the file has changed since import; import the dataset again")
