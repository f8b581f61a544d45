"""The grammar of labels: article, plural, and which of `is` and `are` follows.

Labels keep the case in which the dataset spells them.
"""

import re
from functools import cache

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_PAIRS = frozenset(
    [
        "binoculars",
        "glasses",
        "goggles",
        "handcuffs",
        "headphones",
        "earphones",
        "jeans",
        "pants",
        "pliers",
        "scissors",
        "shears",
        "shorts",
        "skis",
        "sunglasses",
        "tongs",
        "trousers",
        "tweezers",
    ]
)
"""Words for one thing, or one pair, that exist in the plural only."""
_UNCOUNTED = frozenset(
    [
        "ammunition",
        "baggage",
        "bread",
        "broccoli",
        "cash",
        "equipment",
        "food",
        "jewellery",
        "jewelry",
        "luggage",
        "money",
    ]
)
_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "sheep": "sheep",
    "fish": "fish",
    "aircraft": "aircraft",
    "knife": "knives",
    "loaf": "loaves",
    "leaf": "leaves",
    "shelf": "shelves",
    "scarf": "scarves",
    "wolf": "wolves",
    "potato": "potatoes",
    "tomato": "tomatoes",
}
_LAST_WORD = re.compile(r"[^\W\d_]+(?=\W*$)")
_VOWEL_SOUND = re.compile(r"(?!uni|use|usb|usual|ute|eu|one\b)[aeiouäöü]|hour", re.IGNORECASE)
_PLURAL_ALREADY = re.compile(r"[^aious'’]s$|[aeo]es$|[bcdfgklmnprtvwy]os$", re.IGNORECASE)
_NOT_PLURAL = re.compile(r"(?:lens|chess|news)$", re.IGNORECASE)


def number(value: int) -> str:
    """Return a number in words up to twelve, in digits beyond."""
    return _NUMBERS[value] if 0 <= value < len(_NUMBERS) else str(value)


@cache
def unit_of(label: str) -> str:
    """Return what single ones of `label` are counted in: `pair`, `set`, `piece`, or nothing for `a Knife`."""
    word = _last_word(label).lower()
    if word in _PAIRS:
        return "pair"
    if word in _UNCOUNTED:
        return "piece"
    return "set" if _looks_plural(word) else ""


def a(label: str) -> str:
    """Return one of `label`: `a Knife`, `an umbrella`, `a pair of Scissors`, `a piece of broccoli`."""
    if unit := unit_of(label):
        return f"a {unit} of {label}"
    return f"{'an' if _VOWEL_SOUND.match(label) else 'a'} {label}"


def several(label: str, count: int) -> str:
    """Return `a Knife`, `two Knives`, `two pairs of Scissors`."""
    return a(label) if count == 1 else f"{number(count)} {plural(label)}"


def counted(label: str, count: int) -> str:
    """Return `one Knife`, `two Knives`, `one pair of Scissors`."""
    if count != 1:
        return several(label, count)
    unit = unit_of(label)
    return f"one {unit} of {label}" if unit else f"one {label}"


@cache
def plural(label: str) -> str:
    """Return `Knives`, `people`, `pairs of Scissors`, `wine glasses`."""
    if unit := unit_of(label):
        return f"{unit}s of {label}"
    word = _last_word(label)
    if not word:
        return f"{label} items"
    at = label.rindex(word)
    return label[:at] + _plural_word(word) + label[at + len(word) :]


def the(label: str, count: int) -> str:
    """Return `the Knife`, `the Scissors`, `the Knives`, `the pairs of Scissors`."""
    return f"the {label if count == 1 else plural(label)}"


def is_many(label: str, count: int) -> bool:
    """Whether `are` follows `the(label, count)`: `the Scissors are`, though `a pair of Scissors is`."""
    return count != 1 or unit_of(label) in ("pair", "set")


def be(label: str, count: int) -> str:
    """Return `is` or `are`, whichever follows `the(label, count)`."""
    return "are" if is_many(label, count) else "is"


def verb(label: str, count: int, stem: str) -> str:
    """Return a regular verb as it follows `the(label, count)`: `lies`, or `lie`."""
    return stem if is_many(label, count) else f"{stem}s"


def _last_word(label: str) -> str:
    found = _LAST_WORD.search(label)
    return found[0] if found else ""


def _looks_plural(word: str) -> bool:
    if word in _IRREGULAR.values():
        return word not in _IRREGULAR
    return len(word) > 3 and _PLURAL_ALREADY.search(word) is not None and _NOT_PLURAL.search(word) is None


def _plural_word(word: str) -> str:
    lower = word.lower()
    if lower in _IRREGULAR:
        changed = _IRREGULAR[lower]
        return changed.upper() if word.isupper() else word[0] + changed[1:] if word[0].isupper() else changed
    if re.search(r"(?:s|x|z|ch|sh)$", lower):
        return f"{word}es"
    if re.search(r"[^aeiou]y$", lower):
        return f"{word[:-1]}ies"
    return f"{word}s"
