"""A limit to how deep the lists and objects of a JSON file may lie in each other."""

import re

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.translated_stream import Readable, TranslatedStream

DEEPEST = 1_000
"""Levels of a file. No format that is read has more than ten; what one record may have is checked where it is read."""
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TEXT = re.compile(rb'"[^"]*"')
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'"[]{}')
_ROUNDS = 4


def why_unreadable(error: ValueError | RecursionError) -> str:
    """Return what is wrong with a record that the JSON parser of Python gave up without naming a place in it."""
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 text: byte {error.start + 1} is 0x{error.object[error.start]:02x}"
    return "is nested too deeply" if isinstance(error, RecursionError) else f"is not readable JSON: {error}"


class NestingLimited(TranslatedStream):
    """A byte stream of JSON that ends in a VqaError before it is nested much deeper than DEEPEST levels.

    ijson keeps the whole path of each open level, so that its memory grows with the square of the nesting: a file of
    100,000 brackets would take tens of gigabytes.
    """

    def __init__(self, stream: Readable, name: str) -> None:
        """`name` is what the file is called in the error."""
        super().__init__(stream)
        self._name = name
        self._depth = 0
        self._begun = b""
        """What the text or the escape that the last window broke off begins with."""

    def _translate(self, window: bytes, *, last: bool) -> bytes:
        marks = _ESCAPE.sub(b"", self._begun + window)
        escape = b"\\" if marks.endswith(b"\\") else b""
        # Two quotes side by side change nothing about what stands inside a text.
        marks = _TEXT.sub(b"", marks.translate(None, _NO_MARKS).replace(b'""', b""))
        marks, text, _ = marks.partition(b'"')
        self._begun = text + escape
        # Most brackets are closed soon after they open; the few that are left are counted one by one.
        for _ in range(_ROUNDS):
            marks = marks.replace(b"[]", b"").replace(b"{}", b"")
        for mark in marks:
            self._depth += 1 if mark in b"[{" else -1
            if self._depth > DEEPEST:
                raise VqaError(
                    f"{self._name} is nested more than {DEEPEST:,} levels deep",
                    hint="No dataset that is read here is; check what wrote the file.",
                )
        return window
