"""Copies of pictures, or links to them, in a folder beside a training file, named by their content."""

import contextlib
import errno
import hashlib
import os
from enum import StrEnum
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.atomic_file import AtomicFile

_NO_HARD_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
_READ_AT_ONCE = 1 << 20


class PictureUse(StrEnum):
    """Where a training file finds its pictures."""

    IN_PLACE = "in-place"
    """Where the dataset has them."""
    COPY = "copy"
    LINK = "link"
    """Hard links beside the file, or symbolic ones where those cannot be."""
    INLINE = "inline"
    """In the training file itself, as data URIs."""


def pictures_folder(out: Path) -> Path:
    """Return the folder of the pictures of the export `out`: `x.jsonl` has `x.pictures`."""
    return out.with_name(f"{out.stem}.pictures")


class PictureCopies:
    """Puts pictures into a folder, each content once; what it made is taken away again by `discard`.

    A file is named by the SHA-256 of its content, so that one that stands there already is the same picture.
    """

    def __init__(self, folder: Path, use: PictureUse) -> None:
        self._folder, self._use = folder, use
        self._made: list[Path] = []
        self._made_folders: list[Path] = []

    def place(self, sha256: str, file: Path) -> Path:
        """Return the path of the copy of `file`, relative to the folder in which the pictures folder stands.

        `sha256` is that of its content. Raises VqaError when the picture is gone or is not what was imported, OSError
        when it cannot be written.
        """
        beneath = Path(sha256[:2]) / f"{sha256}{file.suffix.lower()}"
        target = self._folder / beneath
        # A symbolic link of an earlier export may lead nowhere by now, and would not travel as a copy does.
        is_link = target.is_symlink()
        if not target.exists() or (is_link and self._use is PictureUse.COPY):
            self._make_folder(target.parent)
            if is_link and self._use is PictureUse.LINK:
                target.unlink()
            if self._use is PictureUse.COPY:
                self._copy(sha256, file, target)
            else:
                self._link(sha256, file, target)
            self._made.append(target)
        return Path(self._folder.name) / beneath

    def discard(self) -> None:
        """Remove what this export made: it did not come to its end."""
        for file in self._made:
            file.unlink(missing_ok=True)
        for folder in reversed(self._made_folders):
            with contextlib.suppress(OSError):  # Another export may have put pictures there meanwhile.
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

    def _copy(self, sha256: str, file: Path, target: Path) -> None:
        copy = AtomicFile(target)
        try:
            try:
                source = open(file, "rb")  # noqa: SIM115 - only its opening may fail for lack of the picture
            except OSError as error:
                raise _missing(file, error) from error
            with source:
                while data := source.read(_READ_AT_ONCE):
                    copy.write(data)
            if copy.sha256 != sha256:
                raise _changed(file)
            copy.seal()
            copy.commit()
        finally:
            copy.discard()

    def _link(self, sha256: str, file: Path, target: Path) -> None:
        try:
            with open(file, "rb") as source:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            raise _missing(file, error) from error
        if digest != sha256:
            raise _changed(file)
        real = file.resolve()
        try:
            os.link(real, target)
        except OSError as error:
            if error.errno not in _NO_HARD_LINK:
                raise
            os.symlink(real, target)


def _missing(file: Path, error: OSError) -> VqaError:
    return VqaError(
        f"the picture {file} cannot be read: {error.strerror or error}",
        hint="Put it back, or export without copies or links of the pictures.",
    )


def _changed(file: Path) -> VqaError:
    return VqaError(
        f"the picture {file} has changed since it was imported",
        hint="Put the former one back, or import the dataset again and ask about the picture again.",
    )
