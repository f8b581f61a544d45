"""Small pieces of English: articles, numbers, lists, places."""

from collections.abc import Mapping, Sequence

from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(value: int) -> str:
    """Return a number in words up to twelve, in digits beyond."""
    return _NUMBERS[value] if 0 <= value < len(_NUMBERS) else str(value)


def items_of(value: int) -> str:
    """Return `one item`, `three items` …"""
    return f"{number(value)} item" if value == 1 else f"{number(value)} items"


def a(label: str) -> str:
    """Return `label` with its indefinite article. Labels stay as the dataset spells them, so that checks find them."""
    return f"an {label}" if label[:1].lower() in ("a", "e", "i", "o", "u") else f"a {label}"


def several(label: str, count: int) -> str:
    """Return `a Knife` for one, `two Knife items` for more."""
    return a(label) if count == 1 else f"{number(count)} {label} items"


def listed(words: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def inventory(counted: Mapping[str, int], limit: int = 6) -> str:
    """Return the labels with their numbers as a list; what is beyond `limit` kinds is summed up."""
    shown = [several(label, count) for label, count in list(counted.items())[:limit]]
    if len(counted) > limit:
        shown.append(f"{number(len(counted) - limit)} more kinds of item")
    return listed(shown)


def part(word: str) -> str:
    """Return `the upper-left part` or `the center` for a word of the 3x3 grid."""
    return "the center" if word == "center" else f"the {word} part"


def parts_of(words: Sequence[str], noun: str) -> str:
    """Return `in the upper-left part and the center of the scan`; for places that are not known `in the scan`."""
    known = [part(word) for word in words if word != UNKNOWN_PLACE]
    return f"in {listed(known)} of the {noun}" if known else f"in the {noun}"


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return f"{round(share * 100)} %"


def capital(text: str) -> str:
    """Return `text` with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return `text` with a small first letter, the rest untouched."""
    return text[:1].lower() + text[1:]
