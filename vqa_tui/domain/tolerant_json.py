"""Finding and reading JSON as language models write it: lenient about style, never completing what was cut off.

Beyond RFC 8259 it reads single quotes, typographic quotes, Python constants, bare keys, trailing commas, raw line
breaks and unescaped quotes inside strings, NaN, missing commas between list elements and several values in a row. It
takes time linear in the text: every character is consumed once, and a fault never sends the reader back.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_DEPTH = 100
"""Deepest nesting that is read; replies are flat, and hostile ones must not exhaust the stack of whoever walks them."""


class Number(str):
    """A number (or NaN, Infinity) in the spelling of the text, so that 0.10 stays 0.10."""

    __slots__ = ()


class PartialObject(dict[str, Any]):
    """An object whose closing brace was not reached; its members may be incomplete."""


class Outcome(Enum):
    WHOLE = "whole"
    CUT = "cut"
    """The text ended inside the value."""
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class FoundValue:
    """One list or object in the text, from `start`; `end` is where reading stopped: behind it, or at the fault."""

    value: Any
    end: int
    outcome: Outcome
    fenced: bool = False
    """Whether it stands inside a ``` block."""
    start: int = 0


def find_values(text: str) -> Iterator[FoundValue]:
    """Yield every outermost list or object of `text` in order, with whatever of it could be read."""
    position, fenced = 0, False
    while landmark := _LANDMARK.search(text, position):
        if landmark.group() == "```":
            fenced = not fenced
            position = landmark.end()
            continue
        found = _Reader(text, fenced).read(landmark.start())
        yield found
        position = found.end


_LANDMARK = re.compile(r"```|[\[{]")
_SPACE = re.compile(r"[\s\ufeff]*+")
_NUMBER = re.compile(r"(?:[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|NaN|[-+]?Infinity)(?=[\s,\]}]|\Z)")
_CONSTANT = re.compile(r"(true|True|false|False|null|None)(?=[\s,\]}]|\Z)")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_UNFINISHED_WORD = re.compile(r"[-+.\w]*+\Z")
_BARE_KEY = re.compile(r"[^\W\d]\w*+(?=\s*+:)")

_QUOTES = "\"'“”‘’"
_CLOSING = {'"': '"', "'": "'", "“": "“”", "”": "“”", "‘": "‘’", "’": "‘’"}
_BODY = {
    opening: re.compile(rf"[^\\{closing}]*+(?:\\.[^\\{closing}]*+)*+", re.DOTALL)
    for opening, closing in _CLOSING.items()
}

# A quotation mark ends a string only when what follows could follow a string at that place. This is what lets an
# unescaped quote or apostrophe stand inside one: in valid JSON the rule always holds.
_AFTER_KEY = re.compile(r"\s*+(?::|\Z)")
_AFTER_MEMBER = re.compile(rf"\s*+(?:\}}|\Z|,\s*+(?:[{_QUOTES}}}]|[^\W\d]\w*+\s*+:|\Z))")
_AFTER_ELEMENT = re.compile(
    rf"\s*+(?:\]|\Z|,\s*+(?:[{_QUOTES}\[{{\]\-\d]|(?:true|True|false|False|null|None|NaN)\b|\Z))"
)
_SWALLOWED_KEY = re.compile(rf"[{_QUOTES}]\s*+:")

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}


class _Cut(Exception):
    """The text ended inside a value."""


class _Damaged(Exception):
    """Something stands where it cannot stand."""

    def __init__(self, position: int) -> None:
        self.position = position


@dataclass(slots=True)
class _Open:
    """A container that is being read, and under which key it will hang in an enclosing object."""

    container: list[Any] | dict[str, Any]
    closing: str
    key: str


class _Reader:
    """Reads one value without recursion."""

    def __init__(self, text: str, fenced: bool) -> None:
        self._text = text
        self._fenced = fenced
        self._open: list[_Open] = []
        self._root: Any = None

    def read(self, start: int) -> FoundValue:
        try:
            end = self._read(start)
        except _Cut:
            self._attach_what_is_open()
            return FoundValue(self._root, len(self._text), Outcome.CUT, self._fenced, start)
        except _Damaged as fault:
            self._attach_what_is_open()
            return FoundValue(self._root, fault.position, Outcome.DAMAGED, self._fenced, start)
        return FoundValue(self._root, end, Outcome.WHOLE, self._fenced, start)

    def _read(self, start: int) -> int:
        position = self._enter(start, "")
        while self._open:
            current = self._open[-1]
            position = self._skip_space(position)
            if self._text[position] == current.closing:
                self._open.pop()
                self._attach(current.container, current.key)
                position += 1
                if self._open:
                    position = self._separator(position)
                continue
            key = ""
            if current.closing == "}":
                key, position = self._key(position)
            if self._text[position] in "[{":
                position = self._enter(position, key)
            else:
                value, position = self._scalar(position, _AFTER_MEMBER if current.closing == "}" else _AFTER_ELEMENT)
                self._attach(value, key)
                position = self._separator(position)
        return position

    def _enter(self, position: int, key: str) -> int:
        if len(self._open) >= MAX_DEPTH:
            raise _Damaged(position)
        if self._text[position] == "[":
            self._open.append(_Open([], "]", key))
        else:
            self._open.append(_Open({}, "}", key))
        return position + 1

    def _attach(self, value: Any, key: str) -> None:
        if not self._open:
            self._root = value
            return
        container = self._open[-1].container
        if isinstance(container, dict):
            container[key] = value
        else:
            container.append(value)

    def _attach_what_is_open(self) -> None:
        while self._open:
            top = self._open.pop()
            self._attach(
                PartialObject(top.container) if isinstance(top.container, dict) else top.container,
                top.key,
            )

    def _skip_space(self, position: int) -> int:
        """Return the place of the next character that is not white space; there is one, or _Cut is raised."""
        match = _SPACE.match(self._text, position)
        end = match.end() if match else position
        if end >= len(self._text):
            raise _Cut
        return end

    def _separator(self, position: int) -> int:
        position = self._skip_space(position)
        char = self._text[position]
        if char == ",":
            return position + 1
        closing = self._open[-1].closing
        if char == closing or (closing == "]" and char in "[{"):
            return position
        raise _Damaged(position)

    def _key(self, position: int) -> tuple[str, int]:
        if self._text[position] in _CLOSING:
            key, position = self._string(position, _AFTER_KEY)
        elif match := _BARE_KEY.match(self._text, position):
            key, position = match.group(), match.end()
        elif _UNFINISHED_WORD.match(self._text, position):
            raise _Cut
        else:
            raise _Damaged(position)
        position = self._skip_space(position)
        if self._text[position] != ":":
            raise _Damaged(position)
        return key, self._skip_space(position + 1)

    def _scalar(self, position: int, after: re.Pattern[str]) -> tuple[Any, int]:
        if self._text[position] in _CLOSING:
            return self._string(position, after)
        if match := _NUMBER.match(self._text, position):
            return Number(match.group()), match.end()
        if match := _CONSTANT.match(self._text, position):
            return _CONSTANTS[match.group()], match.end()
        if _UNFINISHED_WORD.match(self._text, position):
            raise _Cut
        raise _Damaged(position)

    def _string(self, position: int, after: re.Pattern[str]) -> tuple[str, int]:
        body = _BODY[self._text[position]]
        start = end = position + 1
        has_inner_quotes = False
        while True:
            match = body.match(self._text, end)
            end = match.end() if match else end
            if end >= len(self._text) or self._text[end] == "\\":
                raise _Cut
            if after.match(self._text, end + 1):
                break
            has_inner_quotes = True
            end += 1
        raw = self._text[start:end]
        if has_inner_quotes and _SWALLOWED_KEY.search(raw):
            # A quotation mark was missing and the string has run into its neighbours: it is nobody's answer.
            raise _Damaged(end + 1)
        return (_ESCAPE.sub(_unescape, raw) if "\\" in raw else raw), end + 1


def _unescape(match: re.Match[str]) -> str:
    """Resolve one escape; an unknown one stays as it stands, so that LaTeX survives."""
    if digits := match.group(1) or match.group(2) or match.group(3):
        return chr(int(digits, 16))
    return _SHORT_ESCAPES.get(match.group(4), match.group())
