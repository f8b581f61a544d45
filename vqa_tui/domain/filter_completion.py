"""Completing a filter that is being typed: fields first, then the values that a field can have."""

import re
from dataclasses import dataclass

from vqa_tui.domain.filter_grammar import FIELDS, FREE_FIELDS, KNOWN_VALUES, NUMBER_FIELDS
from vqa_tui.domain.task import FilterValues

_MOST = 40
_LAST_PIECE = re.compile(r'(?:"[^"]*(?:"|\Z)|\S)*\Z')
_VALUE_START = re.compile(r"(!?)([A-Za-z_]\w*):(.*)\Z", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[\s,"!:]|\A[/\\]')


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on: `word` is what is offered, `line` the whole line with it taken."""

    word: str
    line: str


def completions(typed: str, values: FilterValues) -> tuple[Completion, ...]:
    """Return how the last term of `typed` may go on, those that begin with it before those that hold it."""
    piece = _LAST_PIECE.search(typed)
    start = piece.start() if piece else len(typed)
    last = typed[start:]
    value = _VALUE_START.fullmatch(last)
    if value is None:
        sign = "!" if last.startswith("!") else ""
        head = typed[:start] + sign
        return tuple(Completion(f"{name}:", f"{head}{name}:") for name in _matching(last[len(sign) :], FIELDS))
    sign, field, behind = value.groups()
    field = field.lower()
    done, comma, begun = behind.rpartition(",")
    head = f"{typed[:start]}{sign}{field}:{done}{comma}"
    if field in NUMBER_FIELDS:
        return () if behind else tuple(Completion(each, head + each) for each in (">", ">=", "<", "<=", "="))
    taken = {each.strip('"').lower() for each in done.split(",")}
    offered = [each for each in _known(field, values) if each.lower() not in taken]
    return tuple(
        Completion(each, head + quoted(each) + " ")
        for each in _matching(begun.strip('"'), offered)
        if each.lower() != begun.strip('"').lower()
    )


def settled(typed: str) -> str:
    """Return `typed` without a last word that may yet become the name of a field, as `stat` may become `status:`."""
    piece = _LAST_PIECE.search(typed)
    begun = piece.group().removeprefix("!").lower() if piece else ""
    unfinished = begun and any(name.startswith(begun) for name in FIELDS)
    return typed[: piece.start()] if piece and unfinished else typed


def quoted(value: str) -> str:
    """Return a value as it is typed: in quotes where it would fall apart otherwise."""
    return f'"{value.replace(chr(34), "")}"' if _NEEDS_QUOTES.search(value) else value


def _known(field: str, values: FilterValues) -> tuple[str, ...]:
    if field in FREE_FIELDS:
        return {"key": values.keys, "split": values.splits, "category": values.categories}[field]
    return KNOWN_VALUES.get(field, ())


def _matching(begun: str, offered: "tuple[str, ...] | list[str]") -> list[str]:
    sought = begun.lower()
    first = [each for each in offered if each.lower().startswith(sought)]
    then = [each for each in offered if sought in each.lower() and each not in first]
    return (first + then)[:_MOST]
