"""Unpacking RAR archives with whichever program there is, after looking that nothing in them leads elsewhere."""

import os
import shutil
import stat
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vqa_tui.domain.failure import VqaError, WorkFailed

TOOLS: dict[str, Callable[[str, str], list[str]]] = {
    "unrar": lambda archive, folder: ["x", "-idq", "-o-", "-p-", "-y", "--", archive, f"{folder}/"],
    "unar": lambda archive, folder: ["-quiet", "-no-directory", "-output-directory", folder, archive],
    "bsdtar": lambda archive, folder: ["-x", "-f", archive, "-C", folder],
    "7zz": lambda archive, folder: ["x", "-y", "-bd", "-bso0", "-p-", f"-o{folder}", "--", archive],
    "7z": lambda archive, folder: ["x", "-y", "-bd", "-bso0", "-p-", f"-o{folder}", "--", archive],
}
"""The programs that can do it, in the order in which they are tried, with their arguments."""
_NAMES = "unrar, unar, bsdtar (libarchive-tools) or 7z"
_SAID_LIMIT = 200
_COPY_INSIDE = 5
"""RAR 5's mark of a file that is stored as a copy of another one in the archive (`RAR5_XREDIR_FILE_COPY`)."""


@dataclass(frozen=True, slots=True)
class _Entry:
    bytes: int
    crc: int | None
    """CRC-32 of the content; newer archives may hold another hash in its place."""


def require_tool() -> None:
    """Raise VqaError, naming the programs, when none that unpacks RAR is on PATH."""
    if not _found():
        raise VqaError(f"no program that unpacks .rar is on PATH: {_NAMES}", hint="Install one of them; do it again.")


def unpack_rar(archive: Path, target: Path) -> None:
    """Unpack `archive` so that the folder `target` appears whole or not at all.

    Where the archive holds one folder of the name of `target`, that folder is it. Raises VqaError when no program is
    there, and when an entry would lie elsewhere, is a link, or is locked by a password; WorkFailed when the archive is
    damaged, or no program can read it; OSError, also where there is no room for what it holds.
    """
    require_tool()
    expected = _entries(archive)
    _require_room(archive, target.parent, sum(entry.bytes for entry in expected.values()))
    staging = target.with_name(f".{target.name}.unpacking")
    if staging.is_symlink():
        raise VqaError(f"{staging} is a link; nothing is unpacked through it", hint="Remove it.")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _extract(archive, staging)
        _require_all(archive, staging, expected)
        inner = staging / target.name
        only = [entry.name for entry in os.scandir(staging)] == [target.name] and inner.is_dir()
        os.replace(inner if only else staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _found() -> list[str]:
    return [name for name in TOOLS if shutil.which(name)]


def _entries(archive: Path) -> dict[str, _Entry]:
    """Return the files of an archive by path, after looking at every entry."""
    try:
        import rarfile
    except ImportError as error:
        raise VqaError(
            "looking into .rar files needs rarfile, which is not installed",
            hint="Install it with: pip install 'vqa-tui[hub]'",
        ) from error
    try:
        with rarfile.RarFile(archive) as opened:
            if opened.needs_password():
                raise VqaError(f"{archive} is locked with a password", hint="Unpack it yourself.")
            entries = opened.infolist()
    except rarfile.Error as error:
        raise WorkFailed(
            f"{archive} cannot be read as a RAR archive: {error}", hint="Remove it and download it again."
        ) from error
    files: dict[str, _Entry] = {}
    for entry in entries:
        if reason := _why_not(entry):
            raise VqaError(
                f"{archive} is not unpacked: its entry {entry.filename!r} {reason}",
                hint="Such an archive can write over other files. Ask whoever made it.",
            )
        if not entry.is_dir():
            files[PurePosixPath(entry.filename).as_posix()] = _Entry(int(entry.file_size or 0), entry.CRC)
    return files


def _why_not(entry: Any) -> str:
    name = str(entry.filename)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":" or not path.parts:
        return "leads out of the folder"
    if any(ord(character) < 32 for character in name):
        return "has a control character in its name"
    redirected = getattr(entry, "file_redir", None)
    if entry.is_symlink() or (redirected and redirected[0] != _COPY_INSIDE):
        return "is a link"
    return ""


def _require_room(archive: Path, folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise WorkFailed(
            f"{archive} holds {wanted / 1e9:.1f} GB, and the disk of {folder} has {free / 1e9:.1f} GB left",
            hint="Make room, or choose a folder on another disk.",
        )


def _extract(archive: Path, staging: Path) -> None:
    """Unpack into `staging` with the first program that can."""
    said = []
    for name in _found():
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        command = [name, *TOOLS[name](str(archive.absolute()), str(staging.absolute()))]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return
        words = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        said.append(f"{name}: {words[-1][:_SAID_LIMIT]}")
    raise WorkFailed(
        f"{archive} could not be unpacked ({'; '.join(said)})",
        hint=f"The archive was whole when it came. Another program may read it: {_NAMES}.",
    )


def _require_all(archive: Path, staging: Path, expected: dict[str, _Entry]) -> None:
    """Raise WorkFailed unless exactly what the archive lists has been written, as plain files of that content."""
    wrong = set(expected)
    for folder, folders, files in os.walk(staging):
        for name in (*folders, *files):
            path = Path(folder, name)
            facts = path.lstat()
            if not stat.S_ISREG(facts.st_mode):
                if not stat.S_ISDIR(facts.st_mode):
                    raise WorkFailed(f"{archive} is not unpacked: it made {name!r}, which is no plain file")
                continue
            inner = path.relative_to(staging).as_posix()
            if (entry := expected.get(inner)) and entry.bytes == facts.st_size and entry.crc in (None, _crc(path)):
                wrong.discard(inner)
            else:
                wrong.add(inner)
    if wrong:
        raise WorkFailed(
            f"{archive} was not unpacked as it is listed: {len(wrong)} files differ, such as {min(wrong)!r}",
            hint=f"Another program may do better: {_NAMES}.",
        )


def _crc(path: Path) -> int:
    crc = 0
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            crc = zlib.crc32(piece, crc)
    return crc
