"""Checking a YAML document against its model, with errors that name file, line, key and the nearest known key."""

import difflib
from decimal import Decimal
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vqa_tui.config.yaml_document import Location, YamlDocument, shown
from vqa_tui.domain.failure import VqaError

_MOST_SHOWN = 8
_WORDS_FOR_VALUES = frozenset({"value", "key", "api_key", "apikey", "token", "secret", "password"})
_IN_WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "decimal_max_digits": "holds too many digits",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "dict_type": "must be keys with values",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be keys with values",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "string_too_short": "needs a text of at least {min_length}",
    "string_type": "must be text, in quotes if it looks like a number",
    "too_short": "needs at least {min_length}",
    "tuple_type": "must be a list",
}
"""By pydantic's type of error; the rest keep pydantic's own words."""
NO_BOOLEAN = "must be a number, not true or false"
NO_VALUES_HINT = "The value of a key never stands in a file: write `env: SOME_VARIABLE` and export the value there."

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], document: YamlDocument) -> M:
    """Return `document` as `model`. Raises VqaError that lists what is wrong, a line each, and never shows a value."""
    try:
        made = model.model_validate(document.value)
    except ValidationError as error:
        details = sorted(_causes(error), key=lambda each: document.line_of(each["loc"]))
        places = [f"{shown(document.path)}:{document.line_of(each['loc'])}: " for each in details]
        lines = _listed([place + _in_words(model, each) for place, each in zip(places, details, strict=True)])
        told_a_value = any(
            each["type"] == "extra_forbidden" and each["loc"][0] == "keys" and each["loc"][-1] in _WORDS_FOR_VALUES
            for each in details
        )
        # `from None`: pydantic's own text quotes the values, and one of them may be a key that stands there by mistake.
        raise VqaError("\n".join(lines), hint=NO_VALUES_HINT if told_a_value else "") from None
    if (place := boolean_for_number(document.value, made)) is not None:
        key = ".".join(map(str, place))
        raise VqaError(f"{shown(document.path)}:{document.line_of(place)}: {key}: {NO_BOOLEAN}")
    return made


def boolean_for_number(value: Any, made: Any, location: Location = ()) -> Location | None:
    """Return the first place at which `value` says true or false and the model that was made of it has a number:
    pydantic takes them for 1 and 0. None where there is none."""
    if isinstance(value, bool):
        return None if isinstance(made, bool) or not isinstance(made, int | float | Decimal) else location
    if isinstance(value, dict) and isinstance(made, BaseModel):
        inner = [(key, each, getattr(made, key, None)) for key, each in value.items()]
    elif isinstance(value, dict) and isinstance(made, dict):
        inner = [(key, each, made.get(key)) for key, each in value.items()]
    elif isinstance(value, list) and isinstance(made, list | tuple):
        inner = [(number, each, one) for number, (each, one) in enumerate(zip(value, made, strict=False))]
    else:
        return None
    found = (boolean_for_number(each, one, (*location, key)) for key, each, one in inner)
    return next((place for place in found if place is not None), None)


def complaints(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Return what is wrong with a value that is no `model`, a line each: the key, then the words; never a value."""
    return _listed([_in_words(model, each) for each in _causes(error)])


def nearest(word: str, known: list[str]) -> str:
    """Return the known word that `word` was probably meant to be, or an empty text."""
    close = difflib.get_close_matches(word, known, 1, cutoff=0.6)
    return close[0] if close else ""


def _listed(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_SHOWN
    return [*lines[:_MOST_SHOWN], f"… and {more} more"] if more > 0 else lines


def _causes(error: ValidationError) -> list[ErrorDetails]:
    details = error.errors(include_input=False)
    # An entry that is wrong is not counted by pydantic, so a list of one wrong entry is also called too short.
    return [
        each
        for each in details
        if each["type"] != "too_short"
        or not any(other["loc"][: len(each["loc"])] == each["loc"] for other in details if other is not each)
    ]


def _in_words(model: type[BaseModel], detail: ErrorDetails) -> str:
    location: Location = detail["loc"]
    key = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        close = nearest(str(location[-1]), known)
        return f"{key}: unknown key, " + (f"did you mean `{close}`?" if close else f"known here: {', '.join(known)}")
    if detail["type"] == "missing":
        return f"{key}: this key is required"
    message = _message(detail)
    return f"{key}: {message}" if key else message


def _message(detail: ErrorDetails) -> str:
    if words := _IN_WORDS.get(detail["type"]):
        return words.format(**detail.get("ctx", {}))
    return detail["msg"].removeprefix("Value error, ").replace("Input should", "should")


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    annotation: Any = model
    for part in location:
        annotation = _inside(_unwrapped(annotation), part)
    annotation = _unwrapped(annotation)
    return list(annotation.model_fields) if _is_model(annotation) else []


def _inside(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(part)
        return field.annotation if field else None
    arguments = get_args(annotation)
    return arguments[-1 if get_origin(annotation) is dict else 0] if arguments else None


def _unwrapped(annotation: Any) -> Any:
    """Return what stands inside Annotated[…] and beside `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif type(None) in get_args(annotation):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
