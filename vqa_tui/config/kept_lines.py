"""Changing one key of a YAML file that a person wrote, and leaving its other lines and comments as they are."""

from collections.abc import Mapping
from typing import Any

import yaml


def with_key(text: str, values: Mapping[str, Any], name: str, value: object) -> str:
    """Return the YAML `text` with the key `name` set to `value`, a scalar; None takes the key out.

    `values` is the mapping that `text` holds. Where its lines cannot be told apart (it stands in braces, say), the
    whole is written anew.
    """
    wanted = {key: each for key, each in values.items() if key != name or value is not None}
    if value is not None:
        wanted[name] = value
    edited = _edited(text, name, "" if value is None else _dump({name: value}))
    return edited if _means(edited, wanted) else _dump(wanted)


def _edited(text: str, name: str, line: str) -> str:
    lines = text.splitlines(keepends=True)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, old in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == name:
            first, last, column = key.start_mark.line, old.end_mark.line, old.end_mark.column
            if not column:  # a block of text ends where the next line begins
                return "".join([*lines[:first], line, *lines[last:]])
            rest = lines[last][column:].strip()
            kept = f"{line.rstrip()}  {rest}\n" if line and rest else line
            return "".join([*lines[:first], kept, *lines[last + 1 :]])
    return f"{text.rstrip()}\n{line}" if text.strip() else line


def _means(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return (yaml.safe_load(text) or {}) == _read_back(wanted)
    except yaml.YAMLError:
        return False


def _read_back(values: Mapping[str, Any]) -> object:
    return yaml.safe_load(_dump(values)) or {}


def _dump(values: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False, width=1_000_000) if values else ""
