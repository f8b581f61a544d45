"""A folder tree of pictures, each perhaps with a sidecar that says what is known of it."""

from collections.abc import Iterator
from pathlib import Path

from vqa_tui.domain.item import GroundTruth, ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.record_truth import BadRecord, text_of
from vqa_tui.sources.sidecar import BadSidecar, read_json_object, read_text_file, sidecars_of, truth_of
from vqa_tui.sources.splits import split_in_path
from vqa_tui.sources.tree_walk import FoundPicture, JunkCount, walk_pictures


class FolderSource:
    """Every picture below a folder; the key is its path.

    `name.txt` (or `name.jpg.txt`) beside a picture is its caption; `name.json` (or `name.jpg.json`) is an object with
    any of `categories`, `boxes`, `caption`, `captions`, `questions`, `split`. A picture whose sidecar is malformed is
    left out until it is repaired: asking about it without its ground truth would be paid for and not grounded.
    The split is the sidecar's, else that of a folder named train, val or test.
    """

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        self._contained = ContainedRoot(folder, allow_outside=allow_outside)
        self.root = self._contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items folder by folder, sorted by name; see Source.records."""
        junk = JunkCount()
        for found in walk_pictures(self._contained, "", junk):
            if isinstance(found, ImportProblem):
                yield found
            else:
                yield from with_sidecars(self._contained, found, "picture")
        if problem := junk.problem():
            yield problem


def with_sidecars(contained: ContainedRoot, picture: FoundPicture, word: str) -> Iterator[SourceItem | ImportProblem]:
    """Yield the item of a file, which is called `word`, with what the files beside it say, and what is wrong with
    these."""
    texts = sidecars_of(picture.path, picture.neighbours, ".txt")[:1]
    objects = sidecars_of(picture.path, picture.neighbours, ".json")[:1]
    truth, split = GroundTruth(), ""
    try:
        captions = tuple(text for path in texts if (text := read_text_file(contained, path)))
        if objects:
            record = read_json_object(contained, objects[0])
            truth, dropped = truth_of(record, captions)
            split = text_of(record, "split")
            for box in dropped:
                reason = f"box {box.number} {box.reason}; the {word} is imported without this box"
                yield ImportProblem(f"{picture.path} box {box.number}", objects[0], reason)
        elif captions:
            truth = GroundTruth(captions=captions)
    except BadSidecar as error:
        yield ImportProblem(picture.path, error.where, f"{error.reason}; the {word} is left out until it is repaired")
        return
    except BadRecord as error:
        reason = f"{error.reason}; the {word} is left out until it is repaired"
        yield ImportProblem(picture.path, f"{objects[0]} line 1", reason)
        return
    yield SourceItem(picture.path, picture.path, truth, split or split_in_path(picture.path), picture.path)
