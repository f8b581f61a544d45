"""Reading training files record by record, whatever their shape: lines, a list, an object, VQA v2, a table, parquet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from vqa_tui.domain.lone_surrogates import LoneSurrogatesReplaced
from vqa_tui.exporters.file_shapes import BYTE_ORDER_MARK, FileShape, file_shape
from vqa_tui.exporters.manifest import companion_path
from vqa_tui.exporters.parquet_table import parquet_entries
from vqa_tui.exporters.record_entry import Entry
from vqa_tui.exporters.table_reading import table_entries
from vqa_tui.exporters.vqa_v2_joining import AnnotationsByQuestion

MAX_LINE_BYTES = 16_000_000
"""Longest line of JSON Lines; a longer one is a problem of its own, and is not held in memory."""
MAX_DEPTH = 100
"""Deepest nesting of a JSON list that is read."""
_MARK_OF_A_SURROGATE = "\ufdd0"
"""A noncharacter, which no text holds: what a lone surrogate becomes in a JSON list, whose parser would hide it."""


def read_records(path: Path) -> Iterator[Entry]:
    """Yield every record of a file, and what stands between them and should not. Raises OSError.

    Readers of training data take each line for a record and each file for plain UTF-8: a byte order mark and a blank
    line stop them, as do NaN, a key that stands twice, and half a surrogate pair.
    """
    with open(path, "rb") as file:
        if file.read(3) == BYTE_ORDER_MARK:
            yield Entry(1, None, "the file begins with a byte order mark, which JSON readers refuse")
        else:
            file.seek(0)
        match file_shape(path):
            case FileShape.LINES:
                yield from _lines(file)
            case FileShape.LIST:
                yield from _list_entries(file)
            case FileShape.OBJECT:
                yield from _list_entries(file, is_object=True)
            case FileShape.QUESTIONS:
                yield from _questions(file, path)
            case FileShape.TABLE:
                yield from table_entries(file)
            case FileShape.PARQUET:
                yield from parquet_entries(path)


def _questions(file: IO[bytes], path: Path) -> Iterator[Entry]:
    """Yield the questions of VQA v2, each with its annotation as `annotation` where there is a file of these."""
    annotations_file = companion_path(path, "annotations")
    if not annotations_file.is_file():
        yield from _list_entries(file, list_key="questions")
        return
    with open(annotations_file, "rb") as opened:
        annotations = AnnotationsByQuestion(_list_entries(opened, list_key="annotations"))
        for entry in _list_entries(file, list_key="questions"):
            if entry.record is None:
                yield entry
                continue
            found, problem = annotations.of(entry.record.get("question_id"))
            yield Entry(entry.number, {**entry.record, **({"annotation": found} if found else {})})
            if problem is not None:
                words = f"{annotations_file.name}: {problem.problem}"
                yield Entry(entry.number, None, words, breaks_off=problem.breaks_off)


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
    is_cut = not line.endswith(b"\n")
    try:
        value = json.loads(
            line.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object_of_single_keys
        )
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        return Entry(number, None, f"not UTF-8: {error.reason} at byte {error.start + 1}", breaks_off=is_cut)
    except json.JSONDecodeError as error:
        return Entry(number, None, f"not JSON: {error.msg} at column {error.colno}", breaks_off=is_cut)
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


def _list_entries(file: IO[bytes], *, is_object: bool = False, list_key: str = "") -> Iterator[Entry]:
    """Yield the elements of the list, or of the list under `list_key`, or the members of the object one by one."""
    number = 0
    try:
        for value, fault in _elements(file, is_object=is_object, list_key=list_key):
            number += 1
            yield Entry(number, None, fault) if fault else _checked(number, value)
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
        # The parser's first line says what; those below quote the file.
        reason = str(error).partition("\n")[0].rstrip(".")[:200]
        whole = "object" if is_object or list_key else "list"
        yield Entry(number + 1, None, f"the JSON {whole} breaks off here: {reason}", breaks_off=True)


def _elements(file: IO[bytes], *, is_object: bool = False, list_key: str = "") -> Iterator[tuple[Any, str]]:
    """Yield elements or members one by one, each with what is wrong in it ('' for nothing).

    ijson.items would do it in one call, but its time grows with the square of the nesting.
    """
    depth = 0
    floor = 2 if list_key else 1
    builder = ijson.ObjectBuilder()
    keys: list[set[str]] = []
    members: set[str] = set()
    member, fault = "", ""
    stream = LoneSurrogatesReplaced(file, json.dumps(_MARK_OF_A_SURROGATE)[1:-1].encode("ascii"))
    for event, value in ijson.basic_parse(stream, use_float=True):
        depth -= event in _ENDS
        if depth == 1 and event == "map_key" and (is_object or list_key):
            fault = fault or (_key_twice(value) if value in members else "")
            members.add(value)
            member = value
        elif depth >= floor and (not list_key or member == list_key):
            if event == "map_key" and not keys:
                raise ValueError(f"`{list_key}` is no list")
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
            if depth == floor and event not in _STARTS and event != "map_key":
                yield {member: builder.value} if is_object else builder.value, fault
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
