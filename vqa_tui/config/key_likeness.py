"""Telling what is probably the value of a key, so that none is stored with a recipe or an endpoint."""

import re
from collections.abc import Iterator
from typing import Any

from vqa_tui.config.yaml_document import Location

_BEGINS = (
    "sk-", "sk_", "AIza", "gsk_", "hf_", "xai-", "nvapi-", "AKIA", "ghp_", "github_pat_", "glpat-",
    "pplx-", "r8_", "eyJ",
)  # fmt: skip
_KNOWN_FORM = re.compile(rf"(?<![A-Za-z0-9_-])(?:{'|'.join(map(re.escape, _BEGINS))})[A-Za-z0-9_.-]{{12,}}")
_RANDOM_FORM = re.compile(r"[A-Za-z0-9]{20,}")
_AUTHORIZATION = re.compile(r"\s*(?:bearer|basic|token)\s+\S", re.I)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_WORDS_FOR_VALUES = frozenset(
    {"key", "apikey", "accesskey", "accesstoken", "authtoken", "token", "secret", "clientsecret", "password",
     "authorization"}
)  # fmt: skip
_DIGITS_OF_RANDOM = 3


def is_variable_name(text: str) -> bool:
    """Whether `text` can be the name of an environment variable and does not look like the value of a key."""
    return bool(_VARIABLE.fullmatch(text)) and not text.startswith(_BEGINS) and not _looks_random(text)


def key_values_in(value: Any, location: Location = ()) -> Iterator[Location]:
    """Give the location of every text below `value` that looks like the value of a key, names included.

    A location never holds such a text itself: for a name of a mapping it is that of the mapping. What stands under
    `keys.….env` is left to `is_variable_name`.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            if _looks_like_value(name):
                yield location
            elif location and location[0] != "keys" and _is_word_for_value(name) and isinstance(inner, str) and inner:
                yield (*location, name)
            else:
                yield from key_values_in(inner, (*location, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from key_values_in(inner, (*location, index))
    elif isinstance(value, str) and not _is_variable_place(location):
        named = location[:1] == ("keys",) and location[-1] in ("name", "group")
        header = location[:1] == ("extra_headers",)
        if _looks_like_value(value) or (named and _looks_random(value)) or (header and _AUTHORIZATION.match(value)):
            yield location


def _looks_like_value(text: str) -> bool:
    return bool(_KNOWN_FORM.search(text))


def _looks_random(text: str) -> bool:
    return bool(_RANDOM_FORM.fullmatch(text)) and sum(each.isdigit() for each in text) >= _DIGITS_OF_RANDOM


def _is_word_for_value(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in _WORDS_FOR_VALUES


def _is_variable_place(location: Location) -> bool:
    return len(location) == 3 and location[0] == "keys" and location[2] == "env"
