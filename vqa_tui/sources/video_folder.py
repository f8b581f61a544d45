"""A folder tree of videos: each is one clip, or is cut into clips of one length, one behind the other."""

from collections.abc import Iterator
from math import floor
from pathlib import Path

from vqa_tui.domain.clip import VIDEO_SUFFIXES, Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.clip_files import ClipFiles
from vqa_tui.sources.clip_probe import length_of
from vqa_tui.sources.clip_wishes import NOTE, ClipWishes
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.folder import with_sidecars
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.sources.tree_walk import JunkCount, walk_files
from vqa_tui.video.reader import video_reader

_LEAST_S = 1.0
"""What is left at the end of a video and is shorter belongs to the clip before it."""


class VideoFolderSource:
    """Every video below a folder; the key is its path, and of a clip of it `path/START-END` in seconds.

    Files beside a video say what is known of it, as beside a picture of a folder (FolderSource); of a video that is cut
    they hold for each of its clips. The length is that which the container tells. A folder of kept clips among the
    videos is passed over: what lies there was cut out of them.
    """

    def __init__(self, folder: Path, wishes: ClipWishes | None = None, *, allow_outside: bool = False) -> None:
        """Raises VqaError where nothing is installed that reads videos, or a wish makes no sense here."""
        wishes = wishes or ClipWishes()
        if wishes.videos_from:
            raise VqaError(
                "--videos-from does not go with kind `video`: nothing lists the videos at an address",
                hint="Name a folder of this machine.",
            )
        video_reader()
        self._contained = ContainedRoot(folder, allow_outside=allow_outside)
        if wishes.keep is not None and self._contained.path.is_relative_to(wishes.keep.resolve()):
            raise VqaError(
                f"clips kept in {wishes.keep} would lie among the videos, and be taken for some at the next import",
                hint="Name a folder of its own with --keep-clips; it may lie in that of the videos.",
            )
        self._length_s = wishes.length_s
        self._files = ClipFiles(self._contained.path, wishes)
        self.root = self._files.root

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items folder by folder, sorted by name; see Source.records."""
        junk = JunkCount()
        for found in walk_files(self._contained, "", junk, VIDEO_SUFFIXES, passed_over=NOTE):
            if isinstance(found, ImportProblem):
                yield found
                continue
            for record in with_sidecars(self._contained, found, "video"):
                if isinstance(record, ImportProblem):
                    yield record
                else:
                    yield from self._clips_of(record)
        if problem := junk.problem():
            yield problem

    def make(self, item: SourceItem) -> None:
        """Cut and upload the clip of an item as wished; see MakesFiles.make."""
        self._files.make(item)

    def _clips_of(self, video: SourceItem) -> Iterator[SourceItem | ImportProblem]:
        try:
            length_s = length_of(self._contained.path / video.path)
        except UnusablePicture as error:
            yield ImportProblem(video.key, video.where, f"the video {error.reason}")
            return
        for clip in clips_of(length_s, self._length_s):
            key = video.key if clip.whole else f"{video.key}/{clip.start_s:.15g}-{clip.end_s:.15g}"
            placed, path, extra = self._files.placed(key, video.path, clip)
            truth = video.truth.model_copy(update={"clip": placed, "extra": {**video.truth.extra, **extra}})
            yield SourceItem(key, path, truth, video.split, video.where)


def clips_of(length_s: float, each_s: float) -> Iterator[Clip]:
    """Yield the clips of a video of so many seconds, `each_s` long but for the last; 0 is the video as a whole."""
    count = max(floor((length_s - _LEAST_S) / each_s) + 1, 1) if each_s else 1
    if count == 1:
        yield Clip(start_s=0, end_s=length_s, whole=True)
        return
    for number in range(count):
        end_s = length_s if number == count - 1 else round((number + 1) * each_s, 6)
        yield Clip(start_s=round(number * each_s, 6), end_s=end_s)
