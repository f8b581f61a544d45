"""Which keys are characters for the field that has the focus, and so do nothing else."""

import unicodedata

from textual.keys import REPLACED_KEYS, key_to_character
from textual.screen import Screen


def is_typed(screen: "Screen[object]", key: str) -> bool:
    """Return whether `key` is typed into what has the focus.

    Textual leaves such keys out of the active bindings by itself, but for those with a name of its own, such as slash.
    """
    focused = screen.focused
    return focused is not None and focused.check_consume_key(key, _character(key))


def _character(key: str) -> str | None:
    if key in REPLACED_KEYS:
        return unicodedata.lookup(REPLACED_KEYS[key].replace("hyphen_minus", "hyphen-minus").replace("_", " ").upper())
    return key_to_character(key)
