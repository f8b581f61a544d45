"""What files of an import are like: known from before where they are as they were, else found out by opening them."""

import os
from collections.abc import Sequence
from pathlib import Path

from vqa_tui.domain.item import GroundTruth, PictureFacts, SourceItem
from vqa_tui.sources.clip_probe import probe_clip
from vqa_tui.sources.probe import UnusablePicture, probe
from vqa_tui.sources.source import MakesFiles
from vqa_tui.store.datasets import StoredItem, truth_json
from vqa_tui.video.fingerprint import remember

FileFacts = tuple[PictureFacts, ...] | UnusablePicture
"""What the files of an item are, its own picture first; or what is wrong with one of them."""


def unchanged_facts(
    root: Path, items: Sequence[SourceItem], known: dict[str, StoredItem], makes_files: bool
) -> list[FileFacts | None]:
    """Return the facts of files that are as they were stored, by path, size and time; None for those to be opened.

    Where the source makes files, one that is gone is to be made anew, and so is that of an item of which something
    else is known as well.
    """
    prefix = f"{root}/"
    facts: list[FileFacts | None] = []
    for item in items:
        earlier = known.get(item.key)
        if earlier is None or earlier.path != item.path:
            facts.append(None)
            continue
        if makes_files and earlier.truth != truth_json(item.truth):
            facts.append(None)
            continue
        try:
            status = os.stat(prefix + item.path)
        except OSError as error:
            facts.append(None if makes_files else UnusablePicture(f"cannot be read: {error.strerror}"))
            continue
        is_same = (status.st_size, status.st_mtime_ns) == (earlier.facts.size_bytes, earlier.facts.modified_ns)
        further = _unchanged_further(root, item, earlier) if is_same else None
        facts.append(None if further is None else (earlier.facts, *further))
        if is_same and item.truth.clip is not None:
            # A new clip of a video that is known from others is made without reading all of that again.
            remember(Path(prefix + item.path), status.st_size, status.st_mtime_ns, earlier.facts.sha256)
    return facts


def _unchanged_further(root: Path, item: SourceItem, earlier: StoredItem) -> tuple[PictureFacts, ...] | None:
    """Return the facts of the further pictures of an item whose files are as they were stored; None: open them all."""
    if earlier.pictures == 1 + len(item.further) == 1:
        return ()
    stored = GroundTruth.model_validate_json(earlier.truth).further
    if tuple(picture.path for picture in stored) != item.further:
        return None
    for picture in stored:
        try:
            status = os.stat(root / picture.path)
        except OSError:
            return None
        if (status.st_size, status.st_mtime_ns) != (picture.facts.size_bytes, picture.facts.modified_ns):
            return None
    return tuple(picture.facts for picture in stored)


def opened_facts(root: Path, items: Sequence[SourceItem], makes: MakesFiles | None) -> list[FileFacts]:
    """Open pictures and clips; runs in a thread."""
    facts: list[FileFacts] = []
    for item in items:
        path = Path(f"{root}/{item.path}")
        try:
            if makes is not None:
                makes.make(item)
            own = probe(path) if item.truth.clip is None else probe_clip(path, item.truth.clip)
            facts.append((own, *(_probed_further(root, further) for further in item.further)))
        except UnusablePicture as error:
            facts.append(error)
    return facts


def _probed_further(root: Path, path: str) -> PictureFacts:
    try:
        return probe(root / path)
    except UnusablePicture as error:
        raise UnusablePicture(f"cannot be shown with `{path}`, which {error.reason}") from error
