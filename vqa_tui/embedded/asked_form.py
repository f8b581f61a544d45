"""Reading out of a prompt in which form the reply is to be, where it is neither JSON pairs nor plain text.

The shipped recipes write these lines, and PaliGemma's commands are a whole prompt on one line:

    Categories: object recognition; spatial reasoning
    Reply with blocks …
    Keys: novelty (whole number from 0 to 100); narration (text, may be left out)
    Reply with a JSON object …
    Question: Is the heart enlarged?
    Reference answer: yes
    Reply with the reference answer and its explanation …
    detect battery ; knife
"""

import re
from dataclasses import dataclass

_COMMAND = re.compile(
    r"(?:(cap|caption|describe)(?: ([a-z]{2,3}))?|(ocr)|(answer|question) ([a-z]{2,3}) (.+)|(detect) (.+))",
)
_REPLY_WITH = re.compile(
    r"\breply with (?:an? |the )?(json object|json|plain[- ]text|blocks|reference answer and its explanation)\b",
    re.IGNORECASE,
)
_CATEGORIES = re.compile(r"^[ \t]*categories[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_KEYS = re.compile(r"^[ \t]*keys[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_KEY = re.compile(r"[ \t]*([A-Za-z_]\w{0,39})[ \t]*\(([^()]*)\)[ \t.]*")
_BOUNDS = re.compile(r"\bfrom (-?\d{1,9}) to (-?\d{1,9})\b")
_QUESTION = re.compile(r"^[ \t]*question[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_REFERENCE = re.compile(r"^[ \t]*reference answer[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Command:
    """One of PaliGemma's commands."""

    name: str
    about: str = ""
    """The question, the answer or the things that it names."""


@dataclass(frozen=True, slots=True)
class BlocksForm:
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key of the object; `kind` is `number`, `text` or `truth`."""

    name: str
    kind: str
    least: int = 0
    most: int = 100


@dataclass(frozen=True, slots=True)
class ObjectForm:
    keys: tuple[WantedKey, ...]


@dataclass(frozen=True, slots=True)
class ExplainedForm:
    question: str
    reference: str


Form = Command | BlocksForm | ObjectForm | ExplainedForm


def read_form(instructions: str) -> Form | None:
    """Return the form that `instructions`, a prompt without its ground truth, asks for; None for pairs and text.

    Where a statement is made several times the last one counts.
    """
    bare = instructions.strip()
    if found := _COMMAND.fullmatch(bare):
        name = found[1] or found[3] or found[4] or found[7]
        return Command(name, (found[6] or found[8] or "").strip())
    said = [str(word).lower() for word in _REPLY_WITH.findall(instructions)]
    match said[-1] if said else "":
        case "blocks" if categories := _CATEGORIES.findall(instructions):
            names = (name.strip(" \t\r.") for name in categories[-1].split(";")[:_MOST])
            return BlocksForm(tuple(dict.fromkeys(filter(None, names))))
        case "json object" if keys := _KEYS.findall(instructions):
            found_keys = (_key(part) for part in keys[-1].split(";")[:_MOST])
            return ObjectForm(tuple(key for key in found_keys if key is not None))
        case "reference answer and its explanation":
            question, reference = _QUESTION.findall(instructions), _REFERENCE.findall(instructions)
            return ExplainedForm(question[-1].strip() if question else "", reference[-1].strip() if reference else "")
    return None


def _key(text: str) -> WantedKey | None:
    found = _KEY.fullmatch(text.rstrip("\r"))
    if found is None:
        return None
    words = found[2].lower()
    if "number" in words:
        bounds = _BOUNDS.search(words)
        least, most = (int(bounds[1]), int(bounds[2])) if bounds else (0, 100)
        return WantedKey(found[1], "number", min(least, most), max(least, most))
    return WantedKey(found[1], "truth" if "true" in words else "text")
