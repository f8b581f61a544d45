"""Names of files that must not lead out of a folder."""

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

    def __init__(self, folder: Path) -> None:
        """Take an existing folder. Raises FileNotFoundError or NotADirectoryError when it is not one."""
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
        that names no file because reading it put U+FFFD in the place of what is no character.
        """
        parent, _, leaf = name.rpartition("/")
        is_plain_leaf = leaf.isascii() and leaf not in _STEPS and "\0" not in leaf
        if is_plain_leaf and not name.startswith("/") and self._is_plain_folder(parent):
            relative = name
        else:
            relative = _relative_name(name)
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
        """Return an absolute name as one relative to the root, or None when it lies elsewhere."""
        for prefix in (self._prefix, self._prefix_as_given):
            if absolute.startswith(prefix):
                return absolute[len(prefix) :] or None
        return None

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
        if not (real + "/").startswith(self._prefix):
            raise PathRefused(f"is a link that leads out of {self.path}")


def _is_plain(folder: str) -> bool:
    """Return whether a folder stands in a name as `_relative_name` would write it."""
    try:
        return folder == "" or _relative_name(folder) == folder
    except PathRefused:
        return False


def _relative_name(name: str) -> str:
    if "\0" in name:
        raise PathRefused("holds a NUL character")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PathRefused("is not valid Unicode; rename the file") from error
    if name.startswith("/"):
        raise PathRefused("is an absolute path; only paths inside the dataset's folder are read")
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if ".." in steps:
        raise PathRefused("has a `..` step; only paths inside the dataset's folder are read")
    if not steps:
        raise PathRefused("is empty")
    return "/".join(steps)
