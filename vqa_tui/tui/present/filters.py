"""The filter grammar of the items screen: `status:failed kind:bad_reply text`, with `!` before a term to invert it."""

import difflib
import shlex
from dataclasses import dataclass, replace

from textual.content import Content

from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET, kind_words

EXAMPLE = "status:failed kind:bad_reply text"
_FIELDS = {"status": [status.value for status in TaskStatus], "kind": [kind.value for kind in FailureKind]}
_STATUS_NAMES = {"in_flight": TaskStatus.LEASED.value, "waiting": TaskStatus.PENDING.value}


@dataclass(frozen=True, slots=True)
class _Term:
    field: str
    values: tuple[str, ...]
    inverted: bool


def parse_filter(typed: str) -> TaskFilter:
    """Return the filter that `typed` stands for.

    Terms are separated by spaces, all must hold; `status:` and `kind:` take several values with commas, `!` inverts
    such a term; every other word is searched in the item's key, several words together as one text.
    Raises VqaError for an unknown field or value, naming the nearest known one.
    """
    found, words = TaskFilter(), []
    for piece in _split(typed):
        inverted = piece.startswith("!")
        field, colon, value = piece.removeprefix("!").partition(":")
        if not colon or field.lower() not in _FIELDS:
            if inverted:
                raise VqaError(f"`{piece}` cannot be inverted", hint="Only status: and kind: can, as in !status:done.")
            if colon and (near := difflib.get_close_matches(field.lower(), _FIELDS, 1)):
                raise VqaError(f"there is no field `{field}`", hint=f"Did you mean {near[0]}:{value}?")
            words.append(piece)
            continue
        term = _Term(field.lower(), tuple(v for v in value.lower().split(",") if v), inverted)
        found = _narrowed(found, term)
    return replace(found, search=" ".join(words))


def _split(typed: str) -> list[str]:
    try:
        return shlex.split(typed, posix=True)
    except ValueError:
        return typed.split()


def _narrowed(found: TaskFilter, term: _Term) -> TaskFilter:
    known = _FIELDS[term.field]
    underscored = [value.replace("-", "_") for value in term.values]
    values = [_STATUS_NAMES.get(value, value) for value in underscored]
    if not values:
        raise VqaError(f"`{term.field}:` needs a value", hint=f"One of {', '.join(known)}.")
    for value in values:
        if value not in known:
            near = difflib.get_close_matches(value, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise VqaError(f"`{value}` is not a {term.field}", hint=hint)
    before = found.kinds if term.field == "kind" else tuple(status.value for status in found.statuses)
    allowed = before or known
    chosen = [value for value in known if value in allowed and (value in values) is not term.inverted]
    if not chosen:
        raise VqaError(
            f"no {term.field} is left by this filter", hint="All terms must hold; several values take commas."
        )
    if term.field == "kind":
        return replace(found, kinds=tuple(chosen))
    return replace(found, statuses=tuple(TaskStatus(value) for value in chosen))


def chips(wanted: TaskFilter) -> Content:
    """Return the active filter as chips; an empty one says that everything is shown."""
    parts: list[Content] = []
    if wanted.statuses:
        parts.append(_chip("status", ", ".join(status.value for status in wanted.statuses)))
    if wanted.kinds:
        parts.append(_chip("kind", ", ".join(kind_words(kind) for kind in wanted.kinds)))
    if wanted.search:
        parts.append(_chip("text", clean(wanted.search, one_line=True, limit=40)))
    return Content(" ").join(parts) if parts else Content.styled("all items", QUIET)


def _chip(field: str, value: str) -> Content:
    shown = value if len(value) <= 48 else value[:47] + "…"
    return Content.assemble((f" {field} ", "$foreground 60% on $panel"), (f"{shown} ", "bold on $panel"))
