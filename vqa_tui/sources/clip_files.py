"""The files of clips: where each lies, cutting it out of its video, and its copy at an address."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vqa_tui.domain.clip import Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import SourceItem
from vqa_tui.sources.clip_wishes import ClipWishes, write_note
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.video.addresses import check_address, exists_at, is_address, joined, opened_address, write_to
from vqa_tui.video.reader import UnusableVideo, Video, video_reader

_CUT_FROM = "cut_from"
"""The field of an item's `extra` that says out of which video, and where, its clip is cut."""


class ClipFiles:
    """Knows by key where the clips of one source lie; they lie in folders and files named by it."""

    def __init__(self, videos: Path, wishes: ClipWishes) -> None:
        """Take the folder of local videos. Raises VqaError for wishes that do not go together or cannot be met."""
        self._videos, self._wishes = videos, wishes
        if wishes.upload_to:
            if not is_address(wishes.upload_to):
                raise VqaError(
                    f"--clips-to needs an address with a scheme, and {wishes.upload_to} is none",
                    hint="Write gs://BUCKET/FOLDER or s3://BUCKET/FOLDER; a folder of this machine is --keep-clips.",
                )
            check_address(joined(wishes.upload_to, "x"))
        if wishes.videos_from and wishes.keep is None:
            raise VqaError(
                f"videos at an address ({wishes.videos_from}) are read once, to cut the clips out of them",
                hint="Name a folder for the clips with --keep-clips.",
            )
        self.root = videos
        if wishes.keep is not None:
            try:
                wishes.keep.mkdir(parents=True, exist_ok=True)
                write_note(videos, wishes)
            except OSError as error:
                raise VqaError(
                    f"the folder {wishes.keep} cannot be written to: {error.strerror}",
                    hint="Name another with --keep-clips.",
                ) from error
            self.root = wishes.keep.resolve()

    def placed(self, key: str, video: str, clip: Clip) -> tuple[Clip, str, dict[str, Any]]:
        """Return a clip of the file or address `video` as the item has it, the path of the item from the root, and
        what `make` wants in its `extra`.

        Its times stand in the names of files, so that one which was cut at other times is not taken for it.
        """
        name = f"{key}_{clip.start_s:.15g}-{clip.end_s:.15g}.mp4"
        uri = joined(self._wishes.upload_to, name) if self._wishes.upload_to else ""
        if self._wishes.keep is None and not uri:
            return clip, video, {}
        cut_from = {_CUT_FROM: {"video": video, "start_s": clip.start_s, "end_s": clip.end_s}}
        if self._wishes.keep is None:
            return clip.model_copy(update={"uri": uri}), video, cut_from
        return Clip(start_s=0, end_s=clip.length_s, whole=True, uri=uri), name, cut_from

    def make(self, item: SourceItem) -> None:
        """Cut the clip of an item that is to be kept or uploaded, unless that was done. Raises UnusablePicture."""
        known = item.truth.extra.get(_CUT_FROM)
        if known is None or item.truth.clip is None:
            return
        video, clip = str(known["video"]), Clip(start_s=known["start_s"], end_s=known["end_s"])
        try:
            uri = item.truth.clip.uri
            if self._wishes.keep is None:
                self._upload(uri, video, clip)
                return
            target = self.root / item.path
            if not os.path.isfile(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                self._cut(video, clip, target)
            if uri and not exists_at(uri):
                write_to(uri, target)
        except UnusableVideo as error:
            raise UnusablePicture(f"cannot be cut out of {video}, which {error.reason}") from error
        except (OSError, VqaError) as error:
            words = error.message if isinstance(error, VqaError) else error.strerror or str(error)
            raise UnusablePicture(f"cannot be made of {video}: {words}") from error

    def _upload(self, uri: str, video: str, clip: Clip) -> None:
        if exists_at(uri):
            return
        with tempfile.TemporaryDirectory(prefix="vqa-clip-") as folder:
            file = Path(folder) / "clip.mp4"
            self._cut(video, clip, file)
            write_to(uri, file)

    def _cut(self, video: str, clip: Clip, target: Path) -> None:
        with self._opened(video) as source:
            video_reader().cut(source, clip, target)

    @contextmanager
    def _opened(self, video: str) -> Iterator[Video]:
        if is_address(video):
            with opened_address(video) as stream:
                yield stream
        else:
            yield self._videos / video
