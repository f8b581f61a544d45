"""The filter grammar of the items screen: `status:failed kind:bad_reply text`, with `!` before a term to invert it."""

import difflib
import re
from dataclasses import dataclass, replace

from textual.content import Content

from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET, kind_words, status_label

EXAMPLE = "status:failed kind:bad_reply text"
_FIELDS = {"status": [status.value for status in TaskStatus], "kind": [kind.value for kind in FailureKind]}
_STATUS_NAMES = {"taken": TaskStatus.LEASED.value, "in_flight": TaskStatus.LEASED.value, "waiting": "pending"}

_PIECE = re.compile(r'(?:"[^"]*"|\S)+')
_FIELD = re.compile(r"([A-Za-z_][\w-]+):(?![/\\])(.*)")
"""A field and its value; not the drive of a path (`C:`), and not the scheme of a URL (`https://`)."""


@dataclass(frozen=True, slots=True)
class _Term:
    field: str
    values: tuple[str, ...]
    inverted: bool


def parse_filter(typed: str) -> TaskFilter:
    """Return the filter that `typed` stands for.

    Terms are separated by spaces and all must hold. `status:` and `kind:` take several values with commas; every other
    word is searched in the item's key, several words together as one text. Double quotes keep spaces together and make
    text of what would be a field. `!` inverts any term. Raises VqaError for an unknown field or value, naming the
    nearest known one, and when no status or kind is left.
    """
    found = TaskFilter()
    words: list[str] = []
    for piece in _PIECE.findall(typed):
        inverted = piece.startswith("!") and piece != "!"
        term = piece[1:] if inverted else piece
        field = _FIELD.fullmatch(term)
        if field is not None:
            found = _narrowed(found, _term(field[1], field[2], inverted))
            continue
        text = re.sub(r'"([^"]*)"', r"\1", term)
        if inverted and text:
            found = replace(found, not_search=(*found.not_search, text))
        elif text:
            words.append(text)
    return replace(found, search=" ".join(words))


def _term(field: str, value: str, inverted: bool) -> _Term:
    name = field.lower()
    if name not in _FIELDS:
        near = difflib.get_close_matches(name, _FIELDS, 1)
        hint = f"Did you mean {near[0]}:{value}?" if near else f"Known are {', '.join(_FIELDS)}."
        raise VqaError(f"there is no field `{field}`", hint=f'{hint} In quotes it is text: "{field}:{value}".')
    known = _FIELDS[name]
    values = [each.replace("-", "_") for each in value.lower().split(",") if each]
    values = [_STATUS_NAMES.get(each, each) if name == "status" else each for each in values]
    if not values:
        raise VqaError(f"`{name}:` needs a value", hint=f"One of {', '.join(known)}.")
    for each in values:
        if each not in known:
            near = difflib.get_close_matches(each, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise VqaError(f"`{each}` is not a {name}", hint=hint)
    return _Term(name, tuple(values), inverted)


def _narrowed(found: TaskFilter, term: _Term) -> TaskFilter:
    if term.field == "status":
        allowed = found.statuses or tuple(TaskStatus)
        statuses = tuple(status for status in allowed if (status.value in term.values) is not term.inverted)
        _refuse_nothing(statuses, "status")
        return replace(found, statuses=statuses)
    if term.inverted:
        found = replace(found, not_kinds=(*found.not_kinds, *(v for v in term.values if v not in found.not_kinds)))
        if not found.kinds:
            return found
        kinds = found.kinds
    else:
        kinds = tuple(kind for kind in found.kinds or _FIELDS["kind"] if kind in term.values)
    kinds = tuple(kind for kind in kinds if kind not in found.not_kinds)
    _refuse_nothing(kinds, "kind")
    return replace(found, kinds=kinds)


def _refuse_nothing(left: tuple[str, ...], field: str) -> None:
    if not left:
        raise VqaError(f"no {field} is left by this filter", hint="All terms must hold; several values take commas.")


def chips(wanted: TaskFilter) -> Content:
    """Return the active filter as chips; an empty one says that everything is shown."""
    parts: list[Content] = []
    if wanted.statuses:
        parts.append(_chip("status", ", ".join(status_label(status).word for status in wanted.statuses)))
    if wanted.kinds:
        parts.append(_chip("kind", ", ".join(kind_words(kind) for kind in wanted.kinds)))
    elif wanted.not_kinds:
        parts.append(_chip("kind not", ", ".join(kind_words(kind) for kind in wanted.not_kinds)))
    if wanted.search:
        parts.append(_chip("text", clean(wanted.search, one_line=True, limit=40)))
    parts += [_chip("text not", clean(words, one_line=True, limit=40)) for words in wanted.not_search]
    return Content(" ").join(parts) if parts else Content.styled("all items", QUIET)


def _chip(field: str, value: str) -> Content:
    shown = value if len(value) <= 48 else value[:47] + "…"
    return Content.assemble((f" {field} ", "$foreground 60% on $panel"), (f"{shown} ", "bold on $panel"))
