"""Reading one YAML file strictly, remembering on which line everything stands."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from vqa_tui.domain.failure import VqaError

Location = tuple[str | int, ...]
"""Keys and list positions from the top of a document down, such as ("keys", 0, "env")."""

LARGEST_FILE = 1_000_000
"""Bytes; a recipe with long few-shot prompts is some ten thousand."""

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null"))


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A mapping read from a file; every key is text."""

    path: Path
    value: dict[str, Any]
    lines: Mapping[Location, int]
    """Line of each key and list entry, counted from 1."""

    def line_of(self, location: Location) -> int:
        """Return the line of `location`, or of the nearest thing around it that is in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def error(self, location: Location, message: str, *, hint: str = "") -> VqaError:
        """Return an error that names file, line and key."""
        return VqaError(f"{shown(self.path)}:{self.line_of(location)}: {message}", hint=hint)


def shown(path: Path) -> str:
    """Return `path` as a person would type it: relative when it is below the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def is_blank(text: str) -> bool:
    """Return whether YAML text says nothing: there are comments in it at most."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def read_yaml(path: Path) -> YamlDocument:
    """Read a mapping from a YAML file.

    Stricter than YAML 1.1, because every one of these has cost somebody a wrong run: a key that stands twice is
    refused; `yes`, `no`, `on` and `off` are words and not booleans; dates are text; keys are text; aliases, tags and
    numbers that are not finite are refused. Raises VqaError with file and line.
    """
    text = read_text(path)
    reader = _Reader(path)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise VqaError(f"{shown(path)}: the file is empty")
            value = reader.read(loader, node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _in_words(path, error) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise VqaError(f"{shown(path)}:{line}: a control character cannot stand in YAML") from error
    except RecursionError as error:
        raise VqaError(f"{shown(path)}: nested too deeply to be a configuration") from error
    if not isinstance(value, dict):
        raise VqaError(f"{shown(path)}:1: expected keys with values at the top of the file, such as `name: …`")
    return YamlDocument(path, value, reader.lines)


def read_text(path: Path) -> str:
    """Return the text of a file. Raises VqaError when it is none, cannot be read, is too large, or is not UTF-8."""
    try:
        if not path.is_file():
            raise VqaError(f"{shown(path)} is not a file" if path.exists() else f"there is no file {shown(path)}")
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VqaError(f"{shown(path)} cannot be read: {reason}") from error
    if len(data) > LARGEST_FILE:
        raise VqaError(f"{shown(path)} is larger than {LARGEST_FILE:,} bytes, so it is not taken for a configuration")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise VqaError(f"{shown(path)}:{line}: not UTF-8 text", hint="Save the file as UTF-8.") from error


class _Loader(yaml.SafeLoader):
    """Composes nodes only; scalars keep the types of YAML 1.1 but for dates, merges and the words for booleans."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own class attribute)
        first: [
            (tag, pattern) for tag, pattern in known if tag.removeprefix(_TAG) not in {"timestamp", "bool", "merge"}
        ]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not supported; write the value out", mark
            )
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver(_TAG + "bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


class _Reader:
    """Turns nodes into plain values and notes the line of each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: dict[Location, int] = {(): 1}

    def read(self, loader: _Loader, node: yaml.Node, location: Location) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(loader, node, location)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            values = []
            for index, entry in enumerate(node.value):
                self.lines[(*location, index)] = _line(entry)
                values.append(self.read(loader, entry, (*location, index)))
            return values
        if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN_TAGS:
            return self._scalar(loader, node, location)
        self._refuse(node, f"the tag {node.tag.replace(_TAG, '!!')} is not supported")

    def _mapping(self, loader: _Loader, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, "a key must be plain text; put quotes around text that begins with { or [")
            key, here = key_node.value, (*location, key_node.value)
            if key in values:
                self._refuse(key_node, f"the key `{key}` stands twice (first on line {self.lines[here]})")
            self.lines[here] = _line(key_node)
            values[key] = self.read(loader, value_node, here)
        return values

    def _scalar(self, loader: _Loader, node: yaml.ScalarNode, location: Location) -> Any:
        key = f"{'.'.join(map(str, location))}: " if location else ""
        try:
            value = loader.construct_object(node)
        except ValueError:
            self._refuse(node, f"{key}not a number that can be read; put quotes around it if it is text")
        if isinstance(value, float) and not math.isfinite(value):
            self._refuse(node, f"{key}the number is not finite")
        return value

    def _refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise VqaError(f"{shown(self._path)}:{_line(node)}: {message}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _in_words(path: Path, error: yaml.MarkedYAMLError) -> VqaError:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if "'\\t'" in problem:
        problem, hint = "a tab stands where YAML wants spaces", "Replace the tab by spaces."
    elif "expected a single document" in problem:
        problem = "a second document begins (`---`); one file holds one"
    elif "mapping values are not allowed" in problem:
        problem, hint = "a colon stands where it cannot", "Put quotes around text that holds a colon."
    return VqaError(f"{shown(path)}:{mark.line + 1 if mark else 1}: {problem or 'not valid YAML'}", hint=hint)
