"""The filter grammar of lists of items: `status:failed cost>0.001 !flag:short_answer text`."""

import difflib
import re
from dataclasses import dataclass, replace
from decimal import Decimal

from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import SampleFlag
from vqa_tui.domain.task import ANY, NONE, Compared, OneOf, TaskField, TaskFilter

EXAMPLE = "status:failed cost>0.001 !flag:any text"

KNOWN_VALUES: dict[str, tuple[str, ...]] = {
    "status": tuple(status.value for status in TaskStatus),
    "kind": tuple(kind.value for kind in FailureKind),
    "flag": (*(flag.value for flag in SampleFlag), ANY),
    "verdict": ("accepted", "rejected", "unsure", ANY, NONE),
    "pilot": ("yes", "no"),
}
"""Values of the fields that take no others."""
NUMBER_FIELDS = {"id": TaskField.ID, "attempts": TaskField.ATTEMPTS, "cost": TaskField.COST, "ms": TaskField.LATENCY}
FREE_FIELDS = ("key", "split", "category")
"""Fields that take any value; a run knows which occur."""
FIELDS = (
    "status",
    "kind",
    "flag",
    "verdict",
    "key",
    "attempts",
    "cost",
    "ms",
    "split",
    "category",
    "pilot",
    "id",
    "text",
)

_OTHER_NAMES = {"latency": "ms", "tries": "attempts", "flags": "flag"}
_STATUS_NAMES = {"taken": TaskStatus.LEASED.value, "in_flight": TaskStatus.LEASED.value, "waiting": "pending"}
_TRUTHS = {"true": "yes", "1": "yes", "false": "no", "0": "no"}
_EXAMPLES = {"id": "id:120 or id:>120", "attempts": "attempts:>2", "cost": "cost:>0.001", "ms": "ms:>5000"}

_PIECE = re.compile(r'(?:"[^"]*(?:"|\Z)|\S)+')
_FIELD = re.compile(r"([A-Za-z_][\w-]+):(?![/\\])(.*)", re.DOTALL)
"""A field and its value; not the drive of a path (`C:`), and not the scheme of a URL (`https://`)."""
_COMPARISON = re.compile(r"([A-Za-z_]\w+)([<>]=?|=)(.*)", re.DOTALL)
_OPERATOR = re.compile(r"([<>]=?|=)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"\$?(\d{1,15}(?:\.\d{1,9})?)(ms|s)?")
_VALUE = re.compile(r'(?:"[^"]*"?|[^,"])+')


@dataclass(frozen=True, slots=True)
class Term:
    """One term as typed: a field with its value, or (field '') a word to look for."""

    start: int
    end: int
    field: str
    value: str
    """What stands behind the colon, or the word; quotes included."""
    inverted: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One active condition; words of text that belong together are one."""

    label: str
    """As it could be typed; foreign text."""
    spans: tuple[tuple[int, int], ...]
    """Where it stands in what was typed."""


def parse_filter(typed: str) -> TaskFilter:
    """Return the filter that `typed` stands for.

    Terms are separated by spaces and all must hold. A field takes one value, or several with commas; numbers take
    <, <=, >, >= and =. Every other word is searched in the item's key, several words together as one text. Double
    quotes keep spaces together and make text of what would be a field. `!` inverts any term. Raises VqaError for an
    unknown field or value, naming the nearest known one, and when no status or kind is left.
    """
    found = TaskFilter()
    words: list[str] = []
    for term in terms(typed):
        if term.field in ("", "text"):
            text = _unquoted(term.value)
            if not text and term.field:
                raise VqaError("`text:` needs a value", hint="A word of the item's name.")
            if term.inverted and text:
                found = replace(found, not_search=(*found.not_search, text))
            elif text:
                words.append(text)
        elif term.field in NUMBER_FIELDS:
            found = replace(found, conditions=(*found.conditions, _compared(term)))
        else:
            found = _narrowed(found, term)
    return replace(found, search=" ".join(words))


def terms(typed: str) -> tuple[Term, ...]:
    """Return the terms of `typed` in order. Raises VqaError for a field that does not exist."""
    found = []
    for piece in _PIECE.finditer(typed):
        inverted = piece[0].startswith("!") and piece[0] != "!"
        body = piece[0][1:] if inverted else piece[0]
        name, value = "", body
        if field := _FIELD.fullmatch(body):
            name, value = _field_name(field[1], field[2]), field[2]
        elif (compared := _COMPARISON.fullmatch(body)) and _plain_name(compared[1]) in NUMBER_FIELDS:
            name, value = _plain_name(compared[1]), compared[2] + compared[3]
        found.append(Term(piece.start(), piece.end(), name, value, inverted))
    return tuple(found)


def chips(typed: str) -> tuple[Chip, ...]:
    """Return the conditions of a filter that can be read, one chip each."""
    found: list[Chip] = []
    words: list[Term] = []
    for term in terms(typed):
        if term.field in ("", "text") and not term.inverted:
            words.append(term)
            continue
        sign = "!" if term.inverted else ""
        name = term.field or "text"
        colon = "" if term.value[:1] in "<>=" and name in NUMBER_FIELDS else ":"
        found.append(Chip(f"{sign}{name}{colon}{term.value}", ((term.start, term.end),)))
    if words:
        text = " ".join(_unquoted(term.value) for term in words)
        found.append(Chip(f"text:{text}", tuple((term.start, term.end) for term in words)))
    return tuple(found)


def without(typed: str, chip: Chip) -> str:
    """Return `typed` without the terms of `chip`."""
    for start, end in reversed(chip.spans):
        typed = typed[:start] + typed[end:]
    return " ".join(_PIECE.findall(typed))


def _plain_name(name: str) -> str:
    name = name.lower()
    return _OTHER_NAMES.get(name, name)


def _field_name(name: str, value: str) -> str:
    plain = _plain_name(name)
    if plain not in FIELDS:
        near = difflib.get_close_matches(plain, (*FIELDS, *_OTHER_NAMES), 1)
        hint = f"Did you mean {near[0]}:{value}?" if near else f"Known are {', '.join(FIELDS)}."
        raise VqaError(f"there is no field `{plain}`", hint=f'{hint} In quotes it is text: "{plain}:{value}".')
    return plain


def _unquoted(text: str) -> str:
    return re.sub(r'"([^"]*)"', r"\1", text)


def _values(term: Term) -> list[str]:
    return [value for each in _VALUE.findall(term.value) if (value := each.strip('"').strip())]


def _compared(term: Term) -> Compared:
    """Return a comparison of numbers. Raises VqaError for what is no number."""
    match = _OPERATOR.fullmatch(term.value)
    operator, rest = (match[1] or "=", match[2]) if match else ("=", "")
    numbers = [_number(term.field, each) for each in rest.split(",") if each]
    if not numbers or (operator != "=" and len(numbers) > 1):
        wanted = "a number" if not numbers else "one number behind a comparison"
        raise VqaError(f"`{term.field}:` needs {wanted}", hint=f"As in {_EXAMPLES[term.field]}.")
    return Compared(NUMBER_FIELDS[term.field], operator, tuple(numbers), term.inverted)


def _number(field: str, typed: str) -> Decimal:
    match = _NUMBER.fullmatch(typed.strip().lower())
    if match is None or (match[2] and field != "ms") or (typed.startswith("$") and field != "cost"):
        raise VqaError(f"`{typed}` is not a number for {field}", hint=f"As in {_EXAMPLES[field]}.")
    return Decimal(match[1]) * (1000 if match[2] == "s" else 1)


def _known(term: Term) -> tuple[str, ...]:
    """Return the values of a field that takes no others. Raises VqaError, naming the nearest known one."""
    field, known = term.field, KNOWN_VALUES[term.field]
    values = [each.lower().replace("-", "_") for each in _values(term)]
    if field == "status":
        values = [_STATUS_NAMES.get(each, each) for each in values]
    if field == "pilot":
        values = [_TRUTHS.get(each, each) for each in values]
    if not values:
        raise VqaError(f"`{field}:` needs a value", hint=f"One of {', '.join(known)}.")
    for each in values:
        if each not in known:
            near = difflib.get_close_matches(each, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise VqaError(f"`{each}` is not a {field}", hint=hint)
    return tuple(values)


def _narrowed(found: TaskFilter, term: Term) -> TaskFilter:
    if term.field in FREE_FIELDS:
        values = tuple(_values(term))
        if not values:
            raise VqaError(f"`{term.field}:` needs a value", hint="Names as they stand; several take commas.")
        return replace(found, conditions=(*found.conditions, OneOf(TaskField(term.field), values, term.inverted)))
    values = _known(term)
    if term.field == "status":
        allowed = found.statuses or tuple(TaskStatus)
        statuses = tuple(status for status in allowed if (status.value in values) is not term.inverted)
        _refuse_nothing(statuses, "status")
        return replace(found, statuses=statuses)
    if term.field != "kind":
        return replace(found, conditions=(*found.conditions, OneOf(TaskField(term.field), values, term.inverted)))
    if term.inverted:
        found = replace(found, not_kinds=(*found.not_kinds, *(v for v in values if v not in found.not_kinds)))
        if not found.kinds:
            return found
        kinds = found.kinds
    else:
        kinds = tuple(kind for kind in found.kinds or KNOWN_VALUES["kind"] if kind in values)
    kinds = tuple(kind for kind in kinds if kind not in found.not_kinds)
    _refuse_nothing(kinds, "kind")
    return replace(found, kinds=kinds)


def _refuse_nothing(left: tuple[str, ...], field: str) -> None:
    if not left:
        raise VqaError(f"no {field} is left by this filter", hint="All terms must hold; several values take commas.")
