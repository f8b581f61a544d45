"""Half surrogate pairs (`\\ud800` alone) in JSON: no UTF-8 text can hold them, and a parser may make `?` of them."""

import re

from vqa_tui.domain.translated_stream import Readable, TranslatedStream

_LONGEST = len(rb"\ud800\udc00")
_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


class LoneSurrogatesReplaced(TranslatedStream):
    """A byte stream of JSON in which each escape of a lone surrogate reads as another escape of the same length."""

    def __init__(self, stream: Readable, stand_in: bytes) -> None:
        """`stand_in` is an escape of six bytes, such as rb"\\ufffd"."""
        super().__init__(stream)
        self._stand_in = stand_in

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
