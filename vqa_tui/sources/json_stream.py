"""Reading large JSON files piece by piece, with the place of an error in words."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import ijson
from ijson.backends import python as plain_parser

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.lone_surrogates import LoneSurrogatesReplaced
from vqa_tui.domain.translated_stream import Readable, TranslatedStream
from vqa_tui.sources.nesting import NestingLimited

_CHUNK = 1 << 16
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|"|-?Infinity|NaN', re.DOTALL)
_REPAIR = "Repair the file there, or write it again; a download may have been cut short."
_LONGEST_WORD = len(b"-Infinity")
_AS_NULL = {b"NaN": b"null", b"Infinity": b"null", b"-Infinity": b"null"}
_AS_LONG_NUMBERS = {b"NaN": b"1e1", b"Infinity": b"1" * 8, b"-Infinity": b"-" + b"1" * 8}
"""Stand-ins of the same length, so that the offset of an error behind them is that in the file."""
_REPLACEMENT_CHARACTER = rb"\ufffd"


def stream_items(path: Path, prefix: str) -> Iterator[Any]:
    """Yield the values at an ijson `prefix` (`item` is each element of a top-level list) in constant memory.

    Numbers become int or float, of whatever size; the bare words NaN and Infinity, which Python's own json module
    writes although JSON has none, become None, and a lone surrogate becomes U+FFFD. Raises VqaError naming the file,
    line, column and byte of malformed JSON, and for a file that is nested beyond reason.
    """
    return _streamed(path, "items", prefix)


def stream_members(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the members of the outermost object one by one, else as `stream_items`."""
    return _streamed(path, "kvitems", "")


def _streamed(path: Path, what: str, prefix: str) -> Iterator[Any]:
    done = 0
    with _translated(path) as stream:
        try:
            for value in getattr(ijson, what)(stream, prefix, use_float=True, buf_size=_CHUNK):
                done += 1
                yield value
            return
        except (ijson.JSONError, UnicodeDecodeError) as error:
            if "overflow" not in _text_of(error):
                raise _malformed(path, error) from error
    # A number that the machine has no word for, such as a hash of 64 bits: read on, slower, with Python's numbers. Not
    # by the parser in C, which ends the process at an integer of more digits than Python reads.
    with _translated(path) as stream:
        try:
            for value in islice(getattr(plain_parser, what)(stream, prefix, buf_size=_CHUNK), done, None):
                done += 1
                yield _without_decimals(value)
        except (ijson.JSONError, ArithmeticError, ValueError) as error:
            # This parser does not tell where it stands.
            raise VqaError(
                f"{path} is not valid JSON after value {done} of its list or object: {_first_line(error)}", hint=_REPAIR
            ) from error


@contextmanager
def _translated(path: Path) -> Iterator[Readable]:
    with open_bytes(path) as raw:
        stream: Readable = LoneSurrogatesReplaced(NestingLimited(raw, str(path)), _REPLACEMENT_CHARACTER)
        yield _WordsReplaced(stream, _AS_NULL) if _holds_bare_words(path) else stream


def _without_decimals(value: Any) -> Any:
    """Return a value of the parser with floats in the place of its decimals, also where they are deep inside."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return tuple(map(_without_decimals, value))
    waiting = [value]
    while waiting:
        node = waiting.pop()
        members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for place, member in list(members):
            if isinstance(member, Decimal):
                node[place] = float(member)
            elif isinstance(member, dict | list):
                waiting.append(member)
    return value


def first_byte(path: Path) -> bytes:
    """Return the first byte that is not white space, or b'' for an empty file."""
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            if stripped := chunk.lstrip():
                return stripped[:1]
    return b""


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a text file as bytes, past a UTF-8 byte order mark. Raises VqaError when it cannot be opened."""
    try:
        stream = path.open("rb")
        if stream.read(len(_BOM)) != _BOM:
            stream.seek(0)
    except OSError as error:
        raise VqaError(f"cannot read {path}: {error.strerror}") from error
    return stream


def _malformed(path: Path, error: Exception) -> VqaError:
    line, column, byte = _place_of_error(path)
    what = _first_line(error)
    return VqaError(f"{path} is not valid JSON: line {line}, column {column} (byte {byte}): {what}", hint=_REPAIR)


def _first_line(error: Exception) -> str:
    # yajl's first line says what; the lines after it quote the file.
    lines = _text_of(error).splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _text_of(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _place_of_error(path: Path) -> tuple[int, int, int]:
    """Return (line, column, byte) of the first byte that the parser refuses; line and column count from 1.

    Parses again, whole chunks first and then the guilty chunk byte by byte: exact, and only paid for a broken file.
    """
    masked = _holds_bare_words(path)
    good = _count_good_bytes(path, masked, _CHUNK, limit=None)
    good += _count_good_bytes(path, masked, 1, skip=good, limit=_CHUNK)
    line, column, seen = 1, 1, 0
    with open_bytes(path) as stream:
        mark = stream.tell()
        while seen < good and (chunk := stream.read(min(_CHUNK, good - seen))):
            seen += len(chunk)
            newlines = chunk.count(b"\n")
            line += newlines
            column = len(chunk) - chunk.rfind(b"\n") if newlines else column + len(chunk)
    return line, column, mark + good


def _count_good_bytes(path: Path, masked: bool, step: int, *, skip: int = 0, limit: int | None) -> int:
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True)
    good = 0
    with open_bytes(path) as raw:
        stream: Readable = LoneSurrogatesReplaced(raw, _REPLACEMENT_CHARACTER)
        if masked:
            stream = _WordsReplaced(stream, _AS_LONG_NUMBERS)
        try:
            for _ in range(0, skip, _CHUNK):
                parser.send(stream.read(_CHUNK))
                del events[:]
            while (limit is None or good < limit) and (chunk := stream.read(step)):
                parser.send(chunk)
                del events[:]
                good += len(chunk)
        except (ijson.JSONError, UnicodeDecodeError):
            return good
    return good


def _holds_bare_words(path: Path) -> bool:
    tail = b""
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            if b"NaN" in window or b"Infinity" in window:
                return True
            tail = chunk[-_LONGEST_WORD:]
    return False


class _WordsReplaced(TranslatedStream):
    """A byte stream in which the bare words NaN, Infinity and -Infinity outside strings read as something else."""

    def __init__(self, stream: Readable, stand_ins: dict[bytes, bytes]) -> None:
        super().__init__(stream)
        self._stand_ins = stand_ins

    def _translate(self, window: bytes, *, last: bool) -> bytes:
        parts: list[bytes] = []
        done = 0
        for token in _TOKEN.finditer(window):
            if token.group() == b'"':
                if not last:
                    self._unread = window[token.start() :]
                    return b"".join([*parts, window[done : token.start()]])
            elif not token.group().startswith(b'"'):
                parts += [window[done : token.start()], self._stand_ins[token.group()]]
                done = token.end()
            else:
                parts.append(window[done : token.end()])
                done = token.end()
        # A word may be cut by the end of the window; a string cannot, it was held back above.
        keep = len(window) if last else max(done, len(window) - _LONGEST_WORD)
        self._unread = window[keep:]
        return b"".join([*parts, window[done:keep]])
