"""Pictures that can be sent without a thread: unchanged since import, fit as they are, and in memory or nearly there.

Handing a picture to a thread costs several times what reading it costs (the two threads take turns at the interpreter
at every system call), so a file that the kernel holds in its page cache is read where it is wanted. Of one that it does
not hold, the first look makes the kernel read ahead, and the next finds it.
"""

import asyncio
import os
import stat
import time
from collections.abc import Callable, Collection
from pathlib import Path

from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.pictures import PreparedPicture

LARGEST_BYTES = 1024 * 1024
"""Above this, even copying from memory and encoding would hold up the others."""
SLOW_S = 0.004
"""An opening that took longer was not answered from memory: the disk is slow, asleep, or somewhere else."""
SHORTEST_REST, LONGEST_REST = 8, 1024
"""Pictures that go to a thread after a slow opening, before the next is tried here: twice as many from one slow opening
to the next, half as many after one that was quick. A busy processor alone makes one opening in a thousand slow."""

LOOKS_AFTER_S = (0.002, 0.01)
"""Seconds between the looks at a file that is not in memory yet: a flash disk has read it by then, most often."""

_STILL = frozenset({"JPEG", "PNG", "BMP", "TIFF"})
"""Formats without animation, which need no look inside to know that they may go as they are."""


class PicturesAtHand:
    """Reads pictures on the event loop, where that cannot block.

    `trusted` is whether the folder lies on a local disk: opening a file on a network can take any time at all.
    """

    def __init__(self, *, trusted: bool = True, clock: Callable[[], float] = time.perf_counter) -> None:
        # preadv2(2) with RWF_NOWAIT, Linux 4.14 and newer; other kernels cannot promise not to wait.
        self._possible = trusted and hasattr(os, "RWF_NOWAIT")
        self._clock = clock
        self._resting = 0
        self._next_rest = SHORTEST_REST
        self._coming = False
        """Whether the last look found the right file, of which a part was not in memory."""
        self._scratch = memoryview(bytearray(LARGEST_BYTES))

    async def fetch(
        self, path: Path, facts: PictureFacts, *, max_side: int | None, max_bytes: int, formats: Collection[str]
    ) -> PreparedPicture | None:
        """Return what `read` does, letting the kernel read ahead for a few milliseconds if that is all it takes."""
        for pause in (*LOOKS_AFTER_S, None):
            picture = self.read(path, facts, max_side=max_side, max_bytes=max_bytes, formats=formats)
            if picture is not None or not self._coming or pause is None:
                return picture
            await asyncio.sleep(pause)
        return None

    def read(
        self, path: Path, facts: PictureFacts, *, max_side: int | None, max_bytes: int, formats: Collection[str]
    ) -> PreparedPicture | None:
        """Return the picture as `prepare_picture` would, or None: prepare it in a thread, which also says what is
        wrong with it."""
        self._coming = False
        if not self._possible or facts.size_bytes > min(max_bytes, LARGEST_BYTES):
            return None
        if facts.format not in _STILL or facts.format not in formats or facts.orientation != 1:
            return None
        if max_side is not None and max(facts.width, facts.height) > max_side:
            return None
        if self._resting:
            self._resting -= 1
            return None
        began = self._clock()
        try:
            data = _from_memory(path, facts, self._scratch)
        except BlockingIOError:
            data, self._coming = None, True
        if self._clock() - began > SLOW_S:
            self._resting, self._coming = self._next_rest, False
            self._next_rest = min(self._next_rest * 2, LONGEST_REST)
        else:
            self._next_rest = max(self._next_rest // 2, SHORTEST_REST)
        if data is None:
            return None
        return PreparedPicture(data, f"image/{facts.format.lower()}", facts.width, facts.height)


def _from_memory(path: Path, facts: PictureFacts, scratch: memoryview) -> bytes | None:
    """Return the file's bytes when it is the one that was imported.

    Raises BlockingIOError when some of it is not in the page cache.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        imported = status.st_size == facts.size_bytes and status.st_mtime_ns == facts.modified_ns
        if not imported or not stat.S_ISREG(status.st_mode):
            return None
        filled = 0
        while filled < facts.size_bytes:
            count = os.preadv(descriptor, [scratch[filled : facts.size_bytes]], filled, os.RWF_NOWAIT)
            if count == 0:
                return None
            filled += count
        return bytes(scratch[:filled])
    except BlockingIOError:
        raise
    except OSError:
        # Not every file system can promise not to wait.
        return None
    finally:
        os.close(descriptor)
