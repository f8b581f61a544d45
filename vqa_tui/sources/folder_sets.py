"""A folder tree whose pictures belong together folder by folder."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from vqa_tui.domain.item import MOST_PICTURES, GroundTruth, ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.sidecar import BadSidecar, read_text_file, sidecars_of
from vqa_tui.sources.splits import split_in_path
from vqa_tui.sources.tree_walk import FoundPicture, JunkCount, walk_pictures


class FolderSetSource:
    """All pictures of one folder make one item, sorted by name; the key is the path of the folder.

    Those that lie in the root itself are the item `.`. `name.txt` beside a picture is a caption of the item. The split
    is that of a folder named train, val or test. A folder of more than MOST_PICTURES pictures, or with one that cannot
    be read, is a problem as a whole: nobody is asked about a part of it.
    """

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        self._contained = ContainedRoot(folder, allow_outside=allow_outside)
        self.root = self._contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items folder by folder; see Source.records."""
        junk = JunkCount()
        for folder, found in groupby(walk_pictures(self._contained, "", junk), key=_folder_of):
            pictures: list[FoundPicture] = []
            missing: list[str] = []
            for each in found:
                if isinstance(each, ImportProblem):
                    yield each
                    # A folder, which ends in a slash, is none of the pictures.
                    missing += [] if each.key.endswith("/") else [each.where]
                else:
                    pictures.append(each)
            if len(pictures) > MOST_PICTURES:
                reason = f"holds {len(pictures)} pictures; one item has {MOST_PICTURES} at most"
                yield ImportProblem(f"{folder}/", folder, reason)
            elif pictures and missing:
                files = f"`{missing[0]}` is"
                if len(missing) > 1:
                    files = f"{len(missing)} files (first: `{missing[0]}`) are"
                yield ImportProblem(folder, folder, f"is left out as a whole until {files} repaired or removed")
            elif pictures:
                yield self._item(folder, pictures)
        if problem := junk.problem():
            yield problem

    def _item(self, folder: str, pictures: list[FoundPicture]) -> SourceItem | ImportProblem:
        texts = [path for each in pictures for path in sidecars_of(each.path, each.neighbours, ".txt")[:1]]
        try:
            captions = tuple(text for path in texts if (text := read_text_file(self._contained, path)))
        except BadSidecar as error:
            return ImportProblem(
                folder, error.where, f"{error.reason}; the pictures of this folder are left out until it is repaired"
            )
        own, *further = (each.path for each in pictures)
        truth = GroundTruth(captions=captions)
        return SourceItem(folder, own, truth, split_in_path(own), folder, tuple(further))


def _folder_of(found: FoundPicture | ImportProblem) -> str:
    path = found.path if isinstance(found, FoundPicture) else found.where
    return path.rpartition("/")[0] or "."
