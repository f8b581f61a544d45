"""Reading a reply that is one JSON object with known keys, such as a narration with its novelty."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.reply import as_text, json_values
from vqa_tui.domain.reply_text import ReadReply, UnreadableReply, after_reasoning, storable
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.tolerant_json import FoundValue, Number, Outcome, PartialObject


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """What one key of the object must hold."""

    type: str
    """`integer`, `number`, `string` or `boolean`."""
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False


def read_object(text: str, question: str, keys: Mapping[str, ObjectKey]) -> ReadReply:
    """Return the object as compact JSON text, its keys in the order of `keys`: the answer to `question`.

    The object may stand in a ``` block or between prose; of several the first with a known key counts. Raises
    UnreadableReply for a reply without one, for a key that is not in `keys`, for one that is missing, and for a value
    of another type or outside its bounds.
    """
    found = _object(after_reasoning(text), keys)
    value: dict[str, Any] = found.value
    if value.keys() - keys.keys():
        raise UnreadableReply(f"the object has a key that was not asked for; allowed are {_listed(keys)}")
    kept = {}
    for name, rule in keys.items():
        if value.get(name) is None:
            if rule.optional:
                continue
            raise UnreadableReply(f"the object lacks the key `{name}`")
        if problem := _problem(value[name], rule):
            raise UnreadableReply(f"the value of `{name}` {problem}")
        kept[name] = value[name]
    return ReadReply((Pair(question, storable(as_text(kept))),), cut=False)


def object_place(text: str, keys: Mapping[str, ObjectKey]) -> tuple[int, int] | None:
    """Return where the object stands that `read_object` takes: start and end in characters; None without one."""
    rest = after_reasoning(text)
    try:
        found = _object(rest, keys)
    except UnreadableReply:
        return None
    before = len(text) - len(rest)
    return before + found.start, before + found.end


def object_schema(keys: Mapping[str, ObjectKey]) -> dict[str, Any]:
    """Return the JSON schema of the object."""
    properties: dict[str, Any] = {}
    for name, rule in keys.items():
        bounds = {"minimum": rule.minimum, "maximum": rule.maximum}
        properties[name] = {"type": rule.type} | {word: bound for word, bound in bounds.items() if bound is not None}
    required = [name for name, rule in keys.items() if not rule.optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _object(text: str, keys: Mapping[str, ObjectKey]) -> FoundValue:
    values = json_values(text)
    objects = [value for value in values if isinstance(value.value, dict) and value.value]
    chosen = next((value for value in objects if keys.keys() & value.value.keys()), objects[0] if objects else None)
    if chosen is None:
        raise UnreadableReply("the reply holds no JSON object" if text.strip() else "the reply is empty")
    if chosen.outcome is Outcome.CUT or isinstance(chosen.value, PartialObject):
        raise UnreadableReply("the reply was cut off before its JSON object was whole")
    if chosen.outcome is Outcome.DAMAGED:
        raise UnreadableReply("the JSON object of the reply is broken")
    return chosen


def _problem(value: Any, rule: ObjectKey) -> str:
    """Return in words what is wrong with a value, or ''."""
    match rule.type:
        case "string":
            return "" if isinstance(value, str) and not isinstance(value, Number) else "is not a text"
        case "boolean":
            return "" if isinstance(value, bool) else "is neither true nor false"
    number = float(value) if isinstance(value, Number) else math.nan
    if not math.isfinite(number) or (rule.type == "integer" and not number.is_integer()):
        return "is not a whole number" if rule.type == "integer" else "is not a number"
    if rule.minimum is not None and number < rule.minimum:
        return f"is less than {rule.minimum:g}"
    if rule.maximum is not None and number > rule.maximum:
        return f"is more than {rule.maximum:g}"
    return ""


def _listed(keys: Mapping[str, ObjectKey]) -> str:
    return ", ".join(f"`{name}`" for name in keys)
