"""Prepared pictures kept on disk within a bound, so that a picture that must be changed is decoded only once."""

import fcntl
import hashlib
import logging
import os
import shutil
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.endpoints.pictures import PreparedPicture

MOST_BYTES = 2 * 1024**3
"""The cache never takes more, however large the disk is."""
SHARE_OF_FREE = 0.05
"""Of what is free on the disk when the engine starts; the smaller of the two bounds counts."""

_MAGIC = b"vqapic01"
_HEADER = struct.Struct("<8s16sIIQ")
"""Magic, MIME type (ASCII, zero-padded), width and height in pixels, bytes of the picture. A SHA-256 ends the entry."""
_DIGEST_BYTES = 32
_BLOCK = 4096
"""Bytes that a file system gives out at a time."""
_TOUCH_AFTER_S = 3600.0
"""An entry used again within this time keeps its old time: least recently used to the hour, at one write an hour."""
_LEFTOVER_S = 3600.0
"""Age at which a temporary file belongs to an engine that was killed."""
_LOCK = ".lock"
_TEMPORARY = ".new-"

log = logging.getLogger(__name__)


def bytes_allowed(folder: Path) -> int:
    """Return the bound for a cache in `folder`, which need not exist yet; 0 when the disk cannot be asked."""
    there = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
    try:
        return min(MOST_BYTES, int(shutil.disk_usage(there or "/").free * SHARE_OF_FREE))
    except OSError:
        return 0


def bytes_kept(folder: Path) -> int:
    """Return what the cache in `folder` takes on the disk. Walks through it; 0 when there is none."""
    return sum(entry.size for entry in _entries(folder))


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    used_at: float
    size: int


class PictureCache:
    """Prepared pictures under keys; safe with several threads and several processes on one folder.

    Each entry is a file of its own, put in place by a rename, and carries the digest of its bytes: what is damaged or
    cut short is not given out but removed. Trouble with the disk never fails a picture: it is logged once, and from
    then on nothing more is written. The folder may be deleted at any time, also while engines run.

    Nothing is counted or listed when an entry is written. After every sixteenth of `most_bytes` (and when the bound is
    reached) the folder is walked through once; if it holds too much, the entries not used for longest go until an
    eighth is free. So one process stays within `most_bytes`, and each further one may pass it by a sixteenth.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes
        self._sixteenth = most_bytes // 16
        self._writes = most_bytes > 0
        self._counting = threading.Lock()
        self._sweeping = threading.Lock()
        self._known: int | None = None
        """Bytes in the folder as far as this process knows; None before its first walk."""
        self._since_walk = 0

    def get(self, key: str) -> PreparedPicture | None:
        """Return the picture kept under `key` (hexadecimal), or None. Blocks on the disk."""
        path = self._path(key)
        try:
            with open(path, "rb") as stream:
                status = os.fstat(stream.fileno())
                content = stream.read(status.st_size + 1)
            picture = _unpacked(content)
            if picture is None:
                path.unlink(missing_ok=True)
            elif self._writes and time.time() - status.st_mtime > _TOUCH_AFTER_S:
                with suppress(FileNotFoundError):
                    os.utime(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._give_up(error)
            return None
        return picture

    def put(self, key: str, picture: PreparedPicture) -> None:
        """Keep a picture under `key`; one that would fill an eighth of the cache is not kept. Blocks on the disk."""
        content = _packed(picture)
        if not self._writes or len(content) > self._most // 8:
            return
        try:
            self._make_room(_on_disk(len(content)))
            self._write(self._path(key), content)
        except OSError as error:
            self._give_up(error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _write(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(f"{_TEMPORARY}{os.urandom(8).hex()}")
        try:
            descriptor = _made(temporary)
        except FileNotFoundError:
            # Made here and not at the start: a person may have deleted the folder a moment ago.
            _make_private(path.parent)
            descriptor = _made(temporary)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _make_room(self, size: int) -> None:
        with self._counting:
            self._since_walk += size
            if self._known is not None:
                self._known += size
            # A sixteenth early: entries that other threads are writing may be missing from the last walk.
            full = self._known is None or self._known > self._most - self._sixteenth
            due = full or self._since_walk > self._sixteenth
        # Whoever comes while another thread sweeps just writes: the walk is long, and one is enough.
        if due and self._sweeping.acquire(blocking=False):
            try:
                self._sweep(size)
            finally:
                self._sweeping.release()

    def _sweep(self, coming: int) -> None:
        with self._counting:
            self._since_walk = coming
        entries = [entry for entry in _entries(self._folder) if not _removed_as_leftover(entry)]
        total = sum(entry.size for entry in entries)
        if total + coming > self._most - self._sixteenth:
            with _alone(self._folder) as alone:
                if alone:
                    total -= _evict(entries, total + coming - self._most * 7 // 8)
                else:
                    # Another process is making room: to walk again before a sixteenth is written would be in vain.
                    total = min(total, self._most * 7 // 8)
        with self._counting:
            self._known = total + self._since_walk

    def _give_up(self, error: OSError) -> None:
        with self._counting:
            first, self._writes = self._writes, False
        if first:
            log.warning(
                "prepared pictures are no longer kept in %s: %s; the run goes on without",
                self._folder,
                error.strerror or error,
            )


def _made(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _make_private(folder: Path) -> None:
    # Path.mkdir gives the mode to the last folder only.
    for each in (folder.parent.parent, folder.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)


def _packed(picture: PreparedPicture) -> bytes:
    mime = picture.mime.encode("ascii")
    content = _HEADER.pack(_MAGIC, mime, picture.width, picture.height, len(picture.data)) + picture.data
    return content + hashlib.sha256(content).digest()


def _unpacked(content: bytes) -> PreparedPicture | None:
    """Return the picture of an entry, or None when the entry is not whole."""
    if len(content) < _HEADER.size + _DIGEST_BYTES:
        return None
    magic, mime, width, height, size = _HEADER.unpack_from(content)
    end = len(content) - _DIGEST_BYTES
    if magic != _MAGIC or size != end - _HEADER.size:
        return None
    if hashlib.sha256(memoryview(content)[:end]).digest() != content[end:]:
        return None
    return PreparedPicture(content[_HEADER.size : end], mime.rstrip(b"\0").decode("ascii"), width, height)


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _entries(folder: Path) -> Iterator[_Entry]:
    """Walk through the cache; what vanishes meanwhile is left out."""
    for shard in _listed(folder):
        if not shard.is_dir(follow_symlinks=False):
            continue
        for file in _listed(shard.path):
            with suppress(FileNotFoundError):
                status = file.stat(follow_symlinks=False)
                yield _Entry(file.path, status.st_mtime, _on_disk(status.st_size))


def _removed_as_leftover(entry: _Entry) -> bool:
    if not os.path.basename(entry.path).startswith(_TEMPORARY) or time.time() - entry.used_at < _LEFTOVER_S:
        return False
    with suppress(FileNotFoundError):
        os.unlink(entry.path)
    return True


def _evict(entries: list[_Entry], too_much: int) -> int:
    """Remove the entries not used for longest until `too_much` bytes are gone; return how many are."""
    gone = 0
    for entry in sorted(entries, key=lambda entry: entry.used_at):
        if gone >= too_much:
            break
        with suppress(FileNotFoundError):
            os.unlink(entry.path)
        gone += entry.size
    return gone


def _listed(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except FileNotFoundError:
        return []


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Tell whether no other process is evicting from `folder`; none can begin before this ends."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
