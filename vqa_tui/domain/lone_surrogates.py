"""Half surrogate pairs (`\\ud800` alone) in JSON: no UTF-8 text can hold them, and a parser may make `?` of them."""

import re
from typing import Protocol

_CHUNK = 1 << 16
_LONGEST = len(rb"\ud800\udc00")
_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class LoneSurrogatesReplaced:
    """A byte stream of JSON in which each escape of a lone surrogate reads as another escape of the same length."""

    def __init__(self, stream: Readable, stand_in: bytes) -> None:
        """`stand_in` is an escape of six bytes, such as rb"\\ufffd"."""
        self._stream = stream
        self._stand_in = stand_in
        self._unread = b""
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

    def _translate(self, window: bytes, *, last: bool) -> bytes:
        self._unread = b""
        if _SUSPECT.search(window) is None and b"\\" not in window[-_LONGEST:]:
            return window
        parts: list[bytes] = []
        done = seen = 0
        for escape in _ESCAPE.finditer(window):
            if not last and escape.start() > len(window) - _LONGEST:
                # Its other half may stand behind the end of the window.
                self._unread = window[escape.start() :]
                return b"".join([*parts, window[done : escape.start()]])
            seen = escape.end()
            if escape.group(1) is not None:
                parts += [window[done : escape.start()], self._stand_in]
                done = seen
        if not last and seen < len(window) and window.endswith(b"\\"):
            self._unread = window[-1:]
            window = window[:-1]
        return b"".join([*parts, window[done:]])
