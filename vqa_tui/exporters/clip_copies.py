"""Clips of an export cut out of their videos, into the folder of pictures beside its training file."""

import contextlib
import hashlib
from functools import lru_cache
from pathlib import Path

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.export import ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.video.reader import UnusableVideo, video_reader

_VIDEOS_KEPT = 64


def must_be_cut(picture: ExportPicture) -> bool:
    """Tell whether a picture is a part of a longer video, which no training file can name by itself."""
    return picture.truth.clip is not None and not picture.truth.clip.whole


class ClipCopies:
    """Cuts clips, each once; what it made is taken away again by `discard`.

    A file is named by the SHA-256 of its video's hash and its times, so that one that stands there is the same clip.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []
        self._made_folders: list[Path] = []
        self._hash_of = lru_cache(maxsize=_VIDEOS_KEPT)(_hash_of)

    def place(self, picture: ExportPicture, file: Path) -> Path:
        """Return the path of the clip of the video `file`, relative to the folder in which the pictures folder stands.

        Raises VqaError when the video is gone, has changed since it was imported, or cannot be read.
        """
        clip = picture.truth.clip
        assert clip is not None
        beneath = _name(picture.sha256, clip)
        target = self._folder / beneath
        if not target.exists():
            try:
                changed = self._hash_of(file) != picture.sha256
                if not changed:
                    self._make_folder(target.parent)
                    video_reader().cut(file, clip, target)
            except UnusableVideo as error:
                raise _unusable(file, error.reason) from error
            except OSError as error:
                raise _unusable(file, f"cannot be read: {error.strerror or error}") from error
            if changed:
                raise _unusable(file, "has changed since it was imported")
            self._made.append(target)
        return Path(self._folder.name) / beneath

    def discard(self) -> None:
        """Remove what this export made: it did not come to its end."""
        for file in self._made:
            file.unlink(missing_ok=True)
        for folder in reversed(self._made_folders):
            with contextlib.suppress(OSError):  # Another export may have put clips there meanwhile.
                folder.rmdir()
        self.keep()

    def keep(self) -> None:
        """Let everything stand."""
        self._made.clear()
        self._made_folders.clear()

    def _make_folder(self, folder: Path) -> None:
        for each in (self._folder, folder):
            if not each.is_dir():
                each.mkdir()
                self._made_folders.append(each)


def _name(sha256: str, clip: Clip) -> Path:
    digest = hashlib.sha256(f"{sha256} {clip.start_s!r} {clip.end_s!r}".encode()).hexdigest()
    return Path(digest[:2]) / f"{digest}.mp4"


def _hash_of(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unusable(file: Path, why: str) -> VqaError:
    return VqaError(
        f"the video {file} {why}", hint="Put the former one back, or import the dataset again and ask about it again."
    )
