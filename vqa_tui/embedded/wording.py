"""Small pieces of English: lists, places, shares."""

from collections.abc import Mapping, Sequence

from vqa_tui.embedded.nouns import number, several
from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE


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


def share_of(share: float) -> str:
    """Return `about 12% of`, or `almost all of` and `less than 1% of` where a whole percentage would be wrong."""
    whole = round(share * 100)
    return "almost all of" if whole >= 99 else f"about {whole}% of" if whole else "less than 1% of"


def capital(text: str) -> str:
    """Return `text` with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return `text` with a small first letter, the rest untouched."""
    return text[:1].lower() + text[1:]
