"""A byte stream that is translated while it is read, in constant memory."""

from abc import ABC, abstractmethod
from typing import Protocol

_CHUNK = 1 << 16


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class TranslatedStream(ABC):
    """Reads `stream` chunk by chunk and gives what `_translate` makes of it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._unread = b""
        """What the last window ended with and could not be judged yet; the next window begins with it."""
        self._ready = b""

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        while len(self._ready) < size or size < 0:
            chunk = self._stream.read(_CHUNK)
            self._ready += self._translate(self._unread + chunk, last=not chunk)
            if not chunk:
                break
        end = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:end], self._ready[end:]
        return given

    @abstractmethod
    def _translate(self, window: bytes, *, last: bool) -> bytes:
        """Return `window` translated, and leave in `_unread` what must wait for more; nothing waits after `last`."""
