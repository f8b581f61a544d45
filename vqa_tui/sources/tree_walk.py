"""Walking a folder tree of pictures in a fixed order, one directory listing in memory at a time."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.item import ImportProblem
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.probe import PICTURE_SUFFIXES, UNREAD_SUFFIXES
from vqa_tui.sources.record_truth import valid_text


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A file whose name says that it is a picture, or a video where these are looked for."""

    path: str
    """POSIX path relative to the root."""
    neighbours: frozenset[str]
    """Names of the files in the same folder."""


@dataclass(slots=True)
class JunkCount:
    """Files that look like pictures but are the shadow files (`._name`) that macOS leaves in archives."""

    count: int = 0
    first: str = ""

    def problem(self) -> ImportProblem | None:
        """Return the one line that reports them all, or None when there were none."""
        if not self.count:
            return None
        files = "file" if self.count == 1 else "files"
        reason = f"skipped {self.count} macOS shadow {files} (names that start with `._`); they hold no picture"
        return ImportProblem("._ files", self.first, reason)


def walk_pictures(contained: ContainedRoot, start: str, junk: JunkCount) -> Iterator[FoundPicture | ImportProblem]:
    """Yield the pictures below `start` as `walk_files` does; one in a format that is not read is a problem too."""
    return walk_files(contained, start, junk, PICTURE_SUFFIXES, UNREAD_SUFFIXES)


def walk_files(
    contained: ContainedRoot,
    start: str,
    junk: JunkCount,
    suffixes: Collection[str],
    unread: Collection[str] = (),
    passed_over: str = "",
) -> Iterator[FoundPicture | ImportProblem]:
    """Yield the files below `start` (a POSIX path in the root, '' for all of it) that end in one of `suffixes`, sorted
    within each folder.

    Hidden files and folders are passed over, and so are folders below `start` that hold a file named `passed_over`,
    with all in them; `._` files are counted in `junk`. A file that ends in one of `unread`,
    a link to a file outside the root, a link to a folder, a name that is not valid Unicode and a folder that cannot be
    read are problems.
    """
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            files, folders, linked = _listing(contained.path / folder)
        except OSError as error:
            name = valid_text(folder or ".")
            yield ImportProblem(f"{name}/", name, f"the folder cannot be read: {error.strerror}")
            continue
        if passed_over and folder != start and passed_over in files:
            continue
        for name in linked:
            path = valid_text(f"{folder}/{name}".lstrip("/"))
            yield ImportProblem(
                f"{path}/", path, "is a link to a folder, which is not followed; import the folder itself"
            )
        neighbours = frozenset(files)
        for name in files:
            suffix = os.path.splitext(name)[1].lower()
            path = f"{folder}/{name}".lstrip("/")
            if suffix in unread and not name.startswith("."):
                reason = f"is a picture in a format that is not read here ({suffix}); save it as JPEG or PNG"
                yield ImportProblem(valid_text(path), valid_text(path), reason)
            if suffix not in suffixes:
                continue
            if name.startswith("._"):
                junk.count, junk.first = junk.count + 1, junk.first or valid_text(path)
            elif not name.startswith("."):
                yield _checked(contained, path, neighbours)
        waiting += [f"{folder}/{name}".lstrip("/") for name in reversed(folders)]


def sub_folders(folder: Path) -> list[str]:
    """Return the names of the visible folders in `folder`, sorted; links to folders do not count."""
    return _listing(folder)[1]


def visible_files(folder: Path) -> list[str]:
    """Return the names of the visible files in `folder`, sorted; [] when there is no such folder."""
    try:
        return [name for name in _listing(folder)[0] if not name.startswith(".")]
    except FileNotFoundError:
        return []


def _checked(contained: ContainedRoot, path: str, neighbours: frozenset[str]) -> FoundPicture | ImportProblem:
    try:
        found = contained.find(path)
    except PathRefused as error:
        return ImportProblem(valid_text(path), valid_text(path), error.reason)
    if found is None:
        return ImportProblem(path, path, "is a link to a file that does not exist")
    return FoundPicture(found, neighbours)


def _listing(folder: Path) -> tuple[list[str], list[str], list[str]]:
    files, folders, linked = [], [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    folders.append(entry.name)
            elif entry.is_symlink() and _leads_to_folder(entry):
                linked.append(entry.name)
            else:
                files.append(entry.name)
    return sorted(files), sorted(folders), sorted(linked)


def _leads_to_folder(link: "os.DirEntry[str]") -> bool:
    try:
        return link.is_dir()
    except OSError:
        return False  # it leads in a circle, or where nobody may look: as a file it is told of by its own name
