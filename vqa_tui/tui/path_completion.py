"""Completing a path that is being typed, as a shell does; and file names that no terminal must see, made typeable."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.safe_text import clean

ANNOTATION_SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".arrow")
MOST_SHOWN = 200
"""Candidates that are named; beyond it only their number is told."""

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(\\))")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One name that the path may go on with; both forms can stand in the field."""

    name: str
    """Typeable; a folder ends in `/`."""
    typed: str
    """The whole path with it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a typed path may become."""

    typed: str
    """The path that was typed."""
    common: str
    """The path as far as all candidates agree; never shorter than what was typed."""
    candidates: tuple[Candidate, ...]
    total: int
    """Of candidates, which may be more than are named."""
    problem: str = ""
    """Why the folder cannot be read; empty while it can, or where it is not there."""


def typeable(path: str) -> str:
    """Return a path with every character that a terminal must not see as an escape such as `\\x1b`.

    `real_path` gives the path back, byte by byte; a backslash of the path itself is doubled.
    """
    return "".join(_escaped(character) for character in path)


def real_path(typed: str) -> str:
    """Return the path that a field means: the inverse of `typeable`, total for whatever else is typed."""

    def character(found: re.Match[str]) -> str:
        if found[4]:
            return "\\"
        code = int(found[1] or found[2] or found[3], 16)
        return chr(code) if code <= 0x10FFFF else found[0]

    return _ESCAPE.sub(character, typed)


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character == " " or (character.isprintable() and clean(character, one_line=True) == character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class PathCompleter:
    """Completes one path after another; a folder is read once, as long as nothing in it is made or removed.

    Only one thread may `complete` at a time; `turn_to` may come from another one.
    """

    def __init__(self, *, home: Path | None = None, here: Path | None = None) -> None:
        """`~` is the home folder; other paths are taken from `here`, by default the current folder."""
        self._home, self._here = home, here
        self._read: _Listing | None = None
        self._wanted: str | None = None

    def turn_to(self, typed: str) -> None:
        """Say which path is completed next: reading the folder of another one stops."""
        self._wanted = _stem(typed)

    def complete(self, typed: str, wants: str) -> Completion | None:
        """Return how `typed` may go on: folders, and annotation files unless `wants` is `folder`.

        Hidden names come only after a dot. None where `turn_to` has named another folder meanwhile. Reads one folder;
        run it in a thread.
        """
        if typed == "~":
            return Completion(typed, "~/", (Candidate("~/", "~/"),), 1)
        stem = _stem(typed)
        folder = _folder(real_path(stem), self._home or Path.home(), self._here or Path.cwd())
        return self._completion(typed, stem, folder, wants)

    def _names(self, stem: str, folder: Path) -> Sequence[str]:
        """Return every name in a folder in order; a folder ends in `/`. Raises _Overtaken."""
        changed_ns = folder.stat().st_mtime_ns
        if self._read is None or (self._read.folder, self._read.changed_ns) != (folder, changed_ns):
            found = []
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._wanted not in (None, stem):
                        raise _Overtaken
                    found.append(f"{entry.name}/" if _is_folder(entry) else entry.name)
            self._read = _Listing(folder, changed_ns, sorted(found, key=_order))
        return self._read.names

    def _completion(self, typed: str, stem: str, folder: Path, wants: str) -> Completion | None:
        prefix = real_path(typed[len(stem) :])
        try:
            names = [name for name in self._names(stem, folder) if _fits(name, prefix, wants)]
        except _Overtaken:
            return None
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return Completion(typed, typed, (), 0)
        except OSError as error:
            return Completion(typed, typed, (), 0, f"{clean(str(folder), one_line=True)}: {error.strerror}")
        common = _common_start(names) if names else prefix
        candidates = tuple(Candidate(typeable(name), stem + typeable(name)) for name in names[:MOST_SHOWN])
        return Completion(typed, stem + typeable(common) if names else typed, candidates, len(names))


@dataclass(frozen=True, slots=True)
class _Listing:
    folder: Path
    changed_ns: int
    names: Sequence[str]


class _Overtaken(Exception):
    """Another folder is wanted than the one that is being read."""


def complete_path(typed: str, wants: str, *, home: Path | None = None, here: Path | None = None) -> Completion:
    """Return how a single path may go on, as `PathCompleter.complete` does."""
    found = PathCompleter(home=home, here=here).complete(typed, wants)
    assert found is not None  # nobody turns to another one
    return found


def _stem(typed: str) -> str:
    """Return the part of a typed path that names its folder, with the last slash."""
    return typed[: typed.rfind("/") + 1]


def _common_start(names: Sequence[str]) -> str:
    """Return the characters that all names begin with."""
    first, last = min(names), max(names)
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _folder(stem: str, home: Path, here: Path) -> Path:
    if stem == "~/" or stem.startswith("~/"):
        return home / stem[2:].lstrip("/")
    return here / stem


def _fits(name: str, prefix: str, wants: str) -> bool:
    if not name.startswith(prefix) or (name.startswith(".") and not prefix.startswith(".")):
        return False
    return name.endswith("/") or (wants != "folder" and name.lower().endswith(ANNOTATION_SUFFIXES))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name
