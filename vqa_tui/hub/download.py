"""Files of a dataset on the Hub: which there are, and each fetched so that a cut goes on where it was cut."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.hub.client import PATIENCE_S, api, endpoint, hub_errors, library, token

_READ_BYTES = 1 << 20
_MARK_DIGITS = 16


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file at one commit. Of a large file the Hub tells the SHA-256, of any other the id that Git gives it."""

    repo_id: str
    commit: str
    name: str
    """POSIX path in the repository."""
    bytes: int
    sha256: str | None
    git_id: str | None


@dataclass(frozen=True, slots=True)
class HubListing:
    """The files of a dataset at one commit that are wanted."""

    repo_id: str
    commit: str
    files: tuple[HubFile, ...]


def list_files(repo_id: str, patterns: Sequence[str], revision: str | None = None) -> HubListing:
    """Return the files whose path matches one of `patterns` (fnmatch), sorted by path.

    Raises VqaError when there is none, when a name leads out of the folder of the download, and as `hub_errors` does.
    """
    with hub_errors(repo_id):
        info = api().dataset_info(repo_id, revision=revision, files_metadata=True, timeout=PATIENCE_S)
    wanted = [each for each in info.siblings or () if any(fnmatch(each.rfilename, pattern) for pattern in patterns)]
    if not wanted:
        raise VqaError(
            f"the dataset {repo_id} holds no file {' or '.join(patterns)}",
            hint="It may have changed since this version was made; download it yourself and import the folder.",
        )
    files = tuple(_file(repo_id, info.sha, each) for each in sorted(wanted, key=lambda each: str(each.rfilename)))
    return HubListing(repo_id, str(info.sha), files)


def _file(repo_id: str, commit: str, sibling: Any) -> HubFile:
    name = str(sibling.rfilename)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise VqaError(f"the dataset {repo_id} names a file outside its folder: {name!r}", hint="Do not use it.")
    if sibling.size is None:
        raise WorkFailed(f"the Hub does not say how large {name} is", hint="Do it again later.")
    lfs = sibling.lfs
    return HubFile(repo_id, commit, name, int(sibling.size), lfs.sha256 if lfs else None, sibling.blob_id)


def part_of(file: HubFile, folder: Path) -> Path:
    """Return where a file lies while it comes; the name holds its content's hash, so that no two are mixed."""
    path = folder / file.name
    mark = (file.sha256 or file.git_id or file.commit)[:_MARK_DIGITS]
    return path.with_name(f".{path.name}.{mark}.part")


def missing_bytes(file: HubFile, folder: Path) -> int:
    """Return how many bytes of a file have not come into `folder` yet."""
    path = folder / file.name
    if path.is_file() and path.stat().st_size == file.bytes:
        return 0
    part = part_of(file, folder)
    return max(file.bytes - (part.stat().st_size if part.is_file() else 0), 0)


def fetch(file: HubFile, folder: Path, came: Callable[[int], None]) -> Path:
    """Bring a file into `folder` and return its path; what came of it before, whoever fetched it, is not asked again.

    `came` is told of each new piece in bytes, and of a negative number where a piece was of no use. The file appears
    under its name when it is whole and its hash is that of the Hub; a file there with this hash is taken as it is.
    Raises WorkFailed for wrong content, VqaError and WorkFailed as `hub_errors` does, and OSError.
    """
    path, part = folder / file.name, part_of(file, folder)
    if path.is_file():
        if path.stat().st_size == file.bytes and _is_whole(file, path):
            return path
        raise VqaError(
            f"{path} is in the way: it is not the file of the Hub", hint="Move it away, or choose another folder."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if part.is_symlink():
        raise VqaError(f"{part} is a link; the download is not written through it", hint="Remove it.")
    hub = library()
    url = hub.hf_hub_url(file.repo_id, file.name, repo_type="dataset", revision=file.commit, endpoint=endpoint())
    headers = {**hub.utils.build_hf_headers(token=token()), "Accept-Encoding": "identity"}
    # Unbuffered, so that a process that is killed leaves all that it was given.
    with open(part, "ab", buffering=0) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VqaError(f"{file.name} is being downloaded by another process", hint="Wait for it.") from None
        here = stream.tell()
        if here > file.bytes:
            stream.truncate(0)
            here = 0
        with hub_errors(file.repo_id):
            hub.file_download.http_get(
                url,
                stream,
                resume_size=here,
                headers=headers,
                expected_size=file.bytes,
                displayed_filename=file.name,
                tqdm_class=_counter(came),
            )
        os.fsync(stream.fileno())
    if not _is_whole(file, part):
        part.unlink()
        raise WorkFailed(
            f"{file.name} came with other content than the Hub says it has (its hash differs)",
            hint="It was removed. Do it again; if it happens again, something on the way changes it.",
        )
    os.replace(part, path)
    return path


def _is_whole(file: HubFile, path: Path) -> bool:
    """Return whether a file has the content that the Hub tells of: SHA-256, or the SHA-1 of Git's blob."""
    if file.sha256:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with open(path, "rb") as stream:
        while piece := stream.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest() == (file.sha256 or file.git_id)


def _counter(came: Callable[[int], None]) -> type:
    """Return what the library takes for a progress bar: a class whose `update` is told of each piece."""

    class Counter:
        def __init__(self, **_drawn: object) -> None:
            pass

        def __enter__(self) -> "Counter":
            return self

        def __exit__(self, *_ended: object) -> None:
            pass

        def update(self, size: int) -> None:
            came(size)

    return Counter
