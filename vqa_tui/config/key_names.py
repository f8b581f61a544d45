"""Names of keys as Textual spells them: whether a terminal can send what somebody wrote."""

import re
import unicodedata
from functools import cache

_NAMED = frozenset(
    (
        "escape", "enter", "return", "tab", "space", "backspace", "insert", "delete", "home", "end", "pageup",
        "pagedown", "left", "right", "up", "down", *(f"f{number}" for number in range(1, 25)),
    )
)  # fmt: skip
_SPELLED_BY_TEXTUAL = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
_MODIFIERS = re.compile(r"(?:(?:ctrl|shift|alt|super|hyper|meta)\+)*")
_LAST_NAMED = 0x2FFF
"""The last character whose name is looked for; keys with one beyond it are letters, which stand for themselves."""


def why_no_key(name: str) -> str | None:
    """Return why no key is called `name`, with what was meant where that is plain; None where one is."""
    found = _MODIFIERS.match(name)
    assert found is not None  # it matches nothing, too
    modifiers, base = found[0], name[found.end() :]
    if len(base) == 1 and base.isalnum():
        if modifiers and base != base.lower():
            return f"`{name}` is written {modifiers}{base.lower()}"
        return f"`{name}` is written {base.upper()}" if modifiers == "shift+" else None
    if base in _NAMED or base in _character_names():
        return None
    if len(base) == 1 and (spelled := _spelled(base)):
        return f"`{name}` is written {modifiers}{spelled}"
    lower = name.lower()
    if lower != name and why_no_key(lower) is None:
        return f"`{name}` is written {lower}"
    return f"no key is called `{name}`"


def _spelled(character: str) -> str:
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _SPELLED_BY_TEXTUAL.get(name, name)


@cache
def _character_names() -> frozenset[str]:
    characters = (chr(code) for code in range(0x20, _LAST_NAMED))
    return frozenset(_spelled(each) for each in characters if not each.isalnum()) - {""}
