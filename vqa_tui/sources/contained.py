"""Names of files that must not lead out of a folder, unless a person allows it."""

import os
import stat
from functools import lru_cache
from pathlib import Path

_CACHED_FOLDERS = 4096
_STEPS = frozenset({"", ".", ".."})
"""Parts of a name that are not the name of anything."""


class PathRefused(Exception):
    """A name that leads out of the folder, or that no file can have. `reason` says which, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ContainedRoot:
    """A folder, and the one way from names in untrusted annotation files to the files inside it."""

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        """Take an existing folder; `allow_outside` lets names and links lead out of it.

        Raises FileNotFoundError or NotADirectoryError when it is not one.
        """
        self._allow_outside = allow_outside
        self.path = folder.resolve(strict=True)
        if not self.path.is_dir():
            raise NotADirectoryError(str(folder))
        self._prefix = str(self.path).rstrip("/") + "/"
        self._prefix_as_given = str(folder.absolute()).rstrip("/") + "/"
        # A million pictures share a handful of folders: resolving each folder once leaves one lstat per picture.
        self._real_folder = lru_cache(maxsize=_CACHED_FOLDERS)(self._resolve_folder)
        self._is_plain_folder = lru_cache(maxsize=_CACHED_FOLDERS)(_is_plain)

    def find(self, name: str) -> str | None:
        """Return the POSIX path, relative to the root, of the regular file that `name` means; None if there is none.

        Raises PathRefused for an absolute name, a `..` step, a NUL, a symbolic link whose target lies outside the
        root, anything that is not a regular file (a folder, a pipe, a device), a name that cannot be looked up, or one
        that names no file because reading it put U+FFFD in the place of what is no character. Where files outside are
        allowed, the first two and links are not refused: the path then begins with `..` steps where the file, or the
        folder that its name leads to, lies outside.
        """
        parent, _, leaf = name.rpartition("/")
        is_plain_leaf = leaf.isascii() and leaf not in _STEPS and "\0" not in leaf
        if is_plain_leaf and not name.startswith("/") and self._is_plain_folder(parent):
            relative = name
        else:
            relative = self._from_root(name) if self._allow_outside else _relative_name(name)
            parent, _, leaf = relative.rpartition("/")
        folder = self._real_folder(parent)
        try:
            if folder is not None and self._is_file(f"{folder}/{leaf}"):
                return relative
        except OSError as error:
            raise PathRefused(f"cannot be looked up: {error.strerror}") from error
        if "\ufffd" in name:
            raise PathRefused("is not valid Unicode where the annotations name it; correct it there")
        return None

    def inside(self, absolute: str) -> str | None:
        """Return an absolute name as one relative to the root; where it lies elsewhere None, or itself if allowed."""
        for prefix in (self._prefix, self._prefix_as_given):
            if absolute.startswith(prefix):
                return absolute[len(prefix) :] or None
        return absolute if self._allow_outside and absolute.startswith("/") else None

    def _from_root(self, name: str) -> str:
        """Return a name that may be absolute or have `..` steps as the shortest one from the root."""
        _require_text(name)
        parent, _, leaf = name.rpartition("/")
        if leaf in _STEPS:
            raise PathRefused("is empty" if not name.strip("./") else "is not a regular file")
        if not name.startswith("/") and ".." not in parent.split("/"):
            return _relative_name(name)
        # Links on the way are followed first: after one, `..` is not the step before it.
        folder = os.path.realpath(os.path.join(self.path, parent or "/"))
        relative = os.path.relpath(os.path.join(folder, leaf), self.path)
        _require_text(relative)
        return relative

    def _is_file(self, full: str) -> bool:
        try:
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                full = os.path.realpath(full, strict=True)
                self._require_inside(full)
                mode = os.lstat(full).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not stat.S_ISREG(mode):
            raise PathRefused("is not a regular file")
        return True

    def _resolve_folder(self, relative: str) -> str | None:
        try:
            real = os.path.realpath(os.path.join(self.path, relative), strict=True)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PathRefused(f"cannot be looked up: {error.strerror}") from error
        self._require_inside(real)
        return real

    def _require_inside(self, real: str) -> None:
        if not self._allow_outside and not (real + "/").startswith(self._prefix):
            raise PathRefused(f"is a link that leads out of {self.path}, which only --allow-outside follows")


def _is_plain(folder: str) -> bool:
    """Return whether a folder stands in a name as `_relative_name` would write it."""
    try:
        return folder == "" or _relative_name(folder) == folder
    except PathRefused:
        return False


def _require_text(name: str) -> None:
    if "\0" in name:
        raise PathRefused("holds a NUL character")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PathRefused("is not valid Unicode; rename the file") from error


def _relative_name(name: str) -> str:
    _require_text(name)
    if name.startswith("/"):
        raise PathRefused("is an absolute path; paths outside the dataset's folder are read with --allow-outside only")
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if ".." in steps:
        raise PathRefused("has a `..` step; paths outside the dataset's folder are read with --allow-outside only")
    if not steps:
        raise PathRefused("is empty")
    return "/".join(steps)
