"""Reading training files record by record: JSON Lines, or one JSON list, told apart by their first sign."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ijson

from vqa_tui.domain.lone_surrogates import LoneSurrogatesReplaced

MAX_LINE_BYTES = 16_000_000
"""Longest line of JSON Lines; a longer one is a problem of its own, and is not held in memory."""
MAX_DEPTH = 100
"""Deepest nesting of a JSON list that is read."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MARK_OF_A_SURROGATE = "\ufdd0"
"""A noncharacter, which no text holds: what a lone surrogate becomes in a JSON list, whose parser would hide it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, or why there is none. `number` is a line of JSON Lines, or an entry (from 1) of a JSON list."""

    number: int
    record: dict[str, Any] | None
    problem: str = ""


def is_json_list(path: Path) -> bool:
    """Return whether the first sign of the file, apart from white space and a byte order mark, is `[`."""
    with open(path, "rb") as file:
        start = file.read(4096).removeprefix(_BYTE_ORDER_MARK).lstrip()
    return start.startswith(b"[")


def read_records(path: Path) -> Iterator[Entry]:
    """Yield every record of a file, and what stands between them and should not. Raises OSError.

    Readers of training data take each line for a record and each file for plain UTF-8: a byte order mark and a blank
    line stop them, as do NaN, a key that stands twice, and half a surrogate pair.
    """
    with open(path, "rb") as file:
        if file.read(3) == _BYTE_ORDER_MARK:
            yield Entry(1, None, "the file begins with a byte order mark, which JSON readers refuse")
        else:
            file.seek(0)
        yield from _list_entries(file) if is_json_list(path) else _lines(file)


def _lines(file: IO[bytes]) -> Iterator[Entry]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield Entry(number, None, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
        elif line.strip():
            yield _line(number, line)
        else:
            yield Entry(number, None, "a blank line")


def _line(number: int, line: bytes) -> Entry:
    try:
        value = json.loads(
            line.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object_of_single_keys
        )
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        return Entry(number, None, f"not UTF-8: {error.reason} at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return Entry(number, None, f"not JSON: {error.msg} at column {error.colno}")
    except UnicodeEncodeError as error:
        return Entry(number, None, _lone_surrogate(f"\\u{ord(error.object[error.start]):04x}"))
    except _NotPlain as error:
        return Entry(number, None, str(error))
    except (ValueError, RecursionError):
        return Entry(number, None, "not JSON that can be read: nested too deeply, or a number is too long")
    return _checked(number, value)


class _NotPlain(ValueError):
    """Something that one parser reads and the next refuses. The text says what."""


def _refuse_constant(word: str) -> Any:
    raise _NotPlain(f"not JSON: {word} is no number there")


def _object_of_single_keys(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise _NotPlain(_key_twice(key))
            seen.add(key)
    return found


def _key_twice(key: str) -> str:
    return f"the key `{key}` stands twice in one object"


def _lone_surrogate(escape: str = "") -> str:
    return f"half a surrogate pair{f' ({escape})' if escape else ''}, which no UTF-8 text can hold"


def _list_entries(file: IO[bytes]) -> Iterator[Entry]:
    number = 0
    try:
        for value, fault in _elements(file):
            number += 1
            yield Entry(number, None, fault) if fault else _checked(number, value)
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
        # The parser's first line says what; those below quote the file.
        reason = str(error).partition("\n")[0].rstrip(".")[:200]
        yield Entry(number + 1, None, f"the JSON list breaks off here: {reason}")


def _elements(file: IO[bytes]) -> Iterator[tuple[Any, str]]:
    """Yield the elements of a JSON list one by one, each with what is wrong in it ('' for nothing).

    ijson.items would do it in one call, but its time grows with the square of the nesting.
    """
    depth = 0
    builder = ijson.ObjectBuilder()
    keys: list[set[str]] = []
    fault = ""
    stream = LoneSurrogatesReplaced(file, json.dumps(_MARK_OF_A_SURROGATE)[1:-1].encode("ascii"))
    for event, value in ijson.basic_parse(stream, use_float=True):
        depth -= event in _ENDS
        if depth:
            builder.event(event, value)
            if event == "start_map":
                keys.append(set())
            elif event == "end_map":
                keys.pop()
            elif event == "map_key":
                if value in keys[-1]:
                    fault = fault or _key_twice(value)
                keys[-1].add(value)
            if isinstance(value, str) and _MARK_OF_A_SURROGATE in value:
                fault = fault or _lone_surrogate()
            if depth == 1 and event not in _STARTS and event != "map_key":
                yield builder.value, fault
                builder, fault = ijson.ObjectBuilder(), ""
        depth += event in _STARTS
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


_STARTS = frozenset({"start_map", "start_array"})
_ENDS = frozenset({"end_map", "end_array"})


def _checked(number: int, value: Any) -> Entry:
    if isinstance(value, dict):
        return Entry(number, value)
    return Entry(number, None, f"not an object but {_IN_WORDS.get(type(value), 'a value')}")


_IN_WORDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}
