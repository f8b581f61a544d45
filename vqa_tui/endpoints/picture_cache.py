"""Prepared pictures kept on disk within a bound, so that a picture that must be changed is decoded only once."""

import errno
import fcntl
import hashlib
import logging
import os
import re
import shutil
import stat
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
_SHARD = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"[0-9a-f]{62}|\.new-[0-9a-f]{16}")
"""What this module writes; whatever else lies in the folder is not ours to count or to remove."""
_LARGEST_ENTRY = MOST_BYTES // 8
_TO_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TO_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Without O_NONBLOCK a pipe in the place of an entry would hold the thread for ever."""

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
    try:
        with _opened(folder) as root:
            return sum(entry.size for entry in _entries(root))
    except (FileNotFoundError, _Strange):
        return 0


class _Strange(OSError):
    """A folder that is no real folder of this user."""


@dataclass(frozen=True, slots=True)
class _Entry:
    shard: str
    name: str
    used_at: float
    size: int


class PictureCache:
    """Prepared pictures under keys; safe with several threads and several processes on one folder.

    Each entry is a file of its own, put in place by a rename, and carries the digest of its bytes: what is damaged or
    cut short is not given out but removed. Trouble with the disk never fails a picture: it is logged once, and from
    then on nothing more is written. The folder may be deleted at any time, also while engines run.

    The folder must be a real one of this user and is closed to all others; else nothing is kept or given out. Within
    it no link is followed, and what this class would not have written is neither read nor removed.

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
        """Return the picture kept under `key` (64 hexadecimal digits), or None. Blocks on the disk."""
        try:
            with _opened(self._folder) as root, _opened(key[:2], root) as shard:
                return self._read(key[2:], shard)
        except OSError:
            # Whatever keeps an entry from being read, the picture is prepared anew.
            return None

    def put(self, key: str, picture: PreparedPicture) -> None:
        """Keep a picture under `key`; one that would fill an eighth of the cache is not kept. Blocks on the disk."""
        content = _packed(picture)
        if not self._writes or len(content) > self._most // 8:
            return
        try:
            with _made_and_opened(self._folder) as root:
                self._make_room(root, _on_disk(len(content)))
                _write(root, key, content)
        except FileNotFoundError:
            # A person deleted the folder just now; the next picture makes it again.
            return
        except OSError as error:
            self._give_up(error)

    def _read(self, name: str, shard: int) -> PreparedPicture | None:
        with open(os.open(name, _TO_READ, dir_fd=shard), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_ENTRY:
                return None
            content = stream.read(status.st_size + 1)
            picture = _unpacked(content)
            if picture is None:
                os.unlink(name, dir_fd=shard)
            elif self._writes and time.time() - status.st_mtime > _TOUCH_AFTER_S:
                with suppress(OSError):
                    os.utime(stream.fileno())
        return picture

    def _make_room(self, root: int, size: int) -> None:
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
                self._sweep(root, size)
            finally:
                self._sweeping.release()

    def _sweep(self, root: int, coming: int) -> None:
        with self._counting:
            self._since_walk = coming
        entries = [entry for entry in _entries(root) if not _removed_as_leftover(root, entry)]
        total = sum(entry.size for entry in entries)
        if total + coming > self._most - self._sixteenth:
            with _alone(root) as alone:
                if alone:
                    total -= _evict(root, entries, total + coming - self._most * 7 // 8)
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


@contextmanager
def _opened(folder: Path | str, within: int | None = None) -> Iterator[int]:
    """Open a folder of the cache, and close it to everyone else. Raises _Strange when it is not this user's own."""
    try:
        descriptor = os.open(folder, _TO_FOLDER, dir_fd=within)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise _Strange(error.errno, "it is no folder") from error
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise _Strange(errno.EPERM, "it belongs to another user")
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(descriptor, 0o700)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _made_and_opened(folder: Path) -> Iterator[int]:
    # Made here and not at the start: a person may have deleted the folder a moment ago. Path.mkdir gives the mode to
    # the last folder only.
    if not folder.exists():
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(folder) as descriptor:
        yield descriptor


def _write(root: int, key: str, content: bytes) -> None:
    """Put an entry in its place. What stands there and is no file of ours stays, and nothing is kept."""
    with suppress(FileExistsError):
        os.mkdir(key[:2], 0o700, dir_fd=root)
    temporary = f"{_TEMPORARY}{os.urandom(8).hex()}"
    with suppress(_Strange, IsADirectoryError), _opened(key[:2], root) as shard:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=shard)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
            os.replace(temporary, key[2:], src_dir_fd=shard, dst_dir_fd=shard)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=shard)
            raise


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


def _entries(root: int) -> Iterator[_Entry]:
    """Walk through the cache; what vanishes meanwhile is left out."""
    for shard in _listed(root, _SHARD):
        try:
            with _opened(shard.name, root) as descriptor:
                for file in _listed(descriptor, _NAME):
                    with suppress(FileNotFoundError):
                        status = file.stat(follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode):
                            yield _Entry(shard.name, file.name, status.st_mtime, _on_disk(status.st_size))
        except (FileNotFoundError, _Strange):
            continue


def _removed_as_leftover(root: int, entry: _Entry) -> bool:
    if not entry.name.startswith(_TEMPORARY) or time.time() - entry.used_at < _LEFTOVER_S:
        return False
    _remove(root, entry)
    return True


def _evict(root: int, entries: list[_Entry], too_much: int) -> int:
    """Remove the entries not used for longest until `too_much` bytes are gone; return how many are."""
    gone = 0
    for entry in sorted(entries, key=lambda entry: entry.used_at):
        if gone >= too_much:
            break
        _remove(root, entry)
        gone += entry.size
    return gone


def _remove(root: int, entry: _Entry) -> None:
    with suppress(FileNotFoundError, _Strange), _opened(entry.shard, root) as shard:
        os.unlink(entry.name, dir_fd=shard)


def _listed(folder: int, names: re.Pattern[str]) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as listing:
        return [each for each in listing if names.fullmatch(each.name)]


@contextmanager
def _alone(root: int) -> Iterator[bool]:
    """Tell whether no other process is evicting from this cache; none can begin before this ends."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(_LOCK, flags, 0o600, dir_fd=root)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
